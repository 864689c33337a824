from __future__ import annotations

import numpy as np
import pytest

from backend.alignment import REACH_MM, landmark_shift


def test_a_landmark_gets_its_own_offset_and_far_points_none() -> None:
    places = np.array([[0.0, 0.0, 0.0], [60.0, 0.0, 0.0], [0.0, 60.0, 0.0]])
    offsets = np.array([[5.0, 0.0], [5.0, 1.0], [5.0, -1.0]])
    assert landmark_shift(places, places, offsets) == pytest.approx(offsets, abs=0.8)
    far = np.array([[0.0, 0.0, -10 * REACH_MM]])
    assert landmark_shift(far, places, offsets) == pytest.approx(np.zeros((1, 2)), abs=1e-3)


def test_between_landmarks_the_offset_goes_over_smoothly() -> None:
    places = np.array([[0.0, 0.0, 0.0], [40.0, 0.0, 0.0]])
    line = np.stack([np.linspace(0, 40, 41), np.zeros(41), np.zeros(41)], 1)
    found = landmark_shift(line, places, np.array([[2.0], [-2.0]]))[:, 0]
    assert (np.diff(found) < 0).all() and abs(found[20]) < 1e-6
    assert np.abs(np.diff(found)).max() < 0.3
