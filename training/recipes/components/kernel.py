"""Kernel ridge regression between codes: the mapping that few labelled pairs suffice for.

Saunders, Gammerman & Vovk 1998, with Gaussian kernels about at most so many centres (Nystrom: Williams & Seeger 2001):
alpha = (K_mn K_nm + lambda n K_mm)^-1 K_mn Y, answer = K_xm alpha + mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

WIDTHS = (0.1, 0.3, 1.0, 3.0, 6.0)
"""Kernel exponents that are tried, over the median squared distance of the codes."""

RIDGES = (1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)

FOLDS = 5

_ENOUGH = 3000  # pairs to choose by: more choose alike


@dataclass(frozen=True)
class Kernel:
    """centres (m,k) among the codes, weights (m,k'), mean (k',): exp(-exponent |x - centre|^2) @ weights + mean."""

    centres: Floats
    weights: Floats
    mean: Floats
    exponent: float

    def __call__(self, codes: Floats) -> Floats:
        """Codes (n,k) -> codes (n,k')."""
        answers: Floats = gaussian(codes, self.centres, self.exponent) @ self.weights + self.mean
        return answers


def gaussian(codes: Floats, centres: Floats, exponent: float) -> Floats:
    """Kernel matrix (n,m)."""
    matrix: Floats = np.exp(-exponent * squared_distances(codes, centres))
    return matrix


def squared_distances(codes: Floats, others: Floats) -> Floats:
    """Squared distances (n,m) of codes (n,k) and others (m,k)."""
    apart: Floats = (codes**2).sum(1)[:, None] + (others**2).sum(1) - 2 * codes @ others.T
    return np.maximum(apart, 0.0)


def fit_kernel(
    codes: Floats, answers: Floats, groups: NDArray[np.integer], most: int, rng: np.random.Generator
) -> Kernel:
    """The kernel mapping from codes (n,k) to answers (n,k') with at most `most` centres.

    Exponent and ridge are those of the least squared error in cross validation, in which the members of one group
    (n,), views of one thing, are never on both sides. Raises `ValueError` for fewer than two groups.
    """
    things = rng.permutation(np.unique(groups))
    if len(things) < 2:
        raise ValueError(f"labelled pictures of {len(things)} things are too few for a kernel mapping: label more")
    codes, answers = np.asarray(codes, np.float64), np.asarray(answers, np.float64)
    chosen = np.sort(rng.permutation(len(codes))[:most])
    centres = codes[chosen]
    typical = float(np.median(squared_distances(centres, centres)[~np.eye(len(centres), dtype=bool)])) or 1.0
    some = np.sort(rng.permutation(len(codes))[:_ENOUGH])
    known, told = codes[some], answers[some]
    folds = [np.isin(groups[some], things[number::FOLDS]) for number in range(min(FOLDS, len(things)))]
    best, found = np.inf, (1.0, 1.0)
    for width in WIDTHS:
        exponent = width / typical
        errors = np.zeros(len(RIDGES))
        for held in folds:
            for number, kernel in enumerate(_solved(known[~held], told[~held], centres, exponent)):
                errors[number] += ((kernel(known[held]) - told[held]) ** 2).sum()
        if errors.min() < best:
            best, found = float(errors.min()), (exponent, RIDGES[int(errors.argmin())])
    return _solved(codes, answers, centres, found[0], (found[1],))[0]


def _solved(
    codes: Floats, answers: Floats, centres: Floats, exponent: float, ridges: tuple[float, ...] = RIDGES
) -> list[Kernel]:
    """The mapping for each ridge, which counts per pair."""
    mean = answers.mean(0)
    known, among = gaussian(codes, centres, exponent), gaussian(centres, centres, exponent)
    gram, mixed = known.T @ known, known.T @ (answers - mean)
    jitter = 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram))
    return [Kernel(centres, np.linalg.solve(gram + ridge * among + jitter, mixed), mean, exponent) for ridge in ridges]
