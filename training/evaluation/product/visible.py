"""Which of the 52 actions a picture could show: nobody can tell a jaw's thrust from in front, or a gaze behind lids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = 0.03
"""Of the outer-eye distance: an action that moves no shown point by so much in the picture is not visible."""

_OUTER_EYES = (36, 45)
_LIDS = {"Left": slice(42, 48), "Right": slice(36, 42)}
_SHUT = 0.6
_LIDS_SEEN = 4


class Visibility:
    """Tells for rendered people, by the points that the renderer says are in sight."""

    def __init__(self, head: Mapping[str, NDArray[Any]], names: list[str]) -> None:
        """`head` are the arrays of a bundle's head.npz (or of a template), `names` those of the actions.

        Raises `KeyError` where `head` has no dense points or eyes.
        """
        self._ids = np.concatenate([head["landmarks68"], head["landmarks_dense"]]).astype(np.intp)
        # The middle of an eye's front: where it looks is seen there.
        pupils = [eye[np.argmax(head["mean"][eye, 2])] for eye in (head["eye_left"], head["eye_right"])]
        self._names = names
        self._moves = head["expression"][:, np.concatenate([self._ids, pupils])].astype(np.float64)

    def visible(
        self,
        vertices: NDArray[np.floating],
        expression: NDArray[np.floating],
        rotation: NDArray[np.floating],
        translation: NDArray[np.floating],
        shown: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which actions (52,) are, for a neutral head (N,3) mm with `expression` (52,) under a camera.

        `shown` (P,) tells which of the 68 and then the dense points are in sight. From none of an action to all of it,
        some point in sight has to move by `LEAST` of the outer-eye distance across the line of sight.
        """
        points = vertices[self._ids] + np.einsum("e,epc->pc", expression, self._moves[:, : len(self._ids)])
        placed = points @ rotation.T + translation
        eyes = np.array([self._open(side, expression, shown) for side in ("Left", "Right")])
        sight = np.concatenate([placed, np.repeat(placed.mean(0, keepdims=True), 2, axis=0)])
        sight /= np.linalg.norm(sight, axis=1, keepdims=True)
        moves = self._moves @ rotation.T
        across: Floats = np.linalg.norm(moves - np.einsum("epc,pc->ep", moves, sight)[..., None] * sight, axis=2)
        outer = np.linalg.norm(np.subtract(*(vertices[self._ids[list(_OUTER_EYES)]])))
        seen: NDArray[np.bool_] = (across * np.concatenate([shown, eyes])).max(1) >= LEAST * outer
        return seen

    def _open(self, side: str, expression: NDArray[np.floating], shown: NDArray[np.bool_]) -> bool:
        shut = float(expression[self._names.index(f"eyeBlink{side}")])
        return bool(shown[_LIDS[side]].sum() >= _LIDS_SEEN and shut < _SHUT)
