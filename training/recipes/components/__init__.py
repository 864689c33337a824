"""Paper 2: Kamyab & Azimifar 2017, "End-to-end 3D shape inverse rendering of different classes of objects".

An encoder of pictures and a decoder of shapes, each trained without the other, and a mapping between them, the only
part that needs pictures with their shapes.
"""
