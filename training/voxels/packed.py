"""Many grids in one gzip'd `.npy` file, `CLASS.npy.gz`: (n,R,R,R) or (n,1,R,R,R), anything above a half is occupied."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.voxels.faults import BadShapeFile

_AGAIN = "the file is damaged or cut off; download or pack it again"


def read_packed(path: Path) -> NDArray[np.bool_]:
    """Grids (n,R,R,R) of a packed file, in its own orientation; plain `.npy` files are read too.

    Raises :class:`BadShapeFile` for a file that is cut off, damaged, or holds something else.
    """
    try:
        with path.open("rb") as start:
            zipped = start.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            values = np.lib.format.read_array(file, allow_pickle=False)
            if zipped and file.read(1):
                raise BadShapeFile(path, "something follows the array; pack it again")
    except BadShapeFile:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise BadShapeFile(path, _AGAIN) from error
    if values.ndim == 5 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 4 or len(set(values.shape[1:])) != 1 or values.dtype.kind not in "biuf":
        shape = " x ".join(map(str, values.shape))
        raise BadShapeFile(path, f"it holds an array {shape} of {values.dtype} where n x R x R x R numbers are wanted")
    return np.asarray(values > 0.5)


def write_packed(path: Path, grids: NDArray[np.bool_]) -> None:
    """Writes grids (n,R,R,R); the same grids give the same bytes. The file is there whole or not at all."""
    part = path.with_name(path.name + ".partial")
    with part.open("wb") as raw, gzip.GzipFile(fileobj=raw, filename="", mode="wb", mtime=0) as file:
        np.lib.format.write_array(file, np.asarray(grids, np.uint8), allow_pickle=False)
    part.replace(path)
