"""Reads and writes binvox files (Patrick Min), the form of ShapeNet's `models/model_normalized.solid.binvox`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.voxels.faults import BadShapeFile

_RUN = 255


def read_binvox(path: Path) -> NDArray[np.bool_]:
    """Grid (X,Y,Z) in the axes of the mesh that was voxelised: for ShapeNet y is up and -z the front.

    Raises :class:`BadShapeFile` for a file that is no binvox file or is cut off.
    """
    content = path.read_bytes()
    header, found, data = content.partition(b"\ndata\n")
    lines = header.decode("latin-1").split("\n")
    if not found or not lines[0].startswith("#binvox"):
        raise BadShapeFile(path, "it is no binvox file, or its header is cut off; download it again")
    fields = {words[0]: words[1:] for line in lines[1:] if (words := line.split())}
    try:
        width, height, depth = (int(word) for word in fields["dim"])
    except (KeyError, ValueError) as error:
        raise BadShapeFile(path, "its header does not give the three sizes (dim); download it again") from error
    runs = np.frombuffer(data[: len(data) // 2 * 2], np.uint8).reshape(-1, 2)
    flat = np.repeat(runs[:, 0], runs[:, 1])
    if len(flat) != width * height * depth:
        size = f"{width} x {height} x {depth}"
        raise BadShapeFile(path, f"it holds {len(flat)} voxels where its header says {size}; download it again")
    # The y coordinate runs fastest, then z, then x.
    return np.asarray(flat.reshape(width, depth, height).transpose(0, 2, 1) > 0)


def write_binvox(path: Path, grid: NDArray[np.bool_]) -> None:
    """Writes a grid (X,Y,Z) in the mesh's own axes, in unit scale."""
    width, height, depth = grid.shape
    flat = np.asarray(grid, np.uint8).transpose(0, 2, 1).ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    runs = bytearray()
    for start, length in zip(starts[:-1], np.diff(starts), strict=True):
        value = int(flat[start])
        whole, rest = divmod(int(length), _RUN)
        runs += bytes((value, _RUN)) * whole + (bytes((value, rest)) if rest else b"")
    header = f"#binvox 1\ndim {width} {height} {depth}\ntranslate 0 0 0\nscale 1\ndata\n"
    path.write_bytes(header.encode() + bytes(runs))
