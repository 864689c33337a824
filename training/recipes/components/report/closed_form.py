"""Table 2: least squares in low dimensions against direct least squares, and the mean shape.

Shapes are taken in orthonormal coordinates of the space that the training shapes span: the least squares give the same
answers there as on all p numbers, in a fraction of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.evaluation.components import best_threshold, vertex_errors, voxel_iou
from training.recipes.components import linear
from training.recipes.components.config import ENCODERS, decoder, paper
from training.recipes.components.data import Floats, Indices, Pairs, Space, Split, labelled_pairs, make_space

SHARES = (0.01, 0.05, 0.25, 1.0)
# Lengths of the picture's code that are tried beside the paper's 60; the pairs that choose are held out of training.
LENGTHS = (8, 15, 30, 60, 120, 240, 480)
_ENOUGH = 2500
_PICTURES = 10_000
_SAMPLE = 600
_CHUNK = 256


@dataclass(frozen=True)
class _Data:
    """Pictures as columns, and shapes (r,t) in coordinates of `whole`, of the training things; and the test's."""

    pairs: Pairs
    space: Space
    whole: linear.Basis
    shapes: Floats
    place: Indices
    pictures: linear.Basis

    def X(self, pictures: Indices) -> Floats:
        """Pictures (D,n)."""
        chosen = self.pairs.images[pictures].reshape(len(pictures), -1).T
        return chosen.astype(np.float32) / np.float32(255)

    def Z(self, pictures: Indices) -> Floats:
        """What training pictures show (r,n)."""
        return self.shapes[:, self.place[self.pairs.owner[pictures]]]


def closed_form(pairs: Pairs, split: Split) -> dict[str, Any]:
    """Errors on the test things' pictures of the mean shape and of both least squares, for shares of labelled pairs.

    Bases come from all training pictures and shapes, whose pairing they do not need; the least squares, and the choice
    of the code's length, from the labelled pairs alone. The share of all pairs stands at the top, the others under
    "shares". Objects' thresholds are those that are best on the training pictures.
    """
    data = _read(pairs, split)
    known, asked = _limited(pairs.of(split.training)), pairs.of(split.test)
    truth = _Truth(data, split, asked)
    mean = np.zeros((len(data.shapes), len(asked)), np.float32)
    found: dict[str, Any] = {"training pictures": len(known), "test pictures": len(asked), "shares": []}
    bases = {k: linear.Basis(data.pictures.mean, data.pictures.U[:, :k]) for k in LENGTHS}
    shapes = linear.basis(data.shapes, decoder(pairs.kind, "linear").code)
    for share in SHARES:
        training, held = labelled_pairs(pairs, split, replace(paper(pairs.kind), labelled=share))
        training, held = np.intersect1d(training, known), np.intersect1d(held, known)
        if len(training) < 2 or not len(held):
            continue
        both = np.concatenate([training, held])
        length = _chosen(data, bases, shapes, training, held)
        X, Z = data.X(both), data.Z(both)
        models: dict[str, linear.LowDimensional | linear.Direct] = {
            "low dimensional": linear.low_dimensional(bases[ENCODERS["linear"].code], shapes, X, Z),
            "low dimensional, length chosen": linear.low_dimensional(bases[length], shapes, X, Z),
            "direct": linear.direct(X, Z),
        }
        row: dict[str, Any] = {"share": share, "pairs": len(both), "length": length}
        for name, model in models.items():
            row[name] = truth.figures(model.reconstruct(data.X(asked)))
            if share == 1.0:
                sample = both[np.linspace(0, len(both) - 1, min(len(both), _SAMPLE)).astype(int)]
                found[name] = truth.more(model.reconstruct(data.X(asked)), model.reconstruct(data.X(sample)), sample)
        found["shares"].append(row)
        found["length"] = length
    sample = known[np.linspace(0, len(known) - 1, min(len(known), _SAMPLE)).astype(int)]
    found["mean shape"] = truth.more(mean, mean[:, :1].repeat(len(sample), 1), sample)
    return found


