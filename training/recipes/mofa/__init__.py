"""Paper 5: Tewari et al. 2017, "MoFA: Model-based deep convolutional face autoencoder".

A convolutional encoder reads the numbers of a face off a picture, the image formation model draws it from them, and
what differs from the picture is all that is learned from: no picture is labelled.
"""
