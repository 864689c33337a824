from __future__ import annotations

import numpy as np

from training.export.neck import tidy_border


def test_quads_that_stick_out_are_taken_away() -> None:
    # A strip of three columns and two rows, with one more quad hanging from its middle.
    grid = np.arange(12).reshape(3, 4)
    quads = [[grid[r, c], grid[r, c + 1], grid[r + 1, c + 1], grid[r + 1, c]] for r in range(2) for c in range(3)]
    quads.append([grid[2, 1], grid[2, 2], 13, 12])
    movable = np.zeros(7, bool)
    movable[[4, 6]] = True
    keep = tidy_border(np.array(quads), movable)
    assert keep.tolist() == [True] * 6 + [False]
