"""Passes: the truth per pixel that a render gives beside its picture, from the same render call.

What Cycles writes into its data passes depends on the pass (``kernel/film/data_passes.h``): depth, position and indices
come from a pixel's first sample, normals, UV and colours are averaged over all samples. A pixel's first sample goes
through its centre (``kernel/integrator/init_from_camera.h``); later ones are spread by the pixel filter. Averages mix
what meets in a pixel: eye and lid, one UV island and the next. So the passes come from a second view layer, rendered
in the same call with one sample per pixel: there all of them describe the one point behind the pixel's centre.

See-through surfaces take part by chance: where a ray is mirrored by a lens, Cycles leaves the pixel's data empty.
Materials therefore ask :data:`TRUTH`, an attribute of the view layer, and are either there or not in that layer.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from training.camera import Camera
from training.render.axes import TO_BLENDER
from training.subjects.props import SEGMENTS
from training.template import MATERIALS, Template
from training.truth import PASSES, Truth, check_passes

# Name of the second view layer, and of its attribute that materials can ask: 1 there, 0 in the picture's layer.
TRUTH = "truth"

# Blender's switches for each of our passes; `seg` reads the UV to tell lips from skin.
_SWITCHES = {
    "seg": ("use_pass_material_index", "use_pass_uv"),
    "depth": ("use_pass_z",),
    "normals": ("use_pass_normal",),
    "albedo": ("use_pass_diffuse_color",),
    "uv": ("use_pass_uv",),
}
# Channel names in 4.5 and in 5.0.
_DEPTH, _INDEX, _ALBEDO = ("Depth",), ("IndexMA", "Material Index"), ("DiffCol", "Diffuse Color")
# Blender's depth, m, where nothing was hit: 1e10 in Cycles, the camera's far end in EEVEE.
_FAR_M = 99.0
_LIP_MASK = 1024


class ScenePasses:
    """Sets a scene's view layers up for some of ``PASSES`` and reads them after each render.

    The depth of the picture is always rendered: landmarks' visibility needs it.
    """

    def __init__(self, scene: bpy.types.Scene, template: Template, engine: str, wanted: tuple[str, ...]) -> None:
        check_passes(engine, wanted)
        self.wanted = tuple(name for name in PASSES if name in wanted)
        layer = picture = scene.view_layers[0]
        layer[TRUTH] = 0.0
        if self.wanted and engine == "cycles":
            layer = scene.view_layers.new(TRUTH)
            layer[TRUTH] = 1.0
            layer.samples = 1
            layer.cycles.use_denoising = False
            # Cycles goes from layer to layer with one set of mesh attributes, and reads freed memory when one layer
            # needs UVs that the other does not.
            picture.use_pass_uv = bool({"seg", "uv"} & set(self.wanted))
        self._layer = layer.name
        for name in ("depth", *self.wanted):
            for switch in _SWITCHES[name]:
                setattr(layer, switch, True)
        self._lips = _lip_mask(template, _LIP_MASK) if "seg" in wanted else np.zeros((0, 0), bool)

    def depth(self, channels: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Depth (H,W) mm along the camera's z at pixel centres; infinite where nothing was hit."""
        depth = self._channel(channels, _DEPTH, "Z")
        return np.where(depth > _FAR_M, np.float32(np.inf), depth * np.float32(1000.0))

    def read(self, channels: dict[str, NDArray[np.float32]], camera: Camera) -> Truth:
        """The wanted passes; channels as :class:`training.render.engine.Frame` has them."""
        depth = self.depth(channels)
        hit = np.isfinite(depth)
        truth: Truth = {}
        uv = None
        if {"seg", "uv"} & set(self.wanted):
            uv = np.stack([self._channel(channels, ("UV",), axis) for axis in "UV"], -1) * hit[..., None]
        for name in self.wanted:
            if name == "depth":
                truth[name] = depth
            elif name == "uv" and uv is not None:
                truth[name] = uv
            elif name == "seg" and uv is not None:
                truth[name] = self._segments(channels, uv)
            elif name == "albedo":
                albedo = np.stack([self._channel(channels, _ALBEDO, axis) for axis in "RGB"], -1)
                truth[name] = albedo * hit[..., None]
            elif name == "normals":
                world = np.stack([self._channel(channels, ("Normal",), axis) for axis in "XYZ"], -1)
                seen = world @ (camera.rotation @ TO_BLENDER.T).T
                length = np.linalg.norm(seen, axis=-1, keepdims=True)
                truth[name] = np.where(hit[..., None], seen / np.maximum(length, 1e-9), 0.0).astype(np.float32)
        return truth

    def _segments(self, channels: dict[str, NDArray[np.float32]], uv: NDArray[np.float32]) -> NDArray[np.uint8]:
        segments = np.round(self._channel(channels, _INDEX, "X")).astype(np.uint8)
        skin = segments == SEGMENTS.index("skin")
        side = len(self._lips)
        column, row = (np.clip(uv * side, 0, side - 1)).astype(int).transpose(2, 0, 1)
        segments[skin & self._lips[row, column]] = SEGMENTS.index("lips")
        return segments

    def _channel(
        self, channels: dict[str, NDArray[np.float32]], names: tuple[str, ...], axis: str
    ) -> NDArray[np.float32]:
        for name in names:
            found = channels.get(f"{self._layer}.{name}.{axis}")
            if found is not None:
                return found
        raise KeyError(f"Blender gave no pass {names[0]} in {self._layer}; it gave {', '.join(channels)}.")


def _lip_mask(template: Template, size: int) -> NDArray[np.bool_]:
    """Where the lips lie in the skin's UV: (size,size), rows along v.

    The region's vertices count 1, others 0; interpolated over the triangles, lips are what is over one half.
    """
    skin = template.material == MATERIALS.index("skin")
    inside = template.region("lips")[template.quads] & skin[:, None]
    mask = np.zeros((size, size), bool)
    for values, corners in zip(inside[inside.any(1)], template.uv[inside.any(1)], strict=True):
        for three in ((0, 1, 2), (0, 2, 3)):
            _fill(mask, corners[list(three)] * size - 0.5, values[list(three)].astype(float))
    return mask


def _fill(mask: NDArray[np.bool_], corners: NDArray[np.floating], values: NDArray[np.floating]) -> None:
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), len(mask) - 1)
    columns, rows = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    a, b = corners[1] - corners[0], corners[2] - corners[0]
    area = a[0] * b[1] - a[1] * b[0]
    if not columns.size or abs(area) < 1e-9:
        return
    x, y = columns - corners[0, 0], rows - corners[0, 1]
    second, third = (x * b[1] - y * b[0]) / area, (a[0] * y - a[1] * x) / area
    first = 1.0 - second - third
    covered = np.minimum(np.minimum(first, second), third) > -1e-6
    lips = first * values[0] + second * values[1] + third * values[2] > 0.5
    mask[rows[covered & lips], columns[covered & lips]] = True
