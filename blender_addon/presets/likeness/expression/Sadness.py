import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"browInnerUp": 0.8, "mouthFrownLeft": 0.7, "mouthFrownRight": 0.7, "mouthShrugLower": 0.35, "eyeLookDownLeft": 0.3, "eyeLookDownRight": 0.3, "eyeBlinkLeft": 0.2, "eyeBlinkRight": 0.2}}'
