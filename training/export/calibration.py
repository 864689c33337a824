"""How far a network's answers are off, measured on faces that it never saw: what the product's fit has to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.dataset import FaceSet
from training.evaluation.alignment import aligned
from training.evaluation.regressor import Bundle, estimate, load_bundle, localiser_crops

if TYPE_CHECKING:
    from backend.refine import Refined

Floats = NDArray[np.float64]

CORRELATIONS = (3.0, 10.0, 30.0, 100.0, 300.0)
# Points that count so little move a camera, and neither expression nor identity.
_UNMOVED = 1e6
WITHIN = 0.68
_FITTED = 150
_LEAST_ACTION = 0.01
# Heads are off in proportion to landmarks at most; a steeper line is the noise of few faces.
_STEEPEST = 1.0
_NEIGHBOURS = 5
_LEAST_AGREEMENT = 0.2
_SEED = 21


@dataclass(frozen=True)
class Calibration:
    """What bundle.json and head.npz say of a network's errors.

    identity_error (K,K) covariance of identity's, in standard deviations; expression_sd (52,) of the actions;
    `sigma_scale` times its sigmas the landmarks are off by; `correlation` as `backend.refine.Priors` has it; `free`
    where the fit may move the identity. vertex_sigma (N,) mm and `uncertainty` (a, b): `WITHIN` of the vertices lie
    within ``vertex_sigma * exp(a + b * log(s))`` of the truth, s the geometric mean of sigma over the crop's side.
    `trials` are the mean errors, mm, of neutral heads, of what expressions move, and of the points under the head's
    own camera, by (free, correlation); None is the network's own answer, posed. agreement (K,) is what
    `backend.observation.Priors` says, None where there were no photos to tell it.
    """

    identity_error: NDArray[np.float32]
    expression_sd: NDArray[np.float32]
    sigma_scale: float
    correlation: float
    free: bool
    vertex_sigma: NDArray[np.float32]
    uncertainty: tuple[float, float]
    trials: dict[tuple[bool, float] | None, tuple[float, float, float]]
    agreement: NDArray[np.float32] | None = None

    def record(self) -> dict[str, Any]:
        """The entry `refine` of bundle.json."""
        return {
            "correlation": self.correlation,
            "identity": "free" if self.free else "held",
            "sigma_scale": round(self.sigma_scale, 4),
            "expression_sd": [round(float(value), 4) for value in self.expression_sd],
            "uncertainty": [round(value, 4) for value in self.uncertainty],
        }

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What goes into head.npz."""
        arrays = {"identity_error": self.identity_error, "vertex_sigma": self.vertex_sigma}
        return arrays if self.agreement is None else {**arrays, "identity_agreement": self.agreement}


@dataclass(frozen=True)
class Photos:
    """Rendered people with `each` photos in a row of every one."""

    faces: FaceSet
    each: int


def calibrate(folder: Path, faces: FaceSet, photos: Photos | None = None, progress: bool = True) -> Calibration:
    """Measures the bundle in `folder` on `faces` of unseen people, and how its answers agree on several `photos`.

    The fit's settings are those that leave the smallest error of neutral heads, expressions and points together.
    """
    bundle = load_bundle(folder)
    crops = localiser_crops(faces.landmarks68, bundle.crop_scale, np.random.default_rng(_SEED))
    found = estimate(bundle, faces.images, crops)
    truth = _coefficients(bundle, faces)
    apart = found["identity"] - truth
    error = _covariance(apart)
    acted = found["expression"] - faces.expression
    spread = np.maximum(np.sqrt((acted**2).mean(0)), _LEAST_ACTION)
    scale = _sigma_scale(found, faces)
    chosen = np.random.default_rng(_SEED).permutation(len(faces))[:_FITTED]
    plain = list(_fits(folder, found, faces, chosen, None, spread, scale, _UNMOVED))
    trials: dict[tuple[bool, float] | None, tuple[float, float, float]] = {None: _errors(bundle, faces, chosen, plain)}
    settings = [(free, correlation) for free in (False, True) for correlation in CORRELATIONS]
    for free, correlation in tqdm(settings, desc="calibrating", unit="setting", disable=not progress):
        fitted = list(_fits(folder, found, faces, chosen, error if free else None, spread, scale, correlation))
        trials[free, correlation] = _errors(bundle, faces, chosen, fitted)
    best = min(settings, key=lambda setting: sum(trials[setting]))
    heads = found["identity"]
    if best[0]:
        everyone = np.arange(len(faces))
        fits = _fits(folder, found, faces, everyone, error, spread, scale, best[1])
        heads = np.stack([one.identity for one in fits])
    sigma, uncertainty = _uncertainty(bundle, faces, heads, found)
    return Calibration(
        error.astype(np.float32), spread.astype(np.float32), scale, best[1], best[0], sigma, uncertainty, trials,
        None if photos is None else _agreement(bundle, photos),
    )  # fmt: skip


