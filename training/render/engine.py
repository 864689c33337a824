"""How Blender renders a frame: the engines' settings, the call itself, and the named ways in which it fails."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.render.exr import BadExr, read_exr

# The option's name -> what Blender calls it; EEVEE was renamed with 5.0.
ENGINES = {"cycles": ("CYCLES",), "eevee": ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE")}
_JPEG_QUALITY = 95
# Linear radiance under which a whole picture counts as black: the darkest step of an 8-bit one. The denoiser leaves
# some of that in a picture that was all zero.
_BLACK = 1.0 / 255.0 / 12.92
_FRAME_BYTES = 1 << 20


class RenderFailed(RuntimeError):
    """A frame that came out wrong; the class names the fault, the message says what to do."""


class NoPicture(RenderFailed):
    """Blender left no whole picture."""


class BlackPicture(RenderFailed):
    """Nothing in the picture shines."""


class NotFinite(RenderFailed):
    """The picture holds numbers that are no numbers."""


class DiskFull(RenderFailed):
    """There is no room for another frame."""


@dataclass(frozen=True)
class Frame:
    """A rendered frame: the picture's JPEG bytes, and Blender's layers as channels (H,W) by ``LAYER.PASS.CHANNEL``."""

    picture: bytes
    channels: dict[str, NDArray[np.float32]]


@contextmanager
def quiet() -> Iterator[None]:
    """Sends what Blender prints (from C, so by file descriptor) nowhere."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def configure(scene: bpy.types.Scene, engine: str, resolution: int, samples: int, threads: int) -> bool:
    """Sets a scene to an engine of ``ENGINES``; returns whether its pictures are denoised.

    resolution px of the square picture, samples per pixel, threads 0 for all cores. Raises ``ValueError`` when this
    Blender has no such engine.
    """
    render = scene.render
    _choose_engine(render, engine)
    render.use_persistent_data = True
    render.use_compositing = render.use_sequencer = False
    render.threads_mode = "FIXED" if threads else "AUTO"
    render.threads = max(threads, 1)
    render.resolution_x = render.resolution_y = resolution
    render.resolution_percentage = 100
    if engine == "eevee":
        _configure_eevee(scene, samples)
        return False
    return _configure_cycles(scene, samples)


def _choose_engine(render: bpy.types.RenderSettings, engine: str) -> None:
    for name in ENGINES[engine]:
        try:
            render.engine = name
        except TypeError:
            continue
        return
    raise ValueError(f"This Blender ({bpy.app.version_string}) has no engine {engine}: choose another with --engine.")


def _configure_cycles(scene: bpy.types.Scene, samples: int) -> bool:
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    # Slower than none for a world and two lamps.
    cycles.use_light_tree = False
    # Some builds of Blender (Debian's) come without the denoiser: their pictures stay noisy, and say so.
    denoised = "OPENIMAGEDENOISE" in _choices(cycles, "denoiser")
    cycles.use_denoising = denoised
    if denoised:
        cycles.denoiser = "OPENIMAGEDENOISE"
        # Hair makes the feature passes of a few samples noisy: prefiltered, two samples look better than six without.
        cycles.denoising_prefilter = "FAST"
        cycles.denoising_quality = "FAST"
    cycles.sampling_pattern = "BLUE_NOISE"
    cycles.max_bounces = 3
    cycles.diffuse_bounces = 2
    cycles.glossy_bounces = 1
    cycles.transparent_max_bounces = 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    scene.cycles_curves.shape = "RIBBONS"
    scene.cycles_curves.subdivisions = 2
    return denoised


def _configure_eevee(scene: bpy.types.Scene, samples: int) -> None:
    eevee = scene.eevee
    eevee.taa_render_samples = samples
    eevee.use_shadows = True
    # Without a GPU each of these costs seconds; the world's light and soft shadows carry the picture.
    eevee.use_raytracing = False
    eevee.shadow_ray_count = 1
    eevee.shadow_step_count = 4
    scene.render.hair_type = "STRIP"


def _choices(settings: bpy.types.PropertyGroup, name: str) -> list[str]:
    """Values an enumeration takes in this build; Blender tells a dynamic one's only in the error it raises."""
    try:
        setattr(settings, name, "")
    except TypeError as error:
        return re.findall(r"'([A-Z_]+)'", str(error))
    return []


def render_frame(scene: bpy.types.Scene, path: Path) -> Frame:
    """Renders the scene once, all its view layers; ``path`` is a scratch ``.jpg``.

    Raises a :class:`RenderFailed`: :class:`NoPicture`, :class:`BlackPicture`, :class:`NotFinite` or
    :class:`DiskFull`.
    """
    layers = path.with_suffix(".exr")
    try:
        for old in (path, layers):
            old.unlink(missing_ok=True)
        with quiet():
            _picture_format(scene)
            scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True)
            _layers_format(scene)
            bpy.data.images["Render Result"].save_render(str(layers), scene=scene)
        picture = path.read_bytes()
        channels = read_exr(layers)
    except (RuntimeError, OSError, BadExr) as error:
        raise _no_picture(path, str(error).strip()) from error
    if picture[:2] != b"\xff\xd8" or picture[-2:] != b"\xff\xd9":
        raise _no_picture(path, "the JPEG is not whole")
    layer = scene.view_layers[0].name
    _check(np.stack([channels[f"{layer}.Combined.{colour}"] for colour in "RGB"]))
    return Frame(picture, channels)


def _no_picture(path: Path, detail: str) -> RenderFailed:
    if shutil.disk_usage(path.parent).free < _FRAME_BYTES:
        return DiskFull(f"The disk that holds {path.parent} is full: free some space, then run the same command again.")
    return NoPicture(f"Blender left no whole picture ({detail}): see what it says with --processes 1.")


def _check(colours: NDArray[np.float32]) -> None:
    if not np.isfinite(colours).all():
        raise NotFinite("The picture holds infinite or undefined numbers: a material or the HDRI is at fault.")
    if colours.max() < _BLACK:
        raise BlackPicture("The picture is black: the light is missing, or the camera looks from inside something.")


def _picture_format(scene: bpy.types.Scene) -> None:
    output = scene.render.image_settings
    if hasattr(output, "media_type"):  # Blender 5
        output.media_type = "IMAGE"
    output.file_format = "JPEG"
    output.color_mode = "RGB"
    output.quality = _JPEG_QUALITY


def _layers_format(scene: bpy.types.Scene) -> None:
    output = scene.render.image_settings
    if hasattr(output, "media_type"):
        output.media_type = "MULTI_LAYER_IMAGE"
        output.use_exr_interleave = True  # one part, as our reader wants it
    output.file_format = "OPEN_EXR_MULTILAYER"
    output.exr_codec = "NONE"
    output.color_depth = "32"
