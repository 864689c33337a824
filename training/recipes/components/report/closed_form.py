"""Table 2: least squares in low dimensions against direct least squares, and the mean shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.evaluation.components import best_threshold, rmse, voxel_iou
from training.recipes.components import linear
from training.recipes.components.config import ENCODERS, decoder
from training.recipes.components.data import Floats, Indices, Pairs, Split, make_space

_ENOUGH = 2500
_PICTURES = 10_000


def closed_form(pairs: Pairs, split: Split, seed: int = 0) -> dict[str, Any]:
    """RMSE on the test things' pictures (and IoU, for objects) of the mean shape and of both least squares.

    Objects' thresholds are those that are best on the training things.
    """
    space = make_space(pairs, split.training)
    known, asked = pairs.of(split.training), pairs.of(split.test)
    rng = np.random.default_rng([seed, 3])
    known = np.sort(rng.permutation(known)[:_PICTURES])
    X, X_test = (_pictures(pairs, indices) for indices in (known, asked))
    Z, Z_test = (space.vectors(pairs.shapes[pairs.owner[indices]]).T for indices in (known, asked))
    shapes = space.vectors(pairs.shapes[_some(split.training)]).T
    bases = linear.basis(X, ENCODERS["linear"].code), linear.basis(shapes, decoder(pairs.kind, "linear").code)
    methods = {
        "low dimensional": linear.low_dimensional(*bases, X, Z).reconstruct,
        "direct": linear.direct(X, Z).reconstruct,
        "mean shape": lambda X: np.repeat(shapes.mean(1, keepdims=True), X.shape[1], 1),
    }
    sample = np.linspace(0, len(known) - 1, min(len(known), 600)).astype(int)
    found: dict[str, Any] = {"training pictures": len(known), "test pictures": len(asked)}
    for name, reconstruct in methods.items():
        estimate = reconstruct(X_test)
        figures = {"rmse": rmse(estimate.T, Z_test.T)}
        figures["norm"] = figures["rmse"] * float(np.sqrt(space.length))
        if pairs.kind == "objects":
            threshold = best_threshold(reconstruct(X[:, sample]).T, Z[:, sample].T > 0.5)
            scores = voxel_iou(np.greater(estimate.T, threshold), np.greater(Z_test.T, 0.5))
            figures |= {"threshold": threshold, "iou": float(scores.mean())}
        found[name] = figures
    return found


def _pictures(pairs: Pairs, indices: Indices) -> Floats:
    """Pictures as columns (D,n)."""
    return pairs.images[indices].reshape(len(indices), -1).T.astype(np.float32) / np.float32(255)


def _some(indices: Indices) -> Indices:
    return indices[np.linspace(0, len(indices) - 1, min(len(indices), _ENOUGH)).astype(np.intp)]
