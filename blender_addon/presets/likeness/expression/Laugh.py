import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "jawOpen": 0.35, "cheekSquintLeft": 0.7, "cheekSquintRight": 0.7, "eyeSquintLeft": 0.5, "eyeSquintRight": 0.5, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2}}'
