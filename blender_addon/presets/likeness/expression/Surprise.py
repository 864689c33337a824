import bpy

head = bpy.context.object.likeness

head.expression_text = '{"likeness": 1, "model": "", "identity": {}, "expression": {"browInnerUp": 0.9, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8, "eyeWideLeft": 0.75, "eyeWideRight": 0.75, "jawOpen": 0.45, "mouthFunnel": 0.15}}'
