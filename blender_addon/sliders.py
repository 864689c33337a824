"""Named sliders of a head: readings of its identity keys, and ways to change them.

A slider has no value of its own. It reads how much of its direction the identity keys hold, in least squares with the
other sliders, and writing it moves the keys along that direction alone. So keys may be keyed, driven, pasted or
dragged, and the sliders follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from . import head as heads
from . import shape

LIMIT = 10.0


@dataclass(frozen=True)
class Slider:
    """One of a head's: its number, its name, and the name of its group."""

    index: int
    name: str
    group: str


def of(head: bpy.types.Object) -> tuple[Slider, ...]:
    """The sliders that came with the head's bundle, maybe none."""
    if heads.SLIDER_NAMES not in head:
        return ()
    names, groups = (head[key].split("\n") for key in (heads.SLIDER_NAMES, heads.SLIDER_GROUPS))
    return tuple(Slider(at, *both) for at, both in enumerate(zip(names, groups, strict=True)))


def has(head: bpy.types.Object, index: int) -> bool:
    """Whether `head` is one, and has a slider of that number."""
    return (
        heads.is_head(head) and heads.SLIDERS in head and index < len(head[heads.SLIDERS]) // len(head[heads.IDENTITY])
    )


def value(head: bpy.types.Object, index: int) -> float:
    """Standard deviations of the attribute that the head has more than the mean of the population."""
    return float(_readings(head)[index])


def set_value(head: bpy.types.Object, index: int, wanted: float) -> None:
    """Move the identity keys so that the slider reads `wanted` and all others what they read before."""
    change = wanted - value(head, index)
    shape.set_identity(head, shape.identity(head) + change * _directions(head)[index])


def set_all(head: bpy.types.Object, wanted: NDArray[np.float64]) -> None:
    """Move the identity keys so that the sliders read `wanted` (S,)."""
    shape.set_identity(head, shape.identity(head) + (wanted - _readings(head)) @ _directions(head))


def _directions(head: bpy.types.Object) -> NDArray[np.float64]:
    flat = np.array(head[heads.SLIDERS], np.float64)
    return flat.reshape(-1, len(head[heads.IDENTITY]))


def _readings(head: bpy.types.Object) -> NDArray[np.float64]:
    directions = _directions(head)
    readings: NDArray[np.float64] = np.linalg.solve(directions @ directions.T, directions @ shape.identity(head))
    return readings
