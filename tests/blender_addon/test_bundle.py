from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from blender_addon import bundle as bundles
from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from tests.bundles import ARKIT_NAMES

SHIPPED = Path(__file__).resolve().parents[2] / "backend" / "bundles" / "default"


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path / "copy"))


def code_of(folder: Path) -> str:
    with pytest.raises(Failure) as caught:
        bundles.load(folder)
    assert str(caught.value).endswith("."), "a sentence for the user"
    return caught.value.code


def test_a_bundle_holds_consistent_arrays(bundle: Bundle) -> None:
    assert bundle.identity.shape == (len(bundle.identity_names), *bundle.mean.shape)
    assert bundle.uv.shape == (*bundle.quads.shape, 2)
    assert bundle.quads.max() == len(bundle.mean) - 1


def test_an_unchanged_bundle_is_read_once(bundle_folder: Path) -> None:
    assert bundles.load(bundle_folder) is bundles.load(bundle_folder)


def test_a_folder_without_a_bundle(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "bundle_missing"


@pytest.mark.parametrize("name", ["head.npz", "regressor.onnx"])
def test_a_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert code_of(copy) == "bundle_missing"


@pytest.mark.parametrize("name", ["head.npz", "regressor.onnx"])
def test_a_file_that_is_not_the_one_described(copy: Path, name: str) -> None:
    bundles.load(copy)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    assert code_of(copy) == "bundle_damaged"


def test_a_description_that_is_not_json(copy: Path) -> None:
    (copy / "bundle.json").write_text("{")
    assert code_of(copy) == "bundle_damaged"


@pytest.mark.parametrize(("field", "value"), [("vertices", 5), ("identity_names", ["a"]), ("material_names", [])])
def test_a_description_that_does_not_fit_the_arrays(copy: Path, field: str, value: object) -> None:
    description = json.loads((copy / "bundle.json").read_text())
    (copy / "bundle.json").write_text(json.dumps(description | {field: value}))
    assert code_of(copy) == "bundle_damaged"


def test_a_bundle_of_the_future(copy: Path) -> None:
    description = json.loads((copy / "bundle.json").read_text())
    (copy / "bundle.json").write_text(json.dumps(description | {"schema": 99}))
    assert code_of(copy) == "bundle_schema"


def test_albedo_is_a_colour(bundle: Bundle) -> None:
    assert np.array_equal(bundle.albedo(None), np.clip(bundle.reflectance_mean, 0, 1))
    albedo = bundle.albedo(np.full(len(bundle.reflectance), 50, np.float32))
    assert albedo.min() >= 0 and albedo.max() <= 1


def test_the_bundle_that_ships_has_apples_expressions_and_each_moves_the_face() -> None:
    shipped = bundles.load(SHIPPED)
    assert shipped.expression_names == ARKIT_NAMES
    reach = np.linalg.norm(shipped.expression, axis=2).max(axis=1)
    assert reach.min() > 1.0, f"mm: {dict(zip(shipped.expression_names, reach, strict=True))}"
    if shipped.slider_names:
        assert len(set(shipped.slider_names)) >= 24
