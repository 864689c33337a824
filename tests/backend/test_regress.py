from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.bundle import open_bundle
from backend.failures import Failure
from backend.regress import Regressor
from tests.bundles import write_small_bundle


def pixels(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def test_every_output_that_the_network_has_is_estimated(tmp_path: Path) -> None:
    regressor = Regressor.open(open_bundle(write_small_bundle(tmp_path, expression=True)))
    estimate = regressor.run(pixels(64))
    assert estimate.identity.shape == (6,)
    assert estimate.reflectance is not None and estimate.reflectance.shape == (3,)
    assert estimate.expression is not None and estimate.expression.shape == (52,)
    assert estimate.landmarks is not None and estimate.landmarks.shape == (68, 2)
    assert regressor.has_landmarks
    assert regressor.provider.endswith("ExecutionProvider")


def test_what_the_network_does_not_estimate_is_absent(tmp_path: Path) -> None:
    regressor = Regressor.open(open_bundle(write_small_bundle(tmp_path, reflectance=0, landmarks=False)))
    estimate = regressor.run(pixels(64))
    assert estimate.reflectance is estimate.expression is estimate.landmarks is None
    assert not regressor.has_landmarks


def test_the_estimate_depends_on_the_picture(bundle_folder: Path) -> None:
    regressor = Regressor.open(open_bundle(bundle_folder))
    one, other = regressor.run(pixels(64)), regressor.run(pixels(64) // 3)
    assert np.abs(one.identity - other.identity).max() > 0.01


def test_a_network_that_is_none_is_a_damaged_bundle(bundle_folder: Path) -> None:
    with pytest.raises(Failure, match=r"regressor\.onnx") as raised:
        Regressor.open(replace(open_bundle(bundle_folder), regressor=b"no network"))
    assert raised.value.code == "bundle_damaged"


def test_a_network_of_another_size_is_a_damaged_bundle(bundle_folder: Path) -> None:
    with pytest.raises(Failure, match=r"64 pixels where bundle\.json says 128") as raised:
        Regressor.open(replace(open_bundle(bundle_folder), size=128))
    assert raised.value.code == "bundle_damaged"


def test_a_network_that_fails_says_so(bundle_folder: Path) -> None:
    regressor = Regressor.open(open_bundle(bundle_folder))
    with pytest.raises(Failure) as raised:
        regressor.run(pixels(32))
    assert raised.value.code == "regressor_failed"


def test_a_network_of_other_coefficients_is_found_out(bundle_folder: Path) -> None:
    bundle = open_bundle(bundle_folder)
    regressor = Regressor.open(replace(bundle, identity=bundle.identity[:4]))
    with pytest.raises(Failure) as raised:
        regressor.run(pixels(64))
    assert raised.value.code == "regressor_failed"


def test_dense_points_come_with_their_sigmas(tmp_path: Path) -> None:
    bundle = open_bundle(write_small_bundle(tmp_path, expression=True, refine=True))
    estimate = Regressor.open(bundle).run(pixels(64))
    count = len(bundle.arrays["landmarks_dense"])
    assert estimate.dense is not None and estimate.dense.shape == (count, 2)
    assert estimate.sigma is not None and estimate.sigma.shape == (68 + count,)
    assert estimate.distance is not None and estimate.distance.shape == ()


def test_a_network_without_them_tells_none(bundle_folder: Path) -> None:
    estimate = Regressor.open(open_bundle(bundle_folder)).run(pixels(64))
    assert estimate.dense is estimate.sigma is estimate.distance is None
