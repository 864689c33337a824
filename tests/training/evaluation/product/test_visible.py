from __future__ import annotations

import numpy as np

from training.evaluation.product.visible import Visibility

ACTIONS = ["eyeBlinkLeft", "eyeBlinkRight", "eyeLookInLeft", "jawForward", "jawLeft"]


def _head() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 1, (90, 3)).astype(np.float32)
    mean[36], mean[45] = (-45, 0, 0), (45, 0, 0)
    mean[75], mean[85] = (30, 0, 10), (-30, 0, 10)
    moves = np.zeros((5, 90, 3), np.float32)
    moves[2, 75] = (6, 0, 0)
    moves[3, 8] = (0, 0, 9)
    moves[4, 8] = (9, 0, 0)
    return {
        "mean": mean, "expression": moves, "landmarks68": np.arange(68), "landmarks_dense": np.arange(68, 74),
        "eye_left": np.arange(74, 80), "eye_right": np.arange(80, 86),
    }  # fmt: skip


def _visible(yaw: float, shown: np.ndarray | None = None, **acted: float) -> dict[str, bool]:
    head, turn = _head(), np.radians(yaw)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    expression = np.array([acted.get(name, 0.0) for name in ACTIONS])
    shown = np.ones(74, bool) if shown is None else shown
    seen = Visibility(head, ACTIONS).visible(head["mean"], expression, rotation, np.array([0, 0, 900.0]), shown)
    return dict(zip(ACTIONS, seen.tolist(), strict=True))


def test_what_moves_along_the_line_of_sight_is_not_visible() -> None:
    assert not _visible(0.0)["jawForward"] and _visible(0.0)["jawLeft"]
    assert _visible(80.0)["jawForward"] and not _visible(88.0)["jawLeft"]


def test_what_is_hidden_is_not_visible() -> None:
    shown = np.ones(74, bool)
    shown[8] = False
    assert not _visible(0.0, shown)["jawLeft"]


def test_a_gaze_is_visible_between_open_lids_in_sight() -> None:
    assert _visible(0.0)["eyeLookInLeft"]
    assert _visible(0.0, eyeBlinkRight=1.0)["eyeLookInLeft"]
    assert not _visible(0.0, eyeBlinkLeft=0.9)["eyeLookInLeft"]
    shown = np.ones(74, bool)
    shown[42:45] = False
    assert not _visible(0.0, shown)["eyeLookInLeft"]
