"""Which way up, and which way round: from a file's axes to the project's (z up, front -y)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DIRECTIONS = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1), "-x": (-1, 0, 0), "-y": (0, -1, 0), "-z": (0, 0, -1)}


@dataclass(frozen=True)
class Orientation:
    """The file's axes that point up and to the object's front, each one of x, y, z, -x, -y, -z.

    Raises `ValueError` for other words, and where the two lie on one axis.
    """

    up: str
    front: str

    def __post_init__(self) -> None:
        if self.up not in _DIRECTIONS or self.front not in _DIRECTIONS:
            raise ValueError(f"up {self.up!r} and front {self.front!r} must each be one of {', '.join(_DIRECTIONS)}")
        if self.up[-1] == self.front[-1]:
            raise ValueError(f"up {self.up} and front {self.front} lie on one axis; they must be at right angles")

    @property
    def matrix(self) -> NDArray[np.int64]:
        """(3,3) rotation that takes a point of the file (column) to x left, -y front, z up."""
        up, front = (np.array(_DIRECTIONS[word]) for word in (self.up, self.front))
        return np.stack([np.cross(up, front), -front, up])

    def points(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (...,3) of the file in the project's axes."""
        return np.asarray(points @ self.matrix.T, np.float64)

    def grid(self, grid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A grid (X,Y,Z) of the file in the project's axes."""
        sources = np.abs(self.matrix).argmax(1)
        turned = grid.transpose(sources)
        backwards = [axis for axis in range(3) if self.matrix[axis, sources[axis]] < 0]
        return np.ascontiguousarray(np.flip(turned, backwards))


MODELNET = Orientation("z", "-y")
SHAPENET = Orientation("y", "-z")
