"""Rendering of training photos in Blender; the only part of training that imports bpy."""
