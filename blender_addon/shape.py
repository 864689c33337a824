"""The shape of a head that is there already: its coefficients, read from and written to its shape keys."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from . import arkit
from . import head as heads
from .facetext import Face
from .failures import Failure

Floats = NDArray[np.float64]

# Randomised coefficients lie within so many standard deviations: beyond are faces that nobody has.
PLAUSIBLE = 2.5


def identity(head: bpy.types.Object) -> Floats:
    """(K,) the identity keys' values."""
    return _values(head)[_of_identity(head)]


def expression(head: bpy.types.Object) -> Floats:
    """(52,) the expression keys' values."""
    return _values(head)[_of_expression(head)]


def set_identity(head: bpy.types.Object, values: Floats) -> None:
    """Write the identity keys (K,), at most 10 in size; a slider's ends move where they were nearer."""
    values = np.clip(values, -heads.IDENTITY_LIMIT, heads.IDENTITY_LIMIT)
    chosen = _of_identity(head)
    reach = np.empty(len(chosen), np.float32)
    blocks = head.data.shape_keys.key_blocks
    blocks.foreach_get("slider_max", reach)
    for index in np.flatnonzero(np.abs(values) > reach[chosen]):
        key = blocks[int(np.flatnonzero(chosen)[index])]
        key.slider_max = abs(float(values[index]))
        key.slider_min = -key.slider_max
    _write(head, chosen, values)


def set_expression(head: bpy.types.Object, values: Floats) -> None:
    """Write the expression keys (52,), 0..1."""
    _write(head, _of_expression(head), np.clip(values, 0.0, 1.0))


def recovered_identity(head: bpy.types.Object) -> Floats:
    """(K,) as the photo gave it."""
    return np.array(head[heads.IDENTITY], np.float64)


def recovered_expression(head: bpy.types.Object) -> Floats | None:
    """(52,) as the photo gave it, None where the method does not estimate it."""
    return np.array(head[heads.EXPRESSION], np.float64) if heads.EXPRESSION in head else None


def neutral(head: bpy.types.Object) -> Floats:
    """(N, 3) the vertices of identity alone, head space mm."""
    blocks = head.data.shape_keys.key_blocks
    base = _positions(blocks[0])
    offsets = [key.value * (_positions(key) - base) for key in heads.identity_keys(head)]
    return heads.from_blender(base + np.sum(offsets, axis=0))


def face(head: bpy.types.Object) -> Face:
    """All coefficients by name."""
    return Face(
        model=str(head.get(heads.BUNDLE_SHA256, "")),
        identity={key.name: key.value for key in heads.identity_keys(head)},
        expression={key.name: key.value for key in heads.expression_keys(head)},
    )


def set_identity_of(head: bpy.types.Object, wanted: Face) -> None:
    """Take over the identity; names that are missing count as nought. Raises Failure: `text_differs`."""
    ours = str(head.get(heads.BUNDLE_SHA256, ""))
    if wanted.model != ours:
        raise Failure("text_differs", theirs=wanted.model[:8] or "?", ours=ours[:8])
    set_identity(head, np.array([wanted.identity.get(key.name, 0.0) for key in heads.identity_keys(head)]))


def set_expression_of(head: bpy.types.Object, wanted: Face) -> None:
    """Take over the expression, whatever model the face was made with; names that are missing count as nought."""
    set_expression(head, np.array([wanted.expression.get(key.name, 0.0) for key in heads.expression_keys(head)]))


def mirror(head: bpy.types.Object) -> None:
    """Swap left and right of identity and expression.

    The identity is the one within the basis that comes nearest to the mirrored head.
    """
    twin = np.empty(len(head.data.vertices), np.int32)
    head.data.attributes[heads.MIRROR].data.foreach_get("value", twin)
    blocks = head.data.shape_keys.key_blocks
    base = _positions(blocks[0])
    columns = np.stack([_positions(key) - base for key in heads.identity_keys(head)])
    flipped = columns[:, twin] * np.array([-1.0, 1.0, 1.0], np.float32)
    flat, turned = (block.reshape(len(columns), -1) for block in (columns, flipped))
    mirrored = np.linalg.lstsq((flat @ flat.T).astype(np.float64), flat @ turned.T @ identity(head), rcond=None)[0]
    set_identity(head, mirrored)
    names = [key.name for key in heads.expression_keys(head)]
    set_expression(head, expression(head)[[names.index(arkit.twin(name)) for name in names]])


def random_identity(head: bpy.types.Object, seed: int, amount: float) -> Floats:
    """(K,) a person as the population has them: normal coefficients from `seed`, times `amount` (1: all of it)."""
    drawn = np.random.default_rng(seed).normal(size=len(heads.identity_keys(head)))
    return np.clip(amount * drawn, -PLAUSIBLE, PLAUSIBLE)


def _values(head: bpy.types.Object) -> Floats:
    blocks = head.data.shape_keys.key_blocks
    values = np.empty(len(blocks), np.float32)
    blocks.foreach_get("value", values)
    return values.astype(np.float64)


def _of_identity(head: bpy.types.Object) -> NDArray[np.bool_]:
    """Which of all shape keys are identity keys."""
    blocks = head.data.shape_keys.key_blocks
    least = np.empty(len(blocks), np.float32)
    blocks.foreach_get("slider_min", least)
    chosen: NDArray[np.bool_] = least < 0.0
    if chosen.sum() != len(head.get(heads.IDENTITY, ())):  # somebody has added keys that go below zero, too
        chosen = np.array([heads.is_identity(key) for key in blocks])
    return chosen


def _of_expression(head: bpy.types.Object) -> NDArray[np.bool_]:
    names = frozenset(arkit.NAMES)
    return np.array([key.name in names for key in head.data.shape_keys.key_blocks])


def _write(head: bpy.types.Object, chosen: NDArray[np.bool_], values: Floats) -> None:
    keys = head.data.shape_keys
    everything = _values(head).astype(np.float32)
    everything[chosen] = values
    keys.key_blocks.foreach_set("value", everything)
    keys.update_tag()


def _positions(key: bpy.types.ShapeKey) -> NDArray[np.float32]:
    positions = np.empty(3 * len(key.points), np.float32)
    key.points.foreach_get("co", positions)
    return positions.reshape(-1, 3)
