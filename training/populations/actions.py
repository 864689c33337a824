"""Facial actions fitted to one identity's head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float32]

# Upper and lower lid points of either eye, iBUG numbers.
_LIDS = {"Left": ((43, 44), (47, 46)), "Right": ((37, 38), (41, 40))}
_MOST = 1.8
# The cornea rises over the sphere by this factor; a closed lid lies this far above it, mm.
_CORNEA = 1.03
_ABOVE_MM = 0.5


def fitted_actions(template: Template, neutral: Floats) -> Floats:
    """The template's actions (52,N,3) mm with blinks that close the eyes of another head, neutral (N,3).

    A blink moves the upper lid by the height of the eye's opening: one made for the template's mean head leaves wide
    eyes open and drives narrow ones' lids through each other. Where the lid would sink into the eyeball it is lifted.
    """
    actions = template.expression.copy()
    names = [str(name) for name in template.expression_names]
    for side, lids in _LIDS.items():
        row = names.index(f"eyeBlink{side}")
        upper, lower = (template.landmarks68[list(points)] for points in lids)
        own = np.linalg.norm(neutral[upper] - neutral[lower], axis=1).mean()
        usual = np.linalg.norm(template.mean[upper] - template.mean[lower], axis=1).mean()
        actions[row] *= np.float32(np.clip(own / usual, 1.0 / _MOST, _MOST))
        eye = template.eye_left if side == "Left" else template.eye_right
        _lift(actions[row], neutral, eye, template.region("skin"))
    return actions


def _lift(action: Floats, neutral: Floats, eye: NDArray[np.int32], skin: NDArray[np.bool_]) -> None:
    """Moves what an action (N,3) brings into an eyeball out of it, in place."""
    # An eyeball's last two vertices are its poles.
    front, back = neutral[eye[-2]], neutral[eye[-1]]
    radius = float(np.linalg.norm(front - back)) / (1.0 + _CORNEA)
    centre = back + (front - back) / (1.0 + _CORNEA)
    ids = np.flatnonzero(skin & (np.linalg.norm(action, axis=1) > 0.3))
    away = neutral[ids] + action[ids] - centre
    distance = np.linalg.norm(away, axis=1)
    missing = np.maximum(_CORNEA * radius + _ABOVE_MM - distance, 0.0)
    action[ids] += away * (missing / np.maximum(distance, 1e-6))[:, None]
