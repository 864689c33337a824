import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"browInnerUp": 0.9, "browOuterUpLeft": 0.35, "browOuterUpRight": 0.35, "eyeWideLeft": 0.85, "eyeWideRight": 0.85, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6, "jawOpen": 0.2}}'