def _agreement(bundle: Bundle, photos: Photos) -> NDArray[np.float32]:
    """The correlation (K,) about zero of what a network says of different photos of a person.

    Neighbouring coefficients are averaged, being about as visible as one another: the people are few.
    """
    crops = localiser_crops(photos.faces.landmarks68, bundle.crop_scale, np.random.default_rng(_SEED))
    said = estimate(bundle, photos.faces.images, crops)["identity"].astype(np.float64)
    each = photos.each
    said = said[: len(said) // each * each].reshape(-1, each, said.shape[1])
    own = (said**2).mean((0, 1))
    # The square of the sum has every pair of photos twice, and each photo with itself.
    pairs = ((said.sum(1) ** 2) - (said**2).sum(1)).mean(0) / (each * (each - 1))
    ratio = np.pad(pairs / np.maximum(own, 1e-12), _NEIGHBOURS, mode="edge")
    window = np.ones(2 * _NEIGHBOURS + 1) / (2 * _NEIGHBOURS + 1)
    smooth: NDArray[np.float32] = np.clip(np.convolve(ratio, window, "valid"), _LEAST_AGREEMENT, 1.0).astype(np.float32)
    return smooth


def _coefficients(bundle: Bundle, faces: FaceSet) -> Floats:
    from training.recipes.default.data import Basis, face_weights

    return Basis.of(bundle.head).coefficients(faces.vertices, face_weights(faces)).astype(np.float64)


def _covariance(apart: Floats) -> Floats:
    """Of errors (n,K) about zero, shrunk towards its diagonal as far as so few samples ask for (Ledoit & Wolf 2004)."""
    count = len(apart)
    covariance = apart.T @ apart / count
    diagonal = np.diag(np.diag(covariance))
    # The variance of the covariance's own entries, against how far they are from the diagonal's.
    noise = ((apart**2).T @ (apart**2) / count - covariance**2).sum() / count
    share = float(np.clip(noise / max(((covariance - diagonal) ** 2).sum(), 1e-12), 0.0, 1.0))
    return (1 - share) * covariance + share * diagonal + 1e-6 * np.eye(len(covariance))


def _points(found: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate([found["landmarks"], found["dense"]], axis=1)


def _sigma_scale(found: dict[str, NDArray[np.float32]], faces: FaceSet) -> float:
    """What sigmas have to be multiplied by for `WITHIN` of the coordinates to lie within them."""
    truth = np.concatenate([faces.landmarks68, faces.landmarks_dense], axis=1)
    ratio = np.abs(_points(found) - truth) / found["sigma"][..., None]
    return float(np.quantile(ratio, WITHIN))


def _fits(
    folder: Path,
    found: dict[str, NDArray[np.float32]],
    faces: FaceSet,
    chosen: NDArray[np.intp],
    error: Floats | None,
    spread: Floats,
    scale: float,
    correlation: float,
) -> Iterator[Refined]:
    """The product's fit on the faces at `chosen`, the focal length unknown."""
    from backend.bundle import open_bundle
    from backend.observation import Observation, PointModel, Priors
    from backend.pose import FOCAL_SPREAD, focal_length
    from backend.refine import refine

    model = PointModel.of(open_bundle(folder))
    priors = Priors.of(error, spread, correlation)
    height, width = faces.images.shape[1:3]
    points = _points(found)
    for index in chosen:
        seen = Observation(
            places=points[index],
            sigma=found["sigma"][index] * scale,
            identity=found["identity"][index],
            expression=found["expression"][index],
            size=(width, height),
            focal=focal_length((width, height), None),
            spread=FOCAL_SPREAD,
        )
        yield refine(model, [seen], priors)


def _errors(
    bundle: Bundle, faces: FaceSet, chosen: NDArray[np.intp], fitted: Sequence[Refined]
) -> tuple[float, float, float]:
    """Mean distances, mm: over the face, of neutral heads after similarity alignment and of what expressions move; and
    of the points from where the picture has them, at the face's distance.
    """
    region = faces.region("face")
    identity = np.stack([one.identity for one in fitted]).astype(np.float32)
    expression = np.stack([one.expressions[0] for one in fitted])
    heads, truths = bundle.vertices(identity), faces.vertices[chosen]
    neutral = [_distance(head[region], truth[region]).mean() for head, truth in zip(heads, truths, strict=True)]
    acted = np.einsum("ne,evc->nvc", expression - faces.expression[chosen], bundle.head["expression"][:, region])
    ids = np.concatenate([bundle.head["landmarks68"], bundle.head["landmarks_dense"]])
    moved = heads[:, ids] + np.einsum("ne,evc->nvc", expression, bundle.head["expression"][:, ids])
    middle, seen = np.array(faces.images.shape[2:0:-1]) / 2, []
    for index, points, one in zip(chosen, moved, fitted, strict=True):
        pose = one.poses[0]
        if pose is None:
            continue
        placed = points @ pose.rotation.T + pose.translation
        truth = np.concatenate([faces.landmarks68[index], faces.landmarks_dense[index]])
        apart = np.linalg.norm(pose.focal * placed[:, :2] / placed[:, 2:] + middle - truth, axis=1).mean()
        seen.append(apart * faces.translation[index, 2] / faces.focal[index])
    away = float(np.mean(seen)) if seen else np.inf
    return float(np.mean(neutral)), float(np.linalg.norm(acted, axis=2).mean()), away


def _distance(head: NDArray[np.floating], truth: NDArray[np.floating]) -> Floats:
    distances: Floats = np.linalg.norm(aligned(head, truth) - truth, axis=1)
    return distances


def _uncertainty(
    bundle: Bundle, faces: FaceSet, identity: NDArray[np.floating], found: dict[str, NDArray[np.float32]]
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """vertex_sigma (N,) mm and (a, b) as `Calibration` has them.

    Vertices outside the face are measured with the face aligned.
    """
    region = faces.region("face")
    distances = np.empty(faces.vertices.shape[:2], np.float32)
    for index, truth in enumerate(faces.vertices):
        head = bundle.vertices(identity[index : index + 1].astype(np.float32))[0]
        distances[index] = np.linalg.norm(_moved(head, truth, region) - truth, axis=1)
    sigma = np.quantile(distances, WITHIN, axis=0).astype(np.float32)
    sureness = np.log(np.exp(np.log(found["sigma"]).mean(1)) / found["side"])
    # How much worse than usual a face is, by how sure the network was of its points.
    worse = np.log(np.median(distances[:, region] / sigma[region], axis=1))
    slope = float(np.clip(np.polyfit(sureness, worse, 1)[0], 0.0, _STEEPEST)) if np.ptp(sureness) > 0 else 0.0
    ratio = distances[:, region] / (sigma[region] * np.exp(slope * sureness)[:, None])
    return sigma, (float(np.log(np.quantile(ratio, WITHIN))), slope)


def _moved(head: NDArray[np.floating], truth: NDArray[np.floating], region: NDArray[np.intp]) -> Floats:
    from training.evaluation.alignment import align

    rotation, translation, factor = align(head[region], truth[region], scale=True)
    moved: Floats = factor * head @ rotation.T + translation
    return moved
