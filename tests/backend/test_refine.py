from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.observation import Observation, PointModel, Priors
from backend.pose import Camera, rotation_from_vector
from backend.refine import _Fit, _State, refine
from tests.bundles import small_head

SIZE = (800, 600)
ERROR, SPREAD = 0.6, 0.15  # of the network's identity and expression
FOCAL = 900.0


@pytest.fixture(scope="module")
def model() -> PointModel:
    head = small_head(identity=12, reflectance=0)
    ids = np.concatenate([head["landmarks68"], head["landmarks_dense"][::3]])
    columns = np.concatenate([head["identity"][:, ids], head["expression"][:, ids]])
    return PointModel(head["mean"][ids].astype(float), np.ascontiguousarray(columns.transpose(1, 2, 0)), 12)


def priors(correlation: float = 1.0) -> Priors:
    return Priors.of(np.full(12, ERROR), np.full(52, SPREAD), correlation)


def photos(
    model: PointModel, seed: int, count: int = 1, noise: float = 1.0
) -> tuple[np.ndarray, np.ndarray, list[Camera], list[Observation]]:
    """The true identity (12,), expressions (V, 52) and cameras, and what a network that errs says."""
    rng = np.random.default_rng(seed)
    identity, expressions, cameras, views = rng.normal(size=12), [], [], []
    for _ in range(count):
        expression = np.clip(rng.normal(0, 0.3, 52), 0, 1)
        turn = rotation_from_vector(rng.uniform(-0.5, 0.5, 3) * [0.5, 1, 0.3]) @ np.diag([1.0, -1.0, -1.0])
        camera = Camera(turn, np.array([20.0, -10.0, rng.uniform(400, 800)]), FOCAL)
        placed = model.points(identity, expression) @ turn.T + camera.translation
        seen = FOCAL * placed[:, :2] / placed[:, 2:] + np.array(SIZE) / 2
        views.append(
            Observation(
                places=seen + rng.normal(scale=noise, size=seen.shape) if noise else seen,
                sigma=np.full(len(seen), noise or 0.1),
                identity=identity + rng.normal(scale=ERROR, size=12),
                expression=np.clip(expression + rng.normal(scale=SPREAD, size=52), 0, 1),
                size=SIZE,
                focal=1000.0,
                spread=0.3,
            )
        )
        expressions.append(expression)
        cameras.append(camera)
    return identity, np.array(expressions), cameras, views


def off(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.asarray(one) - other) ** 2)))