class _Truth:
    """The test things' shapes, and what is measured of estimates (r,m) of them."""

    def __init__(self, data: _Data, split: Split, asked: Indices) -> None:
        self.data, self.owner = data, data.pairs.owner[asked]
        shapes = data.space.vectors(data.pairs.shapes[split.test]).T - data.whole.mean
        place = np.searchsorted(split.test, self.owner)
        inside = data.whole.U.T @ shapes
        # What of a test shape lies outside the training shapes' space no estimate reaches.
        outside = np.square(shapes, dtype=np.float64).sum(0) - np.square(inside, dtype=np.float64).sum(0)
        self.codes, self.outside = inside[:, place], float(outside[place].sum())

    def figures(self, estimate: Floats) -> dict[str, float]:
        """RMSE, and eq. 12's norm."""
        squares = float(np.square(estimate - self.codes, dtype=np.float64).sum()) + self.outside
        error = float(np.sqrt(squares / (self.data.space.length * len(self.owner))))
        return {"rmse": error, "norm": error * float(np.sqrt(self.data.space.length))}

    def more(self, estimate: Floats, known: Floats, sample: Indices) -> dict[str, float]:
        """IoU too, or mm over the face; `known` (r,s) are estimates of the training pictures `sample`."""
        pairs, found = self.data.pairs, self.figures(estimate)
        if pairs.kind == "objects":
            truth = pairs.shapes[pairs.owner[sample]].reshape(len(sample), -1)
            threshold = best_threshold(self._vectors(known), truth)
            scores = []
            for start in range(0, len(self.owner), _CHUNK):
                part = slice(start, start + _CHUNK)
                scores.append(voxel_iou(self._vectors(estimate[:, part]) > threshold, pairs.shapes[self.owner[part]]))
            return found | {"threshold": threshold, "iou": float(np.concatenate(scores).mean())}
        region = slice(None) if pairs.region is None else pairs.region
        errors = []
        for start in range(0, len(self.owner), _CHUNK):
            part = slice(start, start + _CHUNK)
            ours = self.data.space.shapes(self._vectors(estimate[:, part]))
            errors.append(vertex_errors(ours[:, region], pairs.shapes[self.owner[part]][:, region]))
        return found | {"face mm": float(np.concatenate(errors).mean())}

    def _vectors(self, codes: Floats) -> Floats:
        return np.ascontiguousarray(self.data.whole.samples(codes).T)


def _read(pairs: Pairs, split: Split) -> _Data:
    space = make_space(pairs, split.training)
    few = split.training[np.linspace(0, len(split.training) - 1, min(len(split.training), _ENOUGH)).astype(np.intp)]
    whole = linear.basis(space.vectors(pairs.shapes[few]).T, len(few))
    parts = [split.training[start : start + _CHUNK] for start in range(0, len(split.training), _CHUNK)]
    shapes = np.concatenate([whole.code(space.vectors(pairs.shapes[part]).T) for part in parts], axis=1)
    place = np.full(len(pairs.shapes), -1, np.intp)
    place[split.training] = np.arange(len(split.training))
    known = _limited(pairs.of(split.training))
    X = pairs.images[known].reshape(len(known), -1).T.astype(np.float32) / np.float32(255)
    return _Data(pairs, space, whole, shapes, place, linear.basis(X, max(LENGTHS)))


def _chosen(data: _Data, bases: dict[int, linear.Basis], shapes: linear.Basis, training: Indices, held: Indices) -> int:
    """The length of the picture's code that does best on labelled pairs that the least squares have not seen."""
    X, Z, X_held, Z_held = data.X(training), data.Z(training), data.X(held), data.Z(held)
    errors = {}
    for length, pictures in bases.items():
        apart = linear.low_dimensional(pictures, shapes, X, Z).reconstruct(X_held) - Z_held
        errors[length] = float(np.square(apart, dtype=np.float64).sum())
    return min(errors, key=lambda length: errors[length])


def _limited(pictures: Indices) -> Indices:
    """At most so many of the pictures, drawn, in their order."""
    return np.sort(np.random.default_rng([0, 3]).permutation(pictures)[:_PICTURES])
