from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.bundle import Bundle, open_bundle
from likeness import npz
from tests.bundles import write_small_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    pytest.importorskip("onnx")
    return open_bundle(write_small_bundle(tmp_path_factory.mktemp("bundle"), identity=4))


def answer(**more: Any) -> dict[str, Any]:
    return {"method": "joint", "bundle": "default", "identity": [1.0, -2.0, 0.0, 0.5], **more}


def test_identity_alone(bundle: Bundle, tmp_path: Path) -> None:
    npz.write(tmp_path / "head.npz", answer(reflectance=None, seconds={"decode": 0.1}), bundle)
    with np.load(tmp_path / "head.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {
            "neutral", "vertices", "triangles", "identity", "landmarks68", "method", "bundle"
        }  # fmt: skip
        expected = bundle.mean + bundle.identity[0] - 2 * bundle.identity[1] + 0.5 * bundle.identity[3]
        np.testing.assert_allclose(arrays["neutral"], expected, atol=1e-4)
        np.testing.assert_array_equal(arrays["neutral"], arrays["vertices"])
        assert str(arrays["method"]) == "joint"


def test_expression_moves_vertices_but_not_neutral(bundle: Bundle) -> None:
    expression = np.zeros(52)
    expression[7] = 0.25
    arrays = npz.contents(answer(expression=expression.tolist()), bundle)
    np.testing.assert_allclose(arrays["vertices"] - arrays["neutral"], 0.25 * bundle.expression[7], atol=1e-4)


def test_what_is_estimated_has_its_shape(bundle: Bundle) -> None:
    arrays = npz.contents(
        answer(
            reflectance=[0.1, 0.2],
            rotation=np.diag([1.0, -1.0, -1.0]).tolist(),
            translation=[0.0, 0.0, 600.0],
            focal=800.0,
            landmarks68_2d=np.zeros((68, 2)).tolist(),
        ),
        bundle,
    )
    shapes = {
        name: arrays[name].shape for name in ("reflectance", "rotation", "translation", "focal", "landmarks68_2d")
    }
    assert shapes == {
        "reflectance": (2,), "rotation": (3, 3), "translation": (3,), "focal": (), "landmarks68_2d": (68, 2)
    }  # fmt: skip


def test_how_sure_the_head_is_is_in_the_arrays(bundle: Bundle) -> None:
    sigma = np.linspace(0.5, 2.0, len(bundle.mean), dtype=np.float32)
    arrays = npz.contents(answer(personalisation=0.7, sigma_mm_median=1.2), bundle, sigma=sigma)
    np.testing.assert_array_equal(arrays["sigma"], sigma)
    assert arrays["personalisation"] == pytest.approx(0.7)
    assert not {"sigma", "personalisation"} & set(npz.contents(answer(), bundle))
