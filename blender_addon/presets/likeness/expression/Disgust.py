import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"noseSneerLeft": 0.8, "noseSneerRight": 0.8, "mouthUpperUpLeft": 0.5, "mouthUpperUpRight": 0.5, "browDownLeft": 0.45, "browDownRight": 0.45, "eyeSquintLeft": 0.4, "eyeSquintRight": 0.4, "mouthFrownLeft": 0.3, "mouthFrownRight": 0.3}}'
