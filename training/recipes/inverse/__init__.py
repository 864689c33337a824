"""Paper 4: Kim et al. 2018, "InverseFaceNet: Deep monocular inverse face rendering".

A network that reads pose, shape, expression, skin and light off a masked face in one pass, trained on rasterised faces
whose numbers are known, with a loss that measures in the face model's own units; then *breeding*: the numbers that the
network finds in real photos, perturbed and rasterised, become its next training set.
"""
