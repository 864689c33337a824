"""Shapes as occupancy grids: readers of meshes and voxel files, and the voxeliser between them.

Everywhere a grid is (R,R,R) bool, indexed x, y, z: x to the object's left, z up, the object's front towards -y, as in
Blender and in ModelNet's files.
"""
