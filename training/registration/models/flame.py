"""FLAME (Li et al. 2017): its ``.npz`` and its ``.pkl``, the latter read without running it.

FLAME's files hold no landmarks. The publisher gives them apart, as an embedding (51 or 68 points on triangles):
``flame_static_embedding.pkl``, ``flame_static_embedding_68*.npz`` or ``landmark_embedding.npy``, looked for beside the
model.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.registration.carry import Parts
from training.registration.landmarks import positions
from training.registration.models.model import BadModel, FaceModel
from training.registration.models.unpickle import BadPickle, array_of, read_pickle
from training.registration.target import components

Ints = NDArray[np.int64]

# Columns of shapedirs that are identity; expressions follow.
_IDENTITY = 300
_EMBEDDINGS = ("*static_embedding*.npz", "*static_embedding*.pkl", "*landmark_embedding*.npy")


def is_flame(path: Path) -> bool:
    """Whether a file holds FLAME's arrays, or may (a pickle's contents are seen on reading)."""
    if path.suffix == ".pkl":
        return path.is_file()
    if path.suffix != ".npz" or not path.is_file():
        return False
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {"v_template", "shapedirs", "f"} <= set(arrays.files)


def read_flame(path: Path, landmarks: dict[int, Any] | None = None) -> FaceModel:
    """Reads either file; landmarks (positions or vertices) replace the embedding. Raises :class:`BadModel`."""
    try:
        arrays = _arrays(path)
        mean = array_of(arrays["v_template"]).astype(np.float64)
        triangles = array_of(arrays["f"]).astype(np.int64)
        columns = array_of(arrays["shapedirs"]).astype(np.float32)
        if landmarks is None:
            landmarks = _embedded(path.parent, mean, triangles)
        skin, eyes = _split(mean, triangles)
        return FaceModel(
            name="flame",
            mean=mean,
            triangles=skin,
            modes=np.ascontiguousarray(np.moveaxis(columns[:, :, :_IDENTITY], 2, 0)),
            landmarks=positions(landmarks, mean, path.name),
            unit="m",
            source="FLAME, Max Planck Institute for Intelligent Systems (Li et al. 2017)",
            licence="FLAME licence of the version used",
            parts=eyes,
        )
    except KeyError as error:
        raise BadModel(f"{path} is not a FLAME model: it has no {error}") from error
    except (OSError, ValueError, IndexError) as error:
        raise BadModel(f"{path} cannot be read as FLAME ({error})") from error


def _arrays(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".pkl":
        found = read_pickle(path.read_bytes())
        if not isinstance(found, dict):
            raise BadPickle("the pickle holds no dictionary")
        return found
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        # Some hold strings as objects, which stay unread.
        return {name: arrays[name] for name in ("v_template", "f", "shapedirs") if name in arrays}


def _embedded(folder: Path, mean: NDArray[np.float64], triangles: Ints) -> dict[int, Any]:
    """Landmarks from the embedding beside the model."""
    for pattern in _EMBEDDINGS:
        for path in sorted(folder.glob(pattern)):
            faces, weights = _embedding(path)
            points = (mean[triangles[faces]] * weights[..., None]).sum(1)
            return dict(enumerate(points, start=68 - len(points)))
    raise ValueError(
        "no landmarks: put FLAME's flame_static_embedding.pkl or landmark_embedding.npy beside the model, or give "
        "--landmarks"
    )


def _embedding(path: Path) -> tuple[Ints, NDArray[np.float64]]:
    content = path.read_bytes()
    found: Any
    if path.suffix == ".npz":
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    elif path.suffix == ".npy":
        # An array of one object: numpy's header, then a pickle.
        file = io.BytesIO(content)
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        found = read_pickle(file.read())
        found = found[0] if isinstance(found, list) else found
    else:
        found = read_pickle(content)
    for faces, weights in (
        ("full_lmk_faces_idx", "full_lmk_bary_coords"),
        ("static_lmk_faces_idx", "static_lmk_bary_coords"),
        ("lmk_face_idx", "lmk_b_coords"),
    ):
        if faces in found:
            ids = array_of(found[faces]).astype(np.int64).ravel()
            if len(ids) not in (51, 68):
                raise ValueError(f"{path.name} has {len(ids)} landmarks, 51 or 68 were expected")
            return ids, array_of(found[weights]).astype(np.float64).reshape(-1, 3)
    raise ValueError(f"{path.name} has no landmarks in it")


def _split(mean: NDArray[np.float64], triangles: Ints) -> tuple[Ints, Parts]:
    """The skin's triangles, and the eyeballs: two smaller parts of their own."""
    label = components(mean, triangles)
    sizes = np.bincount(label)
    order = np.argsort(-sizes)
    skin = triangles[label[triangles[:, 0]] == order[0]]
    balls = [np.flatnonzero(label == part) for part in order[1:3] if sizes[part] > 20]
    if len(balls) < 2:
        return skin, Parts()
    left, right = sorted(balls, key=lambda ids: -float(mean[ids, 0].mean()))
    return skin, Parts(left_eye=left, right_eye=right)
