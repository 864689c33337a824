"""Cameras around a head that stands upright at the world's origin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .head import EXPRESSION, PHOTO, to_blender
from .reconstruction import Pose, Reconstruction

SENSOR_MM = 36.0
PORTRAIT_LENS_MM = 135.0
PORTRAIT_DISTANCE = 1.05
NEAREST = 0.01
DISPLAY_SIZE = 0.08  # metres in the viewport: a camera, not a room, beside a head

IMAGE_SIZE = "likeness_image_size"  # custom property of a photo's camera: width and height in pixels

# Middle of a face, and so of a portrait, in Blender's metres from between the ears.
FACE_MIDDLE = Vector((0.0, -0.03, 0.018))

# A portrait is this many times as large as the landmarks' box, and its middle this share of the box's height above
# the box's own, since landmarks end at the brows.
_PORTRAIT_SCALE = 1.85
_PORTRAIT_RISE = 0.21


@dataclass(frozen=True)
class Crop:
    """A rectangle of the photo in pixels, x right, y down; it may reach beyond the picture."""

    left: float
    top: float
    width: float
    height: float


def from_pose(pose: Pose, name: str = "Photo Camera") -> bpy.types.Object:
    """The camera that took the photo. `scene.render` must have the photo's proportions."""
    camera = _camera(name)
    camera.data.lens = pose.focal * SENSOR_MM / max(pose.image_size)
    rotation, translation = pose.rotation, pose.translation
    axes = to_blender(np.stack([rotation[0], -rotation[1], -rotation[2]])) * 1000.0  # right, up, back
    matrix = Matrix(axes.T.tolist()).to_4x4()
    matrix.translation = Vector(to_blender(-rotation.T @ translation).tolist())
    camera.matrix_world = matrix
    return camera


def describe(camera: bpy.types.Object, reconstruction: Reconstruction, photo: str) -> None:
    """Write on a photo's camera what belongs to that photo alone, to go back to it."""
    camera[PHOTO] = photo
    if reconstruction.pose is not None:
        camera[IMAGE_SIZE] = list(reconstruction.pose.image_size)
    if reconstruction.expression is not None:
        camera[EXPRESSION] = reconstruction.expression.astype(float)


def is_of_photo(thing: bpy.types.Object | None) -> bool:
    """Whether `thing` is a camera that took one of a head's photos."""
    return thing is not None and thing.type == "CAMERA" and IMAGE_SIZE in thing


def of_photos(head: bpy.types.Object) -> list[bpy.types.Object]:
    """The cameras that took a head's photos."""
    return [child for child in head.children if is_of_photo(child)]


def show_behind(camera: bpy.types.Object, picture: bpy.types.Image) -> None:
    """Show the photo behind everything when the viewport looks through the camera that took it."""
    camera.data.show_background_images = True
    background = camera.data.background_images.new()
    background.image = picture
    background.alpha = 1.0
    background.display_depth = "BACK"
    background.frame_method = "FIT"


def cropped(pose: Pose, crop: Crop, name: str = "Photo Detail") -> bpy.types.Object:
    """As `from_pose`, but its picture is what `crop` shows of the photo."""
    camera = from_pose(pose, name)
    width, height = pose.image_size
    camera.data.sensor_fit = "HORIZONTAL"
    camera.data.lens = pose.focal * SENSOR_MM / crop.width
    camera.data.shift_x = (crop.left + crop.width / 2 - width / 2) / crop.width
    camera.data.shift_y = -(crop.top + crop.height / 2 - height / 2) / crop.width
    return camera


def portrait(degrees: float, name: str = "Portrait Camera") -> bpy.types.Object:
    """A long lens at the height of the face, `degrees` round to the subject's left (0: from the front)."""
    camera = _camera(name)
    camera.data.lens = PORTRAIT_LENS_MM
    angle = math.radians(degrees)
    camera.location = FACE_MIDDLE + PORTRAIT_DISTANCE * Vector((math.sin(angle), -math.cos(angle), 0.03))
    camera.rotation_euler = (FACE_MIDDLE - camera.location).to_track_quat("-Z", "Y").to_euler()
    return camera


def face_crop(reconstruction: Reconstruction, proportion: float) -> Crop | None:
    """The photo's part with the face in its middle, `proportion` = width / height; None where nothing says where."""
    if reconstruction.landmarks is not None:
        left, top = reconstruction.landmarks.min(axis=0)
        width, height = reconstruction.landmarks.max(axis=0) - (left, top)
        rise, scale = _PORTRAIT_RISE, _PORTRAIT_SCALE
    elif reconstruction.face_box is not None:
        left, top, width, height = reconstruction.face_box
        rise, scale = 0.0, _PORTRAIT_SCALE
    else:
        return None
    middle = left + width / 2, top + height / 2 - rise * height
    tall = scale * max(width / proportion, height)
    wide = tall * proportion
    return Crop(float(middle[0] - wide / 2), float(middle[1] - tall / 2), float(wide), float(tall))


def _camera(name: str) -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    data.clip_start = NEAREST
    data.sensor_width = SENSOR_MM
    data.display_size = DISPLAY_SIZE
    return bpy.data.objects.new(name, data)
