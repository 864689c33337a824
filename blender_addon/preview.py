"""A picture of a result: the photo, the head as the photo's camera sees it, and the head turned."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from . import camera, images, photo, png
from .camera import Crop
from .failures import Failure
from .reconstruction import Pose, Reconstruction

PANEL = (400, 420)
TURN_DEGREES = 35.0
SAMPLES = 14  # denoised, 12 s for the whole picture on two cores
LARGEST_PHOTO_SIDE = 3000
LOOK = "AgX - Medium High Contrast"
EXPOSURE = 0.55

_TOP = np.array([58.0, 63.0, 69.0])  # the background, sRGB values
_BOTTOM = np.array([26.0, 28.0, 31.0])

Pixels = NDArray[np.uint8]


def write(scene: bpy.types.Scene, reconstruction: Reconstruction, image: Path | None, path: Path) -> None:
    """Render `scene`, which holds one head at the origin and lights, and write the picture as PNG to `path`.

    Without a photo that can be read, or without a pose, the photo is left out and the head seen from the front. The
    scene's render settings and camera change. Raises Failure: `output_failed`.
    """
    try:
        pixels = draw(scene, reconstruction, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png.encode(pixels))
    except OSError as error:
        raise Failure("output_failed", name=path, reason=error.strerror or error) from error


def draw(
    scene: bpy.types.Scene,
    reconstruction: Reconstruction,
    image: Path | None,
    size: tuple[int, int] = PANEL,
    overlay: bool = False,
) -> Pixels:
    """The picture that `write` writes, (H, W, 3), each of its two or three panels of `size` (width, height).

    With `overlay` the head that the photo's camera sees lies on the photo, if there is one.
    """
    pose = reconstruction.pose
    crop = camera.face_crop(reconstruction, size[0] / size[1])
    panels = []
    if pose is not None and crop is not None:
        picture = _photo(image, pose) if image is not None else None
        if picture is not None:
            panels.append(_cut(picture, pose, crop, size))
        ground = panels[0] if overlay and panels else None
        panels.append(_render(scene, camera.cropped(pose, crop), size, ground))
    else:
        panels.append(_render(scene, camera.portrait(0.0), size))
    panels.append(_render(scene, camera.portrait(TURN_DEGREES), size))
    return np.concatenate(panels, axis=1)


def turntable(scene: bpy.types.Scene, angles: Sequence[float], size: tuple[int, int] = PANEL) -> Pixels:
    """The head at the origin seen from `angles`, degrees about the vertical, side by side (H, W, 3)."""
    return np.concatenate([_render(scene, camera.portrait(angle), size) for angle in angles], axis=1)


def _render(
    scene: bpy.types.Scene, view: bpy.types.Object, size: tuple[int, int], ground: Pixels | None = None
) -> Pixels:
    scene.collection.objects.link(view)
    scene.camera = view
    settings = scene.render
    settings.engine = "CYCLES"
    scene.view_settings.look = LOOK
    scene.view_settings.exposure = EXPOSURE
    settings.resolution_x, settings.resolution_y = size
    settings.resolution_percentage = 100
    settings.film_transparent = True
    settings.use_persistent_data = True
    settings.image_settings.file_format = "PNG"
    settings.image_settings.color_mode = "RGBA"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.use_denoising = True
    scene.cycles.denoising_prefilter = "FAST"
    scene.cycles.max_bounces = 4
    scene.cycles.use_light_tree = False  # slower than none for three lights
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        settings.filepath = str(Path(folder) / "panel.png")
        bpy.ops.render.render(write_still=True, scene=scene.name)
        rendered = _load(Path(settings.filepath), None)
    share = np.linspace(0.0, 1.0, size[1])[:, None, None]
    behind = _TOP * (1.0 - share) + _BOTTOM * share if ground is None else ground
    alpha = rendered[..., 3:4] / 255.0 if rendered.shape[2] == 4 else np.ones((1, 1, 1))
    return np.rint(rendered[..., :3] * alpha + behind * (1.0 - alpha)).astype(np.uint8)


def _photo(path: Path, pose: Pose) -> Pixels | None:
    """The photo (H, W, 3), upright, maybe smaller than `pose.image_size`; None where Blender cannot read it."""
    try:
        turn = photo.orientation(photo.read(path).data)
        pixels = photo.upright(_load(path, LARGEST_PHOTO_SIDE), turn)
    except (Failure, RuntimeError):
        return None
    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    width, height = pose.image_size
    same_proportions = abs(pixels.shape[1] / pixels.shape[0] - width / height) < 0.02 * width / height
    return pixels if same_proportions else None


def _load(path: Path, largest_side: int | None) -> Pixels:
    image = bpy.data.images.load(str(path), check_existing=False)
    try:
        side = max(image.size)
        if largest_side is not None and side > largest_side:
            image.scale(*(max(1, round(length * largest_side / side)) for length in image.size))
        return images.pixels(image)
    finally:
        bpy.data.images.remove(image)


def _cut(picture: Pixels, pose: Pose, crop: Crop, size: tuple[int, int]) -> Pixels:
    """`crop` of the photo at a panel's size; each pixel is the mean of what it covers, black beyond the picture."""
    scale = picture.shape[1] / pose.image_size[0]
    columns = _coverage(crop.left * scale, crop.width * scale, size[0], picture.shape[1])
    rows = _coverage(crop.top * scale, crop.height * scale, size[1], picture.shape[0])
    cut = np.einsum("ih,hwc,jw->ijc", rows, picture.astype(np.float32), columns, optimize=True)
    return np.rint(np.clip(cut, 0.0, 255.0)).astype(np.uint8)


def _coverage(start: float, length: float, count: int, size: int) -> NDArray[np.float32]:
    """(count, size) weights of a resampling along one axis with a tent at least one source pixel wide."""
    step = length / count
    middles = start + (np.arange(count) + 0.5) * step
    distance = np.abs(middles[:, None] - (np.arange(size) + 0.5)) / max(step, 1.0)
    weights = np.clip(1.0 - distance, 0.0, None)
    total = weights.sum(axis=1, keepdims=True)
    inside = (middles >= 0.0) & (middles <= size)
    return np.where(inside[:, None], weights / np.maximum(total, 1e-9), 0.0).astype(np.float32)
