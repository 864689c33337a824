"""Principal components of registered heads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.registration.align import fit_similarity

Floats = NDArray[np.float64]

_ROUNDS = 4


def centred(heads: Floats, where: NDArray[np.int64]) -> Floats:
    """Heads (n,V,3) moved and turned, not scaled, onto their mean at some vertices (generalised Procrustes)."""
    moved = heads.copy()
    for _ in range(_ROUNDS):
        mean = moved[:, where].mean(0)
        for head in moved:
            head[:] = fit_similarity(head[where], mean, scale=1.0)(head)
    return moved


def principal_modes(heads: Floats, most: int, share: float) -> tuple[Floats, NDArray[np.float32], Floats]:
    """Mean (V,3), modes (K,V,3) per standard deviation and their shares (K,) of the variance, largest first.

    Keeps at most `most`, and no more than explain `share` of the variance. Raises ``ValueError`` for fewer than three
    heads.
    """
    count = len(heads)
    if count < 3:
        raise ValueError(f"{count} heads are too few for a population: three are the least, hundreds are good.")
    mean = heads.mean(0)
    _, spread, rows = np.linalg.svd((heads - mean).reshape(count, -1), full_matrices=False)
    part = spread**2 / max(float((spread**2).sum()), 1e-30)
    # n heads span n - 1 directions about their mean.
    kept = min(int(np.searchsorted(np.cumsum(part), share)) + 1, most, count - 1)
    modes = spread[:kept, None] * rows[:kept] / np.sqrt(count - 1)
    return mean, modes.reshape(kept, -1, 3).astype(np.float32), part[:kept]
