"""The recipe `joint`: Kamyab & Azimifar's autoencoder and CNN, trained at once on faces and their pictures."""
