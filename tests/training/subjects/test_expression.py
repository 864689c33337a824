from __future__ import annotations

import numpy as np

from tests.bundles import ARKIT_NAMES
from training.subjects.expression import draw_expression, posed_vertices


def _draws(count: int = 400) -> list[dict[str, float]]:
    return [draw_expression(np.random.default_rng([1, index])) for index in range(count)]


def test_only_arkit_actions_between_rest_and_full() -> None:
    for expression in _draws():
        assert set(expression) <= set(ARKIT_NAMES)
        assert all(0.0 < strength <= 1.0 for strength in expression.values())


def test_faces_smile_speak_and_rest_in_shares_one_meets() -> None:
    draws = _draws()
    smiling = np.mean([expression.get("mouthSmileLeft", 0.0) > 0.3 for expression in draws])
    opened = np.mean([expression.get("jawOpen", 0.0) > 0.15 for expression in draws])
    shut = np.mean([expression.get("eyeBlinkLeft", 0.0) > 0.9 for expression in draws])
    toothy = np.mean(
        [
            e.get("mouthSmileLeft", 0.0) > 0.5 and e.get("mouthUpperUpLeft", 0.0) + e.get("jawOpen", 0.0) > 0.3
            for e in draws
        ]
    )
    assert 0.3 < smiling < 0.6
    assert 0.2 < opened < 0.5
    assert 0.2 < toothy < 0.4  # portraits show teeth
    assert 0.02 < shut < 0.12


def test_lids_follow_the_gaze_down_and_both_eyes_look_one_way() -> None:
    for expression in _draws():
        assert not {"eyeLookUpLeft", "eyeLookDownLeft"} <= set(expression)
        assert ("eyeLookOutLeft" in expression) == ("eyeLookInRight" in expression)
        if expression.get("eyeLookDownLeft", 0.0) > 0.2:
            assert expression.get("eyeBlinkLeft", 0.0) > 0.08


def test_lips_close_only_over_an_open_jaw() -> None:
    for expression in _draws(2000):
        assert expression.get("jawOpen", 0.0) >= expression.get("mouthClose", 0.0) - 1e-6


def test_posing_adds_offsets() -> None:
    offsets = np.zeros((2, 3, 3), np.float32)
    offsets[1, 2] = [0.0, 4.0, 0.0]
    posed = posed_vertices(np.ones((3, 3), np.float32), offsets, ("jawOpen", "mouthClose"), {"mouthClose": 0.5})
    assert np.allclose(posed[2], [1.0, 3.0, 1.0])
    assert np.allclose(posed[:2], 1.0)
