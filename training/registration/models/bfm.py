"""The Basel Face Models: 2009 (``01_MorphableModel.mat``, Paysan et al.) and 2017/2019 (``.h5``, Gerig et al. 2018).

They are not free to pass on; a user who has them reads them here. Only shape is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.registration.landmarks import from_scalismo, positions
from training.registration.models.model import BadModel, FaceModel

# iBUG number -> vertex of the 2009 model, whose file has no landmarks; from the library eos (Apache-2.0).
_VERTICES_2009 = 53490
_LANDMARKS_2009 = {
    17: 38792, 19: 40087, 21: 40514, 22: 41091, 24: 41511, 26: 42825, 30: 8319, 33: 8334, 36: 2088, 39: 5959,
    42: 10603, 45: 14472, 48: 5006, 51: 8344, 54: 11714, 57: 8374, 62: 8354, 66: 8366,
}  # fmt: skip

_TERMS = "Basel Face Model licence: research only, not to be passed on"


def is_bfm(path: Path) -> bool:
    """Whether the file's ending is one of a Basel Face Model's."""
    return path.is_file() and path.suffix in (".mat", ".h5")


def read_bfm(path: Path, landmarks: dict[int, Any] | None = None) -> FaceModel:
    """Reads either layout; landmarks (positions or vertices) replace the model's own. Raises :class:`BadModel`."""
    try:
        return _read_2009(path, landmarks) if path.suffix == ".mat" else _read_h5(path, landmarks)
    except KeyError as error:
        raise BadModel(f"{path} is not a Basel Face Model: it has no {error}") from error
    except (OSError, ValueError, NotImplementedError) as error:
        raise BadModel(f"{path} cannot be read as a Basel Face Model ({error})") from error


def _read_2009(path: Path, landmarks: dict[int, Any] | None) -> FaceModel:
    from scipy.io import loadmat

    arrays = loadmat(path, variable_names=["shapeMU", "shapePC", "shapeEV", "tl"])
    mean = arrays["shapeMU"].astype(np.float64).reshape(-1, 3)
    # shapeEV holds standard deviations; columns of shapePC have unit length.
    modes = _modes(arrays["shapePC"], arrays["shapeEV"].ravel(), len(mean))
    if landmarks is None:
        if len(mean) != _VERTICES_2009:
            raise ValueError(
                f"it has {len(mean)} vertices instead of {_VERTICES_2009}: give its landmarks with --landmarks"
            )
        landmarks = dict(_LANDMARKS_2009)
    return FaceModel(
        name="bfm2009",
        mean=mean,
        triangles=arrays["tl"].astype(np.int64) - 1,
        modes=modes,
        landmarks=positions(landmarks, mean, path.name),
        unit="um",
        source="Basel Face Model 2009, University of Basel (Paysan et al. 2009)",
        licence=_TERMS,
    )


def _read_h5(path: Path, landmarks: dict[int, Any] | None) -> FaceModel:
    import h5py

    with h5py.File(path, "r") as file:
        mean = file["shape/model/mean"][()].astype(np.float64).reshape(-1, 3)
        deviations = np.sqrt(file["shape/model/pcaVariance"][()].ravel())
        modes = _modes(file["shape/model/pcaBasis"][()], deviations, len(mean))
        cells = file["shape/representer/cells"][()].astype(np.int64)
        if landmarks is None:
            text = np.asarray(file["metadata/landmarks/json"][()]).ravel()[0]
            landmarks = from_scalismo(text.decode("utf-8") if isinstance(text, bytes) else str(text))
    year = "2019" if "2019" in path.name else "2017"
    return FaceModel(
        name=f"bfm{year}",
        mean=mean,
        triangles=cells.T if cells.shape[0] == 3 else cells,
        modes=modes,
        landmarks=positions(landmarks, mean, path.name),
        unit="mm",
        source=f"Basel Face Model {year}, University of Basel (Gerig et al. 2018)",
        licence=_TERMS,
    )


def _modes(basis: NDArray[Any], deviations: NDArray[Any], count: int) -> NDArray[np.float32]:
    """Columns (3V,K) of unit length and standard deviations (K,) -> (K,V,3)."""
    scaled = basis.astype(np.float32) * deviations.astype(np.float32)
    return np.ascontiguousarray(scaled.T).reshape(-1, count, 3)
