"""Facial actions fitted to one identity's head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float32]

# Upper and lower lid points of either eye, iBUG numbers.
_LIDS = {"Left": ((43, 44), (47, 46)), "Right": ((37, 38), (41, 40))}
_MOST = 1.8


def fitted_actions(template: Template, neutral: Floats) -> Floats:
    """The template's actions (52,N,3) mm with blinks that close the eyes of another head, neutral (N,3).

    A blink moves the upper lid by the height of the eye's opening: one made for the template's mean head leaves wide
    eyes open and drives narrow ones' lids through each other.
    """
    actions = template.expression.copy()
    names = [str(name) for name in template.expression_names]
    for side, lids in _LIDS.items():
        upper, lower = (template.landmarks68[list(points)] for points in lids)
        own = np.linalg.norm(neutral[upper] - neutral[lower], axis=1).mean()
        usual = np.linalg.norm(template.mean[upper] - template.mean[lower], axis=1).mean()
        actions[names.index(f"eyeBlink{side}")] *= np.float32(np.clip(own / usual, 1.0 / _MOST, _MOST))
    return actions
