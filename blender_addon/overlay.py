"""Draws a photo with boxes over a 3D view."""

from __future__ import annotations

from collections.abc import Sequence

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader
from gpu_extras.presets import draw_texture_2d

from .picking import Box, Overlay, Point

SHADE = (0.05, 0.05, 0.05, 0.85)
PLAIN = (1.0, 1.0, 1.0, 0.9)
CHOSEN = (1.0, 0.62, 0.15, 1.0)
LINE = 2.0
TEXT_POINTS = 16


def photo(texture: gpu.types.GPUTexture, overlay: Overlay) -> None:
    """The photo, and the view behind it darkened."""
    gpu.state.blend_set("ALPHA")
    _rectangle("TRI_FAN", (0.0, 0.0), (float(overlay.region[0]), float(overlay.region[1])), SHADE)
    draw_texture_2d(texture, overlay.corner, *overlay.size, is_scene_linear_with_rec709_srgb_target=True)
    gpu.state.blend_set("NONE")


def boxes(overlay: Overlay, all_boxes: Sequence[Box], chosen: int | None) -> None:
    """The boxes with their numbers, counted from 1; the chosen one stands out."""
    for number, box in enumerate(all_boxes):
        colour = CHOSEN if number == chosen else PLAIN
        low, high = overlay.rectangle(box)
        outline(low, high, colour)
        _label(str(number + 1), (low[0] + 6.0, high[1] - TEXT_POINTS - 6.0), colour)


def outline(low: Point, high: Point, colour: tuple[float, float, float, float] = CHOSEN) -> None:
    """A rectangle's edges."""
    gpu.state.line_width_set(LINE)
    _rectangle("LINE_LOOP", low, high, colour)
    gpu.state.line_width_set(1.0)


def _rectangle(kind: str, low: Point, high: Point, colour: tuple[float, float, float, float]) -> None:
    corners = [low, (high[0], low[1]), high, (low[0], high[1])]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    if kind == "TRI_FAN":
        batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)])
    else:
        batch = batch_for_shader(shader, "LINES", {"pos": corners}, indices=[(0, 1), (1, 2), (2, 3), (3, 0)])
    shader.uniform_float("color", colour)
    batch.draw(shader)


def _label(text: str, at: Point, colour: tuple[float, float, float, float]) -> None:
    font = 0
    blf.size(font, TEXT_POINTS * bpy.context.preferences.system.ui_scale)
    blf.position(font, *at, 0.0)
    blf.color(font, *colour)
    blf.draw(font, text)
