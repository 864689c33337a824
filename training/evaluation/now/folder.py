"""Folders in the layout that the NoW benchmark publishes: pictures, scans with seven points each, predicted meshes.

```
imagepathsvalidation.txt                  SUBJECT/CHALLENGE/IMG_0001.jpg, one a line
scans/SUBJECT/*.obj                       (or .ply), mm
scans_lmks_onlypp/SUBJECT/*.pp            (or .npy, .txt) the scan's seven points
NoW_Dataset/final_release_version/iphone_pictures/SUBJECT/CHALLENGE/IMG_0001.jpg
```

A folder of predictions has SUBJECT/CHALLENGE/IMG_0001.obj (or .ply) and IMG_0001.npy (or .txt) with its seven points.
A folder that has no list of pictures is taken to hold one prediction or picture a subject, named like the subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

CHALLENGES = ("multiview_neutral", "multiview_expressions", "multiview_occlusions", "selfie")
_LISTS = ("imagepathsvalidation.txt", "imagepathstest.txt")
_PICTURES = Path("NoW_Dataset/final_release_version/iphone_pictures")
_MESHES, _POINTS, _IMAGES = (".obj", ".ply"), (".pp", ".npy", ".txt"), (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Entry:
    """One picture to be scored: `name` as the list has it without its ending, its subject, and its challenge or ""."""

    name: str
    subject: str
    challenge: str


@dataclass(frozen=True)
class NowFolder:
    """A folder of the benchmark and its list of pictures."""

    folder: Path
    entries: tuple[Entry, ...]

    def scan(self, subject: str) -> tuple[Path, Path]:
        """The subject's scan, and its seven points. Raises `FileNotFoundError` when one of the two is not there."""
        scan = _found(self.folder / "scans", subject, _MESHES, "scan")
        for name in ("scans_lmks_onlypp", "scans_lmks", "scans"):
            try:
                return scan, _found(self.folder / name, subject, _POINTS, "points")
            except FileNotFoundError:
                continue
        raise FileNotFoundError(
            f"{self.folder} has no scans_lmks_onlypp/{subject}/ with seven points (.pp, .npy, .txt)"
        )

    def picture(self, entry: Entry) -> Path:
        """The entry's picture. Raises `FileNotFoundError` when it is not there."""
        for folder in (self.folder / _PICTURES, self.folder / "pictures", self.folder):
            for ending in _IMAGES:
                if (path := folder / f"{entry.name}{ending}").is_file():
                    return path
        raise FileNotFoundError(f"{self.folder / _PICTURES / entry.name}.jpg is not there")


def open_now(folder: Path, challenge: str | None = None) -> NowFolder:
    """Reads the list of pictures, of one challenge if asked.

    Raises `FileNotFoundError` when the folder holds no scans, and `ValueError` when the list names no such picture.
    """
    if not (folder / "scans").is_dir():
        raise FileNotFoundError(f"{folder} has no folder scans: name the folder that holds the benchmark's scans")
    listed = next((folder / name for name in _LISTS if (folder / name).is_file()), None)
    if listed is None:
        subjects = sorted({path.stem if path.is_file() else path.name for path in (folder / "scans").iterdir()})
        return NowFolder(folder, tuple(Entry(subject, subject, "") for subject in subjects))
    entries = []
    for line in listed.read_text(encoding="utf-8").split():
        parts = Path(line).with_suffix("").parts[-3:]
        if len(parts) < 3:
            raise ValueError(f"{listed}: {line!r} is not SUBJECT/CHALLENGE/PICTURE")
        entries.append(Entry("/".join(parts), parts[0], parts[1]))
    chosen = tuple(entry for entry in entries if challenge in (None, entry.challenge))
    if not chosen:
        raise ValueError(
            f"{listed} names no picture of the challenge {challenge}: it is one of {', '.join(CHALLENGES)}"
        )
    return NowFolder(folder, chosen)


def prediction(folder: Path, entry: Entry) -> tuple[Path, Path]:
    """Mesh and seven points of a predicted head. Raises `FileNotFoundError` when one of them is not there."""
    mesh = next((p for e in _MESHES if (p := folder / f"{entry.name}{e}").is_file()), None)
    points = next((p for e in _POINTS if (p := folder / f"{entry.name}{e}").is_file()), None)
    if mesh is None or points is None:
        missing = "mesh (.obj or .ply)" if mesh is None else "seven points (.npy or .txt)"
        raise FileNotFoundError(f"{folder / entry.name}: the predicted head's {missing} is not there")
    return mesh, points


def read_points(path: Path) -> NDArray[np.float64]:
    """Seven points (7,3) from MeshLab's .pp, from .npy, or from .txt (a point a line).

    Raises `ValueError` when there are not seven.
    """
    if path.suffix == ".pp":
        # The file comes with the data; MeshLab writes no entities, and ElementTree follows no external ones.
        nodes = ElementTree.parse(path).getroot().iter("point")
        points = np.array([[float(node.attrib[axis]) for axis in "xyz"] for node in nodes])
    elif path.suffix == ".npy":
        points = np.load(path, allow_pickle=False)
    else:
        points = np.loadtxt(path, delimiter="," if "," in path.read_text(encoding="utf-8") else None)
    points = np.asarray(points, np.float64)
    if points.shape != (7, 3):
        raise ValueError(f"{path} holds an array of shape {points.shape}; the protocol's seven points are (7, 3)")
    return points


def _found(folder: Path, subject: str, endings: tuple[str, ...], what: str) -> Path:
    inside = sorted(path for ending in endings for path in (folder / subject).glob(f"*{ending}"))
    beside = [folder / f"{subject}{ending}" for ending in endings]
    for path in [*inside, *beside]:
        if path.is_file():
            return path
    raise FileNotFoundError(f"{folder / subject} holds no {what} ({', '.join(endings)})")
