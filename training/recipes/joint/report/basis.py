"""The learned basis against principal components: spans, variance, errors by number of columns, and that number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import subspace_angles

from training.dataset import FaceSet
from training.evaluation.metrics import per_vertex_error
from training.recipes.joint.data import prepare_faces
from training.recipes.joint.run import Trained
from training.recipes.joint.train import principal_components
from training.recipes.shape_space import Floats

# Faces whose projections are measured on vertices: the curves are smooth with that many.
_MEASURED = 120


@dataclass(frozen=True)
class Basis:
    """Orthonormal directions (D,K) in a shape space, the largest variance of the training heads first."""

    directions: Floats

    def first(self, count: int) -> Floats:
        """The first `count` directions (D,count)."""
        return self.directions[:, :count]

    def __len__(self) -> int:
        return self.directions.shape[1]


def learned_basis(run: Trained, faces: FaceSet, training: NDArray[np.intp]) -> Basis:
    """The span of the run's decoder, turned to the training heads' principal axes within it."""
    columns = run.model.autoencoder.basis.detach().double().numpy()
    span, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    span = span[:, sizes > 1e-6 * sizes[0]]
    known = prepare_faces(faces, run.space, None)
    covariance = np.zeros((span.shape[1], span.shape[1]))
    for part in np.array_split(training, -(-len(training) // 256)):
        within = known.heads(part, np.zeros(len(part), bool)) @ span
        covariance += within.T @ within
    axes = np.linalg.eigh(covariance)[1][:, ::-1]
    return Basis((span @ axes).astype(np.float32))


def principal_basis(run: Trained, faces: FaceSet, training: NDArray[np.intp]) -> Basis:
    """As many principal components of the training heads, in the run's shape space."""
    directions = principal_components(run.config, prepare_faces(faces, run.space, None), training)[0]
    return Basis(directions[:, : run.config.neurons])


def angles_between(one: Basis, other: Basis, counts: tuple[int, ...]) -> dict[int, dict[str, float]]:
    """Principal angles in degrees between the spans of the first columns, largest and mean, by their number."""
    found = {}
    for count in counts:
        if count <= min(len(one), len(other)):
            angles = np.degrees(subspace_angles(one.first(count).astype(float), other.first(count).astype(float)))
            found[count] = {"largest": float(angles.max()), "mean": float(angles.mean())}
    return found


def explained(basis: Basis, vectors: Floats, counts: tuple[int, ...]) -> dict[int, float]:
    """Share of the squared length of vectors (n,D) that the first columns hold, by their number."""
    squares = ((vectors @ basis.directions).astype(np.float64) ** 2).sum(0).cumsum()
    total = float((vectors.astype(np.float64) ** 2).sum())
    return {count: float(squares[count - 1] / total) for count in counts if count <= len(basis)}


def projection_errors(run: Trained, basis: Basis, faces: FaceSet, counts: tuple[int, ...]) -> dict[int, float]:
    """Mean distance in mm over the face, after similarity alignment, of heads from their projections on the columns."""
    chosen = faces.subset(np.arange(min(len(faces), _MEASURED)))
    return truncated_errors(run, basis, run.space.vectors(chosen.vertices), chosen, counts)


def truncated_errors(
    run: Trained, basis: Basis, vectors: Floats, faces: FaceSet, counts: tuple[int, ...]
) -> dict[int, float]:
    """As `projection_errors`, of whatever vectors (n,D) say of the faces, cut to the first columns."""
    region = faces.region("face")
    errors = {}
    for count in counts:
        if count > len(basis):
            continue
        kept = basis.first(count)
        heads = run.space.mean[region] + run.space.columns((vectors @ kept) @ kept.T)[:, region]
        truths = faces.vertices[:, region]
        errors[count] = float(np.mean([per_vertex_error(h, t).mean() for h, t in zip(heads, truths, strict=True)]))
    return errors


def chosen_numbers(basis: Basis, answered: Floats, vectors: Floats) -> dict[str, Any]:
    """Numbers of columns that data choose, from what was answered (n,D) of held-out heads (n,D).

    "heads": enough to hold 99.9 % of the held-out heads' variance. "pictures": columns of which pictures say
    something, where the answers leave less than 98 % of a column's variance on held-out faces. `known` is the share of
    each column's variance that pictures tell.
    """
    truth, found = vectors @ basis.directions, answered @ basis.directions
    variance = (truth.astype(np.float64) ** 2).mean(0)
    known = 1 - ((truth - found).astype(np.float64) ** 2).mean(0) / np.maximum(variance, 1e-12)
    share = variance.cumsum() / float((vectors.astype(np.float64) ** 2).sum(1).mean())
    enough = np.flatnonzero(share >= 0.999)
    return {
        "heads": int(enough[0] + 1) if len(enough) else None,
        "pictures": int((known > 0.02).sum()),
        "known": [round(float(value), 4) for value in known],
        "variance": [round(float(value), 6) for value in variance / variance.sum()],
    }
