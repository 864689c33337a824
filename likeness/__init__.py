"""The command line of Likeness: one face photo in, one editable 3D head out."""

__version__ = "0.1.0"
