"""A head's shape as a MakeHuman target, for MPFB: the template is a part of MakeHuman's base mesh.

A target's lines are a vertex of the base mesh and how it moves, in decimetres, y up. Skin, mouth and teeth move as the
head says; the eyes' helpers follow its eyeballs; all other helpers around the head follow the skin next to them. Down
the neck the movement ends, so that the head fits any body.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from . import head as heads
from . import shape
from .failures import Failure

BASE_MESH = Path(__file__).parent / "makehuman" / "hm08.npz"
DECIMETRE_MM = 100.0
NECK_MM = 55.0
"""The lowest so many millimetres of the head take less and less part in the movement."""

LEAST_MM = 0.002
_NEIGHBOURS = 6
_NEAR_MM = 60.0  # helpers farther than this from the head's skin are the body's
_CHUNK = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _BaseMesh:
    positions: Floats
    body: NDArray[np.int32]
    eyes: NDArray[np.int32]


def can_write(head: bpy.types.Object) -> bool:
    """Whether the head knows which vertices of the base mesh it has."""
    return heads.BASE_VERTEX in head.data.attributes


def write(head: bpy.types.Object, path: Path) -> int:
    """Write the identity of `head` as a target; returns how many vertices it moves.

    Raises Failure: `targets_none`, `output_failed`.
    """
    if not can_write(head):
        raise Failure("targets_none")
    moved = offsets(head)
    chosen = np.flatnonzero(np.linalg.norm(moved, axis=1) > LEAST_MM)
    lines = [
        "# MakeHuman target made by Likeness",
        *(f"# {line}" for line in str(head.get(heads.LICENCES, "")).splitlines()),
        *("{} {:.5f} {:.5f} {:.5f}".format(at, *(moved[at] / DECIMETRE_MM)) for at in chosen),
    ]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure("output_failed", name=path, reason=error.strerror or error) from error
    return len(chosen)


def offsets(head: bpy.types.Object) -> Floats:
    """(19158, 3) mm by which the base mesh's vertices move, y up."""
    base = _load()
    vertices = shape.neutral(head)
    ids = np.empty(len(vertices), np.int32)
    head.data.attributes[heads.BASE_VERTEX].data.foreach_get("value", ids)
    known = np.flatnonzero(ids >= 0)
    moved = np.zeros_like(base.positions)
    moved[ids[known]] = vertices[known] - base.positions[ids[known]]
    helpers = np.setdiff1d(np.arange(len(moved)), np.concatenate([ids[known], base.body]))
    _follow(base.positions, ids[known], helpers, moved)
    for eye, part in zip(base.eyes, _eyeballs(head, vertices), strict=True):
        if len(part):
            moved[eye] = _as_ball(base.positions[eye], part) - base.positions[eye]
    lowest = base.positions[ids[known], 1].min()
    rise = np.clip((base.positions[:, 1] - lowest) / NECK_MM, 0.0, 1.0)
    return moved * (rise * rise * (3.0 - 2.0 * rise))[:, None]


def _load() -> _BaseMesh:
    with np.load(BASE_MESH, allow_pickle=False) as arrays:
        return _BaseMesh(arrays["positions"].astype(np.float64), arrays["body"], arrays["eyes"])


def _follow(positions: Floats, known: NDArray[np.int32], helpers: NDArray[np.int64], moved: Floats) -> None:
    """Move helpers as the nearest known vertices move, the nearer the more."""
    for start in range(0, len(helpers), _CHUNK):
        part = helpers[start : start + _CHUNK]
        distance = np.linalg.norm(positions[part, None] - positions[known], axis=2)
        near = np.argpartition(distance, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        least = np.take_along_axis(distance, near, axis=1)
        weights = 1.0 / (least + 0.1) ** 2
        weights /= weights.sum(axis=1, keepdims=True)
        offset = np.sum(weights[:, :, None] * moved[known[near]], axis=1)
        moved[part] = np.where(least.min(axis=1, keepdims=True) < _NEAR_MM, offset, 0.0)


def _eyeballs(head: bpy.types.Object, vertices: Floats) -> tuple[Floats, Floats]:
    """The vertices of the left and of the right eyeball; none where the model has no such region."""
    group = head.vertex_groups.get("eyes")
    if group is None:
        return np.zeros((0, 3)), np.zeros((0, 3))
    inside = np.array([any(entry.group == group.index for entry in vertex.groups) for vertex in head.data.vertices])
    eyes = vertices[inside]
    return eyes[eyes[:, 0] > 0.0], eyes[eyes[:, 0] < 0.0]


def _as_ball(helper: Floats, ball: Floats) -> Floats:
    """The helper eye as large as the head's eyeball and where it is."""
    centre, wanted = _middle(helper), _middle(ball)
    factor = np.ptp(ball, axis=0).mean() / np.ptp(helper, axis=0).mean()
    return wanted + factor * (helper - centre)


def _middle(points: Floats) -> Floats:
    middle: Floats = (points.min(axis=0) + points.max(axis=0)) / 2.0
    return middle
