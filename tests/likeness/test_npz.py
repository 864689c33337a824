from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness import npz

VERTICES, IDENTITY = 90, 4


@dataclass(frozen=True)
class Head:
    mean: NDArray[np.float32]
    identity: NDArray[np.float32]
    expression: NDArray[np.float32]
    triangles: NDArray[np.int32]
    landmarks68: NDArray[np.int32]


@pytest.fixture
def head() -> Head:
    rng = np.random.default_rng(5)
    return Head(
        mean=rng.normal(scale=80, size=(VERTICES, 3)).astype(np.float32),
        identity=rng.normal(size=(IDENTITY, VERTICES, 3)).astype(np.float32),
        expression=rng.normal(size=(52, VERTICES, 3)).astype(np.float32),
        triangles=rng.integers(0, VERTICES, (30, 3)).astype(np.int32),
        landmarks68=np.arange(68, dtype=np.int32),
    )


def answer(**more: Any) -> dict[str, Any]:
    return {"method": "joint", "bundle": "default", "identity": [1.0, -2.0, 0.0, 0.5], **more}


def test_identity_alone(head: Head, tmp_path: Path) -> None:
    npz.write(tmp_path / "head.npz", answer(reflectance=None, seconds={"decode": 0.1}), head)
    with np.load(tmp_path / "head.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {
            "neutral", "vertices", "triangles", "identity", "landmarks68", "method", "bundle"
        }  # fmt: skip
        expected = head.mean + head.identity[0] - 2 * head.identity[1] + 0.5 * head.identity[3]
        np.testing.assert_allclose(arrays["neutral"], expected, atol=1e-4)
        np.testing.assert_array_equal(arrays["neutral"], arrays["vertices"])
        assert str(arrays["method"]) == "joint"


def test_expression_moves_vertices_but_not_neutral(head: Head) -> None:
    expression = np.zeros(52)
    expression[7] = 0.25
    arrays = npz.contents(answer(expression=expression.tolist()), head)
    np.testing.assert_allclose(arrays["vertices"] - arrays["neutral"], 0.25 * head.expression[7], atol=1e-4)


def test_what_is_estimated_has_its_shape(head: Head) -> None:
    arrays = npz.contents(
        answer(
            reflectance=[0.1, 0.2],
            rotation=np.diag([1.0, -1.0, -1.0]).tolist(),
            translation=[0.0, 0.0, 600.0],
            focal=800.0,
            landmarks68_2d=np.zeros((68, 2)).tolist(),
        ),
        head,
    )
    shapes = {
        name: arrays[name].shape for name in ("reflectance", "rotation", "translation", "focal", "landmarks68_2d")
    }
    assert shapes == {
        "reflectance": (2,), "rotation": (3, 3), "translation": (3,), "focal": (), "landmarks68_2d": (68, 2)
    }  # fmt: skip
