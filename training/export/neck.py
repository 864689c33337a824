"""A clean lower edge for the exported head of a dataset whose template ends in steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tidy_border(quads: NDArray[np.integer], movable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which quads (Q,) to keep so that no `movable` one sticks out of the mesh's border.

    A quad with two or more free edges is a spike; taking it away may make another, so that is repeated.
    """
    keep = np.ones(len(quads), bool)
    while True:
        edges = np.sort(np.stack([quads[keep][:, [i, (i + 1) % 4]] for i in range(4)], 1).reshape(-1, 2), axis=1)
        _, back, counts = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
        free = (counts[back.reshape(-1)] == 1).reshape(-1, 4).sum(1)
        spikes = np.flatnonzero(keep)[(free >= 2) & movable[keep]]
        if not len(spikes):
            return keep
        keep[spikes] = False
