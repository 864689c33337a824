"""The parametric image formation model of papers 4 and 5: a code of semantic numbers in, a picture of a face out.

One face model (:mod:`.face_model`), one order of its numbers (:mod:`.code`), one decoder in PyTorch (:mod:`.decoder`:
vertices, reflectance, shading, perspective), and two ways to look at what it makes: vertex by vertex (Tewari et al.
2017, eq. 5) and rasterised (:mod:`.raster`, :mod:`.picture`), for the pictures that Kim et al. 2018 train on.
"""
