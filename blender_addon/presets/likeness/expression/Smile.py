import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"mouthSmileLeft": 0.75, "mouthSmileRight": 0.75, "cheekSquintLeft": 0.45, "cheekSquintRight": 0.45, "eyeSquintLeft": 0.25, "eyeSquintRight": 0.25, "mouthDimpleLeft": 0.15, "mouthDimpleRight": 0.15}}'
