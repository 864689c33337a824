"""ICT-FaceKit Light (Li et al. 2020, MIT): the publisher's folder ``FaceXModel`` and the same packed in one ``.npz``.

Index ranges and landmarks are those of its README. Its 53 expressions carry ARKit's names with _L and _R.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.progress import Progress
from training.registration.carry import Parts
from training.registration.meshes import read_mesh
from training.registration.models.model import BadModel, FaceModel
from training.registration.target import BadScan

NEUTRAL = "generic_neutral_mesh.obj"
VERTICES = 26719
# Face, head and neck; the sockets of mouth and eyes follow after.
SKIN = 11248

# fmt: off
LANDMARKS_68 = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957,
    5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
)
# fmt: on
PARTS = Parts(
    left_eye=np.arange(21451, 22221),
    right_eye=np.arange(23021, 23791),
    upper_teeth=np.arange(17039, 19247),
    lower_teeth=np.arange(19247, 21451),
)

_SOURCE = "ICT-FaceKit Light, USC Institute for Creative Technologies (Li et al. 2020, arXiv:2004.03458)"


def is_ict(path: Path) -> bool:
    """Whether a path looks like one of the two layouts."""
    if path.is_dir():
        return (path / NEUTRAL).is_file() or (path / "FaceXModel" / NEUTRAL).is_file()
    if path.suffix != ".npz" or not path.is_file():
        return False
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {"mean", "identity", "expression", "expression_names", "faces"} <= set(arrays.files)


def read_ict(path: Path) -> FaceModel:
    """Reads either layout, centimetres. Raises :class:`BadModel`."""
    mean, faces, identity, expression = _read_packed(path) if path.is_file() else _read_folder(path)
    if mean.shape != (VERTICES, 3):
        raise BadModel(f"{path} has {len(mean)} vertices, ICT-FaceKit has {VERTICES}")
    faces = faces[(faces[:, :3] < SKIN).all(1) & (faces[:, 3] < SKIN)]
    quads = faces[faces[:, 3] >= 0]
    return FaceModel(
        name="ict",
        mean=mean,
        triangles=np.concatenate([faces[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64),
        modes=identity,
        landmarks={number: mean[vertex] for number, vertex in enumerate(LANDMARKS_68)},
        unit="cm",
        source=_SOURCE,
        licence="MIT",
        expression=_arkit(expression),
        parts=PARTS,
    )


def _read_packed(
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.floating], dict[str, NDArray[np.floating]]]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names = [str(name) for name in arrays["expression_names"]]
        return (
            arrays["mean"].astype(np.float64),
            arrays["faces"].astype(np.int64),
            arrays["identity"],
            dict(zip(names, arrays["expression"], strict=True)),
        )


def _read_folder(
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.floating], dict[str, NDArray[np.floating]]]:
    folder = path if (path / NEUTRAL).is_file() else path / "FaceXModel"
    identities = sorted(folder.glob("identity[0-9][0-9][0-9].obj"))
    shapes = sorted(file for file in folder.glob("*.obj") if file not in identities and file.name != NEUTRAL)
    if not identities:
        raise BadModel(f"{folder} has {NEUTRAL} but no identity000.obj: is the download complete?")
    try:
        mean, triangles = read_mesh(folder / NEUTRAL)
        offsets = {}
        with Progress("reading", len(identities) + len(shapes), unit="file") as progress:
            for file in (*identities, *shapes):
                vertices, _ = read_mesh(file)
                if vertices.shape != mean.shape:
                    raise BadModel(f"{file} has {len(vertices)} vertices, the neutral mesh {len(mean)}")
                offsets[file.stem] = (vertices - mean).astype(np.float32)
                progress.advance()
    except BadScan as error:
        raise BadModel(f"{folder}: {error}") from error
    faces = np.concatenate([triangles, np.full((len(triangles), 1), -1)], axis=1)
    identity = np.stack([offsets.pop(file.stem) for file in identities])
    return mean, faces, identity, offsets


def _arkit(expression: dict[str, NDArray[np.floating]]) -> dict[str, NDArray[np.float64]]:
    """Under ARKit's names: sides spelt out, what ICT splits by side and ARKit does not added up."""
    named: dict[str, NDArray[np.float64]] = {}
    for name, offsets in expression.items():
        stem, _, side = name.partition("_")
        both = stem in ("browInnerUp", "cheekPuff")
        arkit = stem + ("" if both else {"L": "Left", "R": "Right"}.get(side, ""))
        named[arkit] = named.get(arkit, 0.0) + offsets.astype(np.float64)
    return named
