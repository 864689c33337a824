"""How sure a reconstruction is of itself, where its method says so: for every vertex, and in words."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle
from .reconstruction import Reconstruction

GROUP = "uncertainty"
COLOURS = "uncertainty_colour"  # attributes and vertex groups share their names
SCORE = "likeness_personalisation"  # custom property of a head
FULL_MM = 4.0
"""An uncertainty of so many millimetres and more has the vertex group's full weight."""

# How far a result lies from the mean head, over how unsure it is: least value -> what that means.
WORDS = (
    (2.0, "Clearly this person: the face differs from the average far more than it is uncertain"),
    (1.0, "Recognisably this person, with details that may be the average's"),
    (0.5, "Partly this person: much of the face may be the average's"),
    (0.0, "Hardly personal: the photo says little beyond the average face"),
)


def personalisation(bundle: Bundle, reconstruction: Reconstruction) -> float | None:
    """Distance of the neutral face from the mean head over its uncertainty, both root mean squares over the face.

    What turning, moving and scaling the mean face explains does not count: no photo tells it, and the uncertainty
    leaves it out. About 1 says that what makes the face this person's own is as large as what it may be wrong by. None
    where the method gives no uncertainty.
    """
    if reconstruction.uncertainty is None:
        return None
    face = bundle.regions[bundle.region_names.index("face")] if "face" in bundle.region_names else slice(None)
    offset = np.tensordot(reconstruction.identity, bundle.identity[:, face], 1).astype(np.float64)
    offset = _without_similarity(offset, bundle.mean[face].astype(np.float64))
    distance = np.sqrt(np.mean(np.sum(offset**2, axis=1)))
    uncertainty = np.sqrt(np.mean(reconstruction.uncertainty[face].astype(np.float64) ** 2))
    return float(distance / max(uncertainty, 1e-6))


def _without_similarity(offset: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offsets (P, 3) less what a turn, a shift and growth of `points` (P, 3) make of them, to first order."""
    centred = points - points.mean(axis=0)
    moves = [np.broadcast_to(axis, centred.shape) for axis in np.eye(3)]
    moves += [np.cross(axis, centred) for axis in np.eye(3)] + [centred]
    basis = np.linalg.qr(np.stack([move.reshape(-1) for move in moves], axis=1))[0]
    flat = offset.reshape(-1)
    return (flat - basis @ (basis.T @ flat)).reshape(-1, 3)


def words(score: float) -> str:
    """A sentence for a score of `personalisation`."""
    return next(text for least, text in WORDS if score >= least)


def add(head: bpy.types.Object, bundle: Bundle, reconstruction: Reconstruction) -> None:
    """Write uncertainty and score of `reconstruction`, which has an uncertainty, onto its head.

    The vertex group runs from 0 to 1 at `FULL_MM`; the colour attribute from blue (sure) to red (unsure).
    """
    assert reconstruction.uncertainty is not None
    share = np.clip(reconstruction.uncertainty / FULL_MM, 0.0, 1.0)
    group = head.vertex_groups.new(name=GROUP)
    steps = np.rint(share * 255.0).astype(int)  # a call for each step is quicker than one for each vertex
    for step in np.unique(steps):
        group.add(np.flatnonzero(steps == step).tolist(), float(step) / 255.0, "REPLACE")
    attribute = head.data.color_attributes.new(COLOURS, "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", _colours(share).ravel())
    score = personalisation(bundle, reconstruction)
    assert score is not None
    head[SCORE] = score


def _colours(share: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N, 4) from blue over white to red."""
    blue, white, red = np.array([0.05, 0.2, 0.8]), np.ones(3), np.array([0.8, 0.05, 0.03])
    low = blue + (white - blue) * np.clip(2.0 * share, 0.0, 1.0)[:, None]
    colours = np.ones((len(share), 4), np.float32)
    colours[:, :3] = low + (red - white) * np.clip(2.0 * share - 1.0, 0.0, 1.0)[:, None]
    return colours
