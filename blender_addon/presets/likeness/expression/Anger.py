import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"browDownLeft": 0.9, "browDownRight": 0.9, "eyeSquintLeft": 0.4, "eyeSquintRight": 0.4, "noseSneerLeft": 0.35, "noseSneerRight": 0.35, "mouthPressLeft": 0.6, "mouthPressRight": 0.6, "mouthFrownLeft": 0.3, "mouthFrownRight": 0.3, "jawForward": 0.15}}'
