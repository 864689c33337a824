from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.bundle import open_bundle
from backend.failures import Failure
from tests.bundles import write_description, write_small_bundle


@pytest.fixture
def folder(bundle_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small bundle that a test may spoil."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


def describe(folder: Path, **changes: Any) -> None:
    """Change `bundle.json`, its hashes made right again."""
    description = json.loads((folder / "bundle.json").read_text())
    write_description(folder, {**description, **changes})


def rewrite_head(folder: Path, **changes: np.ndarray | None) -> None:
    with np.load(folder / "head.npz") as archive:
        arrays = {**dict(archive), **changes}
    np.savez(folder / "head.npz", **{name: value for name, value in arrays.items() if value is not None})
    describe(folder)


def code_of(folder: Path) -> str:
    with pytest.raises(Failure) as raised:
        open_bundle(folder)
    assert str(raised.value).endswith(".")
    return raised.value.code


def test_a_bundle_opens_with_what_its_files_hold(bundle_folder: Path) -> None:
    bundle = open_bundle(bundle_folder)
    assert bundle.name == "small"
    assert bundle.method == "joint"
    assert bundle.identity.shape == (6, len(bundle.mean), 3)
    assert bundle.size == 64
    assert bundle.crop_scale == 1.45
    assert bundle.sha256 == bundle.description["files"]["head.npz"]


def test_vertices_are_mean_and_columns(bundle_folder: Path) -> None:
    bundle = open_bundle(bundle_folder)
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=6), rng.uniform(size=52)
    by_hand = bundle.mean.astype(float)
    by_hand = by_hand + sum(c * column for c, column in zip(identity, bundle.identity, strict=True))
    assert np.allclose(bundle.vertices(identity), by_hand, atol=1e-3)
    by_hand = by_hand + sum(c * column for c, column in zip(expression, bundle.expression, strict=True))
    assert np.allclose(bundle.vertices(identity, expression), by_hand, atol=1e-3)
    assert np.allclose(bundle.landmarks(identity, expression), by_hand[bundle.landmarks68], atol=1e-3)


def test_the_environment_chooses_the_folder(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_BUNDLE", str(bundle_folder))
    assert open_bundle().folder == bundle_folder


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="nowhere") as raised:
        open_bundle(tmp_path / "nowhere")
    assert raised.value.code == "bundle_missing"


@pytest.mark.parametrize("name", ["bundle.json", "head.npz", "regressor.onnx", "MODEL_CARD.md"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(Failure, match=name) as raised:
        open_bundle(folder)
    assert raised.value.code == "bundle_missing"


@pytest.mark.parametrize("name", ["head.npz", "regressor.onnx", "MODEL_CARD.md"])
def test_a_file_with_another_hash_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(Failure, match=f"{name}.*sha256") as raised:
        open_bundle(folder)
    assert raised.value.code == "bundle_damaged"


def test_another_schema_is_refused_with_both_versions(folder: Path) -> None:
    describe(folder, schema=7)
    with pytest.raises(Failure, match=r"format 7 .* reads 1") as raised:
        open_bundle(folder)
    assert raised.value.code == "bundle_schema"


@pytest.mark.parametrize("text", ["", "[]", "{", '"a"', "\ufeff{}"])
def test_a_description_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "bundle.json").write_text(text, encoding="utf-8")
    assert code_of(folder) in ("bundle_damaged", "bundle_schema")


@pytest.mark.parametrize("key", ["files", "regressor", "vertices", "identity", "reflectance", "name", "method"])
def test_a_description_without_an_entry_is_refused(folder: Path, key: str) -> None:
    description = json.loads((folder / "bundle.json").read_text())
    del description[key]
    (folder / "bundle.json").write_text(json.dumps(description))
    assert code_of(folder) == "bundle_damaged"


@pytest.mark.parametrize("sizes", [{"identity": 7}, {"vertices": 3}, {"expression": 51}, {"reflectance": 1}])
def test_sizes_that_do_not_fit_the_arrays_are_refused(folder: Path, sizes: dict[str, int]) -> None:
    describe(folder, **sizes)
    assert code_of(folder) == "bundle_damaged"


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": None},
        {"landmarks68": np.full(68, 10**6)},
        {"triangles": np.full((4, 3), -1)},
        {"mean": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_arrays_that_cannot_be_used_are_refused(folder: Path, changes: dict[str, np.ndarray | None]) -> None:
    rewrite_head(folder, **changes)
    assert code_of(folder) == "bundle_damaged"


def test_numbers_that_are_not_finite_are_refused(folder: Path) -> None:
    with np.load(folder / "head.npz") as archive:
        mean = archive["mean"]
    mean[3, 1] = np.nan
    rewrite_head(folder, mean=mean)
    assert code_of(folder) == "bundle_damaged"


def test_a_head_that_is_no_archive_is_refused(folder: Path) -> None:
    (folder / "head.npz").write_bytes(b"PK but no archive")
    describe(folder)
    assert code_of(folder) == "bundle_damaged"


def test_a_file_outside_the_folder_is_never_read(folder: Path) -> None:
    description = json.loads((folder / "bundle.json").read_text())
    description["files"]["../secret"] = "0" * 64
    (folder / "bundle.json").write_text(json.dumps(description))
    assert code_of(folder) == "bundle_damaged"


def test_the_same_arguments_give_the_same_small_bundle(tmp_path: Path) -> None:
    first, second = (open_bundle(write_small_bundle(tmp_path / name, size=32)) for name in "ab")
    assert np.array_equal(first.identity, second.identity)
    assert np.array_equal(first.mean, second.mean)
