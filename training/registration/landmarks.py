"""Landmarks beside a scan: which of the 68 iBUG points are known, as positions or as vertices of the mesh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.registration.target import BadScan

Floats = NDArray[np.float64]

ENDINGS = (".json", ".txt", ".csv", ".npy", ".pts")
LEAST = 5

# Names as Scalismo and the Basel Face Models give them; the subject's own left and right.
NAMES = {
    "center.chin.tip": 8,
    "center.nose.root": 27,
    "center.nose.tip": 30,
    "center.nose.attachement_to_philtrum": 33,
    "right.nose.wing.outer": 31,
    "left.nose.wing.outer": 35,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "center.lips.upper.outer": 51,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}  # fmt: skip


def landmark_file(mesh: Path) -> Path | None:
    """The landmarks beside a mesh, if any."""
    for stem in (mesh.stem, f"{mesh.stem}_landmarks"):
        for ending in ENDINGS:
            path = mesh.with_name(stem + ending)
            if path.is_file():
                return path
    return None


def read_landmarks(path: Path, vertices: Floats) -> dict[int, Floats]:
    """iBUG number -> position (3,) in the coordinates of vertices (V,3). Raises :class:`BadScan`."""
    return positions(landmarks_in(path), vertices, path.name)


def landmarks_in(path: Path) -> dict[int, Any]:
    """iBUG number -> position or vertex, as the file has them. Raises :class:`BadScan`."""
    found: dict[int, Any]
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                found = dict(enumerate(np.load(file, allow_pickle=False)))
        elif path.suffix == ".json":
            found = _from_json(json.loads(path.read_text(encoding="utf-8")))
        else:
            found = _from_lines(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError) as error:
        raise BadScan(f"its landmarks {path.name} cannot be read ({error})") from error
    return found


def positions(found: dict[int, Any], vertices: Floats, source: str) -> dict[int, Floats]:
    """Checks landmarks given as positions or vertex numbers. Raises :class:`BadScan`."""
    landmarks = {}
    for number, value in found.items():
        if not 0 <= number < 68:
            raise BadScan(f"{source} has a landmark {number}: they count from 0 to 67")
        place = np.asarray(value, np.float64)
        if place.ndim == 0 and 0 <= int(place) < len(vertices):
            place = vertices[int(place)]
        if place.shape != (3,) or not np.isfinite(place).all():
            raise BadScan(f"landmark {number} of {source} is neither a vertex of the mesh nor a position x y z")
        landmarks[number] = np.array(place)
    if len(landmarks) < LEAST:
        raise BadScan(f"{source} has {len(landmarks)} landmarks, at least {LEAST} are needed")
    return landmarks


def _from_json(content: Any) -> dict[int, Any]:
    if isinstance(content, dict):
        return {_number(name): value for name, value in content.items() if _known(name)}
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return {_number(str(p["id"])): p["coordinates"] for p in content if _known(str(p.get("id", "")))}
    if isinstance(content, list) and len(content) == 68:
        return dict(enumerate(content))
    raise ValueError("neither a list of 68 nor an object of them")


def from_scalismo(text: str) -> dict[int, Any]:
    """Landmarks (those with an iBUG number) of Scalismo's JSON."""
    return _from_json(json.loads(text))


def _from_lines(text: str) -> dict[int, Any]:
    rows = [line.replace(",", " ").replace(";", " ").split() for line in text.splitlines()]
    rows = [row for row in rows if row and row[0][0] not in "#{}" and not row[0].endswith(":")]
    if all(len(row) == 3 for row in rows):
        if len(rows) != 68:
            raise ValueError(f"{len(rows)} points without numbers, 68 are needed")
        return {number: [float(word) for word in row] for number, row in enumerate(rows)}
    if all(len(row) == 4 for row in rows):
        return {_number(row[0]): [float(word) for word in row[1:]] for row in rows if _known(row[0])}
    raise ValueError("lines are not x y z, nor number x y z")


def _known(name: str) -> bool:
    return name in NAMES or name.isdigit()


def _number(name: str) -> int:
    return NAMES[name] if name in NAMES else int(name)