def test_the_jacobian_is_the_projections_derivative(model: PointModel) -> None:
    identity, expressions, cameras, views = photos(model, 0)
    fit = _Fit(model, views, priors(), identity, expressions)
    scale = np.linspace(0.5, 2.0, len(model.mean))
    jacobian, _ = fit.jacobian(_State(identity, expressions, tuple(cameras)), 0, scale)
    assert jacobian.shape == (2 * len(model.mean), 12 + 52 + 7)

    def projected(change: np.ndarray) -> np.ndarray:
        moved = (cameras[0].moved(change[-7:]),)
        state = _State(identity + change[:12], expressions + change[12:-7], moved)
        return (fit.jacobian(state, 0, scale)[1] * scale[:, None]).ravel()

    for column in range(jacobian.shape[1]):
        change = np.zeros(jacobian.shape[1])
        change[column] = 1e-4 if column >= len(change) - 7 else 1e-2  # coefficients are rounded to float32
        slope = (projected(change) - projected(-change)) / (2 * change[column])
        np.testing.assert_allclose(jacobian[:, column], slope, atol=2e-2, rtol=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_what_the_points_show_is_found(model: PointModel, seed: int) -> None:
    identity, expressions, cameras, views = photos(model, seed, noise=0.0)
    found = refine(model, views, priors(), steps=20)
    pose = found.poses[0]
    assert pose is not None
    assert off(found.identity, identity) < 0.5 * off(views[0].identity, identity)
    assert off(found.expressions, expressions) < off(views[0].expression, expressions)
    assert pose.error < 0.3
    assert abs(np.log(pose.focal / FOCAL)) < abs(np.log(views[0].focal / FOCAL))
    np.testing.assert_allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(pose.rotation, cameras[0].rotation, atol=0.03)


def test_expressions_stay_in_their_box(model: PointModel) -> None:
    for seed in range(5):
        _, expressions, _, views = photos(model, seed)
        found = refine(model, views, priors())
        assert found.expressions.min() >= 0 and found.expressions.max() <= 1
        absent = expressions[0] == 0
        assert np.count_nonzero(found.expressions[0, absent] < 1e-6) > 0.3 * np.count_nonzero(absent)


def test_several_photos_tell_more_than_one(model: PointModel) -> None:
    one, several = [], []
    for seed in range(4):
        identity, _, _, views = photos(model, seed, count=4, noise=2.0)
        alone, together = refine(model, views[:1], priors(4.0)), refine(model, views, priors(4.0))
        assert together.expressions.shape == (4, 52) and len(together.poses) == 4
        assert np.trace(together.covariance) < np.trace(alone.covariance) < 12 * ERROR**2
        np.testing.assert_allclose(together.alone[0], alone.covariance, rtol=0.4, atol=0.05)
        one.append(off(alone.identity, identity))
        several.append(off(together.identity, identity))
    assert np.mean(several) < 0.8 * np.mean(one)


def test_a_surer_photo_counts_more_in_what_the_fit_starts_from(model: PointModel) -> None:
    _, _, _, views = photos(model, 0, count=2)
    views = [replace(views[0], weight=3.0), views[1]]
    found = refine(model, views, priors(), steps=0)
    np.testing.assert_allclose(found.identity, (3 * views[0].identity + views[1].identity) / 4)


def test_a_tenth_of_the_points_elsewhere_does_little(model: PointModel) -> None:
    rng = np.random.default_rng(7)
    for seed in range(3):
        identity, _, _, views = photos(model, seed)
        places = views[0].places.copy()
        lost = rng.random(len(places)) < 0.1
        places[lost] += rng.choice([-1, 1], (np.count_nonzero(lost), 2)) * rng.uniform(20, 80, (lost.sum(), 2))
        good = refine(model, views, priors(4.0))
        spoiled = refine(model, [replace(views[0], places=places)], priors(4.0))
        assert off(spoiled.identity, identity) < off(good.identity, identity) + 0.15
        assert off(spoiled.identity, identity) < off(views[0].identity, identity)


@pytest.mark.parametrize("error", [None, np.zeros((12, 12)), np.zeros(12)])
def test_identity_can_be_held(model: PointModel, error: np.ndarray | None) -> None:
    _, _, _, views = photos(model, 1, count=2, noise=0.0)
    views = [replace(view, identity=np.zeros(12)) for view in views]
    found = refine(model, views, Priors.of(error, np.full(52, SPREAD)))
    assert found.steps > 0
    assert not found.identity.any() and not found.covariance.any()


def test_held_identity_still_finds_expression_and_pose(model: PointModel) -> None:
    before, after = [], []
    for seed in range(4):
        identity, expressions, _, views = photos(model, seed)
        found = refine(model, [replace(views[0], identity=identity)], Priors.of(None, np.full(52, SPREAD)))
        np.testing.assert_array_equal(found.identity, identity)
        before.append(off(views[0].expression, expressions))
        after.append(off(found.expressions, expressions))
    assert np.mean(after) < 0.9 * np.mean(before)


def test_a_face_that_differs_from_the_networks_does_not_mislead_the_focal_length(model: PointModel) -> None:
    for seed in range(6):
        _, _, _, views = photos(model, seed)
        pose = refine(model, views, priors()).poses[0]
        assert pose is not None and abs(np.log(pose.focal / FOCAL)) < 0.25


@pytest.mark.parametrize("name", ["places", "sigma", "expression", "scattered", "no sigma"])
def test_what_cannot_be_used_leaves_the_start_as_it_is(model: PointModel, name: str) -> None:
    _, _, _, views = photos(model, 3)
    view = views[0]
    if name == "scattered":
        view = replace(view, places=np.zeros_like(view.places))
    elif name == "no sigma":
        view = replace(view, sigma=np.zeros_like(view.sigma))
    else:
        spoiled = getattr(view, name).copy()
        spoiled[3] = np.nan
        view = replace(view, **{name: spoiled})
    found = refine(model, [view], priors())
    assert found.steps == 0
    np.testing.assert_array_equal(found.identity, view.identity)
    np.testing.assert_array_equal(found.expressions[0], view.expression)
    np.testing.assert_allclose(found.covariance, ERROR**2 * np.eye(12), atol=1e-9)


def test_a_photo_that_cannot_be_used_does_not_spoil_the_others(model: PointModel) -> None:
    _, _, _, views = photos(model, 4, count=2)
    broken = replace(views[0], places=np.full_like(views[0].places, np.nan))
    found = refine(model, [broken, views[1]], priors())
    assert found.poses[0] is None and found.poses[1] is not None
    np.testing.assert_array_equal(found.expressions[0], broken.expression)
    assert found.steps > 0 and np.isfinite(found.identity).all()
    assert np.trace(found.alone[1]) < np.trace(found.alone[0])


def test_correlated_points_move_the_head_less(model: PointModel) -> None:
    _, _, _, views = photos(model, 5)
    moves = [off(refine(model, views, priors(c)).identity, views[0].identity) for c in (1.0, 30.0, 1e6)]
    assert moves[0] > moves[1] > moves[2]
    assert moves[2] < 0.05


def test_photos_of_one_person_are_pooled_by_how_they_agree() -> None:
    """On people whose photos tell what they do, less error than their mean has: the best linear estimate."""
    rng = np.random.default_rng(5)
    people, each = rng.normal(size=(4000, 2)), np.array([0.0, 0.5])
    # What is said is a part of what is there and an error, as far as the photo's own as `each` leaves.
    seen = 0.6 * people[:, None] + np.sqrt(0.24) * (
        np.sqrt(1 - each) * rng.normal(size=(4000, 4, 2)) + np.sqrt(each) * rng.normal(size=(4000, 1, 2))
    )
    agreement = (0.36 + 0.24 * each) / 0.6
    told, knowing = (Priors.of(None, np.ones(52), agreement=known) for known in (None, agreement))
    mean = np.array([told.pooled(views, [1, 1, 1, 1]) for views in seen])
    pooled = np.array([knowing.pooled(views, [1, 1, 1, 1]) for views in seen])
    assert ((pooled - people) ** 2).mean() < 0.97 * ((mean - people) ** 2).mean()
    np.testing.assert_allclose(knowing.pooled(seen[0][:1], [3.0]), seen[0, 0])
    apart = knowing.pooled(seen[0][:2], [1.0, 1e-9])
    np.testing.assert_allclose(apart, seen[0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("error", "spread", "correlation"),
    [
        (-np.eye(12), np.ones(52), 1.0),
        (np.triu(np.ones((12, 12))), np.ones(52), 1.0),
        (np.full((12, 12), np.nan), np.ones(52), 1.0),
        (np.eye(12), -np.ones(52), 1.0),
        (np.eye(12), np.ones(52), 0.5),
        (np.eye(12), np.ones(52), np.nan),
    ],
)
def test_priors_that_make_no_sense_are_refused(error: np.ndarray, spread: np.ndarray, correlation: float) -> None:
    with pytest.raises(ValueError, match=r"correlation|covariance|deviations"):
        Priors.of(error, spread, correlation)


@pytest.mark.parametrize("agreement", [0.0, 1.2, np.nan])
def test_an_agreement_that_makes_no_sense_is_refused(agreement: float) -> None:
    with pytest.raises(ValueError, match="agreement"):
        Priors.of(None, np.ones(52), agreement=np.full(12, agreement))
