"""Folders of scans: each registered by itself, or, where they share one topology, through their mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.registration.align import UNITS, fit_similarity, guess_unit
from training.registration.carry import Carrier
from training.registration.components import centred, principal_modes
from training.registration.fit import register
from training.registration.landmarks import landmark_file, read_landmarks
from training.registration.meshes import MESH_ENDINGS, read_mesh
from training.registration.models.model import FaceModel
from training.registration.rig import Rig
from training.registration.target import BadScan, Target, clean_mesh
from training.whole_file import whole_file

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Kept results of another version of the method are made again.
_VERSION = 1


def scan_files(folder: Path) -> list[Path]:
    """The meshes in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in MESH_ENDINGS and path.is_file())


def in_correspondence(files: list[Path], shared: Path | None) -> bool:
    """Whether a folder's meshes are of one topology, with landmarks for one of them only."""
    marked = [path for path in files if landmark_file(path)]
    if shared is not None:
        return True
    if len(marked) != 1 or len(files) < 2:
        return False
    other = next(path for path in files if path != marked[0])
    try:
        return np.array_equal(read_mesh(marked[0])[1], read_mesh(other)[1])
    except BadScan:
        return False


@dataclass(frozen=True)
class KeptScan:
    """One registered scan as it is kept between runs: vertices (U,3) mm, and the scan itself in head space."""

    vertices: Floats
    target: Target


def placed_target(rig: Rig, vertices: Floats, triangles: Ints, landmarks: dict[int, Floats], unit: str) -> Target:
    """A mesh in head space, mm, cleaned. Raises :class:`BadScan`."""
    numbers = sorted(landmarks)
    marks = np.stack([landmarks[number] for number in numbers])
    reference = rig.neutral[rig.landmarks68[numbers]]
    try:
        found = guess_unit(marks, reference) if unit == "auto" else unit
        pose = fit_similarity(marks, reference, scale=None if found is None else UNITS[found])
    except ValueError as error:
        raise BadScan(f"its landmarks do not fix its place: {error}") from error
    if found is None:
        raise BadScan(
            "in no unit do its landmarks have an adult's size "
            f"(the best factor to mm is {pose.scale:.3g}): check them, or give --unit"
        )
    placed, marks = pose(vertices), pose(marks)
    off = np.sqrt(((marks - reference) ** 2).sum(1).mean())
    if off > 25.0:
        raise BadScan(f"its landmarks are {off:.0f} mm off those of a face: are they in iBUG's order?")
    triangles = clean_mesh(placed, triangles, marks)
    return Target.of(placed, triangles, dict(zip(numbers, marks, strict=True)))


def register_scan(rig: Rig, path: Path, unit: str) -> KeptScan:
    """Registers one scan. Raises :class:`BadScan` when it cannot be used."""
    vertices, triangles = read_mesh(path)
    file = landmark_file(path)
    if file is None:
        raise BadScan(f"it has no landmarks: put {path.stem}.json (or .txt, .csv, .npy) beside it, see --help")
    target = placed_target(rig, vertices, triangles, read_landmarks(file, vertices), unit)
    try:
        start, fitted, pairs = register(rig, target)
        carrier = Carrier(rig, target.vertices, start, fitted, pairs)
    except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
        raise BadScan(f"the registration failed ({error})") from error
    if not np.isfinite(carrier.vertices).all():
        raise BadScan("the registration gave no finite result: look for holes and spikes in the mesh")
    return KeptScan(carrier.vertices, target)


class Workshop:
    """A folder that keeps each scan's result, so that a run that was stopped goes on where it was."""

    def __init__(self, folder: Path, unit: str) -> None:
        self.folder, self.unit = folder, unit
        folder.mkdir(parents=True, exist_ok=True)

    def kept(self, path: Path) -> KeptScan | None:
        """The result of an earlier run, if the scan and its landmarks are still the same."""
        file = self._file(path)
        if not file.is_file():
            return None
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            if str(arrays["stamp"]) != self._stamp(path):
                return None
            numbers, marks = arrays["numbers"].tolist(), arrays["marks"]
            target = Target(arrays["scan"], arrays["triangles"], dict(zip(numbers, marks, strict=True)))
            return KeptScan(arrays["vertices"], target)

    def keep(self, path: Path, result: KeptScan) -> None:
        """Writes a result; it is there whole or not at all."""
        target = result.target
        with whole_file(self._file(path)) as stream:
            np.savez_compressed(
                stream,
                stamp=np.array(self._stamp(path)),
                vertices=result.vertices,
                scan=target.vertices,
                triangles=target.triangles,
                numbers=np.array(list(target.landmarks)),
                marks=np.stack(list(target.landmarks.values())),
            )

    def _file(self, path: Path) -> Path:
        return self.folder / f"{path.name}.npz"

    def _stamp(self, path: Path) -> str:
        digest = hashlib.sha256(f"{_VERSION} {self.unit} ".encode())
        digest.update(path.read_bytes())
        file = landmark_file(path)
        digest.update(file.read_bytes() if file else b"")
        return digest.hexdigest()


def corresponding_model(
    rig: Rig, files: list[Path], shared: Path | None, unit: str, most: int, share: float, skipped: dict[str, str]
) -> FaceModel:
    """Meshes of one topology as a face model; those that do not fit go to `skipped`. Raises :class:`BadScan`."""
    with_marks = next((path for path in files if landmark_file(path)), files[0])
    vertices, triangles = read_mesh(with_marks)
    file = shared or landmark_file(with_marks)
    if file is None:
        raise BadScan(f"no mesh has landmarks: put {files[0].stem}.json beside {files[0].name}, see --help")
    landmarks = read_landmarks(file, vertices)
    first = placed_target(rig, vertices, triangles, landmarks, unit)
    # From the mesh's own frame to head space, and its landmarks as the nearest vertices, for all meshes alike.
    used = np.unique(triangles)
    pose = fit_similarity(vertices[used], first.vertices[used])
    ids = {number: int(np.argmin(np.linalg.norm(vertices - place, axis=1))) for number, place in landmarks.items()}
    heads = [pose(head) for head in _same_topology(files, len(vertices), triangles, skipped)]
    try:
        mean, modes, _ = principal_modes(centred(np.stack(heads), used), most, share)
    except ValueError as error:
        raise BadScan(str(error)) from error
    return FaceModel(
        name="scans",
        mean=mean,
        triangles=first.triangles,
        modes=modes,
        landmarks={number: mean[vertex] for number, vertex in ids.items()},
        unit="mm",
        source="",
        licence="",
    )


def _same_topology(files: list[Path], count: int, triangles: Ints, skipped: dict[str, str]) -> Iterator[Floats]:
    for path in files:
        try:
            vertices, faces = read_mesh(path)
        except BadScan as error:
            skipped[path.name] = str(error)
            continue
        if len(vertices) != count or not np.array_equal(faces, triangles):
            skipped[path.name] = f"its {len(vertices)} vertices or its faces are not those of the first mesh ({count})"
        elif not np.isfinite(vertices).all():
            skipped[path.name] = "it has coordinates that are not numbers"
        else:
            yield vertices
