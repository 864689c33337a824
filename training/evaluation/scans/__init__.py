"""Rendered people of a face model against its own meshes, by the protocol of the NoW benchmark."""
