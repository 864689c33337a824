from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.bundle import Bundle, open_bundle
from backend.failures import Failure
from backend.uncertainty import Uncertainty
from tests.bundles import write_small_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(write_small_bundle(tmp_path_factory.mktemp("bundle"), expression=True, refine=True))


def changed(bundle: Bundle, arrays: dict[str, Any] | None = None, **refine: Any) -> Bundle:
    """With other entries in `refine` and other arrays; None takes one away."""
    entry = {**bundle.description["refine"], **refine}
    entry = {name: value for name, value in entry.items() if value is not None}
    new = {name: value for name, value in {**bundle.arrays, **(arrays or {})}.items() if value is not None}
    return replace(bundle, description={**bundle.description, "refine": entry}, arrays=new)


def test_a_bundle_that_says_nothing_has_none(bundle_folder: Path) -> None:
    assert Uncertainty.of(open_bundle(bundle_folder)) is None


def test_what_the_bundle_says_is_read(bundle: Bundle) -> None:
    found = Uncertainty.of(bundle)
    assert found is not None
    assert found.priors.correlation == 8.0 and found.sigma_scale == 1.0
    assert found.priors.identity_precision is not None
    np.testing.assert_allclose(found.priors.identity_precision, 4 * np.eye(6), atol=1e-6)
    np.testing.assert_allclose(found.priors.expression_sd, 0.1)


def test_identity_is_held_where_the_bundle_says_so(bundle: Bundle) -> None:
    for arrays in ({}, {"identity_error": None}):
        found = Uncertainty.of(changed(bundle, arrays, identity="held"))
        assert found is not None and found.priors.identity_precision is None


@pytest.mark.parametrize(
    "refine",
    [
        {"correlation": 0.5},
        {"correlation": "8"},
        {"correlation": True},
        {"correlation": None},
        {"expression_sd": [0.1] * 51},
        {"expression_sd": [-0.1] * 52},
        {"expression_sd": [math.nan] * 52},
        {"expression_sd": None},
        {"identity": "loose"},
        {"identity": None},
        {"sigma_scale": 0.0},
        {"sigma_scale": math.inf},
        {"uncertainty": [1.0]},
        {"uncertainty": ["a", "b"]},
    ],
)
def test_nonsense_is_a_damaged_bundle(bundle: Bundle, refine: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"bundle\.json") as raised:
        Uncertainty.of(changed(bundle, **refine))
    assert raised.value.code == "bundle_damaged"


@pytest.mark.parametrize(
    "arrays",
    [
        {"identity_error": None},
        {"identity_error": np.eye(5)},
        {"identity_error": np.zeros((6, 6))},
        {"identity_error": -np.eye(6)},
        {"identity_error": np.full((6, 6), np.nan)},
        {"identity_agreement": np.ones(5)},
        {"identity_agreement": np.zeros(6)},
        {"vertex_sigma": np.ones(7)},
        {"vertex_sigma": np.float32("nan")},
    ],
)
def test_arrays_that_make_no_sense_are_a_damaged_bundle(bundle: Bundle, arrays: dict[str, Any]) -> None:
    with pytest.raises(Failure) as raised:
        Uncertainty.of(changed(bundle, arrays))
    assert raised.value.code == "bundle_damaged"


def test_vertices_are_the_less_sure_the_less_sure_the_points_are(bundle: Bundle) -> None:
    found = Uncertainty.of(bundle)
    assert found is not None
    sharp, blurred = found.sigma(0.01), found.sigma(0.04)
    assert sharp is not None and blurred is not None
    np.testing.assert_allclose(sharp, 1.5 * math.exp(1.2) * 0.01**0.3, rtol=1e-5)
    np.testing.assert_allclose(blurred / sharp, 4**0.3, rtol=1e-5)
    np.testing.assert_allclose(found.sigma(0.01, 0.5), sharp / 2, rtol=1e-5)
    assert found.sigma(None) is None


@pytest.mark.parametrize("change", [{"arrays": {"vertex_sigma": None}}, {"uncertainty": None}])
def test_a_bundle_without_lengths_tells_none(bundle: Bundle, change: dict[str, Any]) -> None:
    found = Uncertainty.of(changed(bundle, **change))
    assert found is not None
    assert found.sigma(0.01) is None
    assert found.personalisation(None) is None


def test_personalisation_is_the_share_of_the_variance_that_is_known(bundle: Bundle) -> None:
    found = Uncertainty.of(bundle)
    assert found is not None and found.face is not None
    # Columns without what turning, moving and scaling the face explains: no photo tells that, and sigma leaves it out.
    points = bundle.mean[found.face].astype(float)
    x, y, z = (points - points.mean(0)).T
    nil, one = np.zeros_like(x), np.ones_like(x)
    turns = [(nil, -z, y), (z, nil, -x), (-y, x, nil)]
    moves = [*turns, (one, nil, nil), (nil, one, nil), (nil, nil, one), (x, y, z)]
    matrix = np.stack([np.stack(move, 1).ravel() for move in moves], 1)
    columns = bundle.identity[:, found.face].reshape(len(bundle.identity), -1).astype(float).T
    left = (columns - matrix @ np.linalg.lstsq(matrix, columns, rcond=None)[0]).reshape(-1, 3, columns.shape[1])
    deviation = np.zeros(len(bundle.mean))
    deviation[found.face] = np.sqrt((left**2).sum((1, 2)))
    assert found.personalisation(0.5 * deviation) == pytest.approx(0.75)
    assert found.personalisation(np.zeros_like(deviation)) == 1.0
    assert found.personalisation(3 * deviation) == 0.0


def test_narrowing_is_told_by_the_face(bundle: Bundle) -> None:
    found = Uncertainty.of(bundle)
    assert found is not None
    assert found.narrowing(np.eye(6) / 4, np.eye(6)) == pytest.approx(0.5)
    assert found.narrowing(np.zeros((6, 6)), np.zeros((6, 6))) == 1.0
