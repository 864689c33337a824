"""The protocol on rendered people of a face model, whose own mesh is the scan: no part of the template is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.now.protocol import IBUG, scan_to_mesh
from training.evaluation.surfaces import Mesh
from training.registration.models.model import FaceModel
from training.shards import read_info, read_shard, shard_paths

if TYPE_CHECKING:
    from backend.pipeline import Reconstructor

_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
# What of a bundle's head a scanner would see: the mouth's inside, brows and lashes are not scanned.
SCANNED = ("skin", "eye")


@dataclass(frozen=True)
class Subject:
    """One person: coefficients (K,) in the face model, and the photos' contents and yaws in degrees."""

    coefficients: NDArray[np.float64]
    photos: tuple[bytes, ...]
    yaws: tuple[float, ...]


def subjects(folder: Path, population: str) -> Iterator[Subject]:
    """The people of a rendered dataset that were drawn from `population`."""
    together = read_info(folder).photos
    people: dict[int, list[tuple[bytes, Mapping[str, Any]]]] = {}
    for path in shard_paths(folder):
        for sample in read_shard(path):
            if sample.parameters["identity"]["population"] == population:
                people.setdefault(sample.index // together, []).append((sample.picture, sample.parameters))
    for photos in people.values():
        coefficients = np.array(photos[0][1]["identity"]["coefficients"], np.float64)
        yield Subject(coefficients, tuple(p for p, _ in photos), tuple(float(q["yaw"]) for _, q in photos))


@dataclass(frozen=True)
class Scored:
    """Distances (P,) mm from the scan's face to a head, and to the bundle's mean head."""

    ours: NDArray[np.float64]
    control: NDArray[np.float64]


class Scorer:
    """Lays heads of a bundle on the scans of a face model's people."""

    def __init__(self, reconstructor: Reconstructor, model: FaceModel) -> None:
        """`model` is the one that the people were drawn from."""
        self._reconstructor, self._model = reconstructor, model
        bundle = reconstructor.bundle
        names = list(bundle.description["material_names"])
        seen = np.isin(bundle.arrays["material"], [names.index(name) for name in SCANNED if name in names])
        self._triangles = bundle.triangles[np.repeat(seen, 2)].astype(np.int64)
        self._points = bundle.landmarks68[IBUG]

    def scan(self, subject: Subject) -> tuple[Mesh, NDArray[np.float64]]:
        """The subject's mesh in the face model's own topology, and its seven points (7,3), mm."""
        unit, model = _MILLIMETRES[self._model.unit], self._model
        # A scanner sees the skin, and neither eyeballs' backs nor teeth nor the mouth's inside.
        skin, triangles = np.unique(model.triangles, return_inverse=True)
        modes = model.modes[: len(subject.coefficients), skin]
        vertices = unit * (model.mean[skin] + np.tensordot(subject.coefficients, modes, 1))
        ids = [int(np.argmin(np.linalg.norm(model.mean[skin] - model.landmarks[int(n)], axis=1))) for n in IBUG]
        return Mesh(vertices, triangles.reshape(model.triangles.shape)), vertices[ids]

    def control(self, subject: Subject) -> NDArray[np.float64]:
        """Distances (P,) mm from the subject's face to the bundle's mean head."""
        return self._distances(*self.scan(subject), self._reconstructor.bundle.mean)

    def score(
        self, subject: Subject, photos: Sequence[int], control: NDArray[np.float64], refine: bool = True
    ) -> Scored | None:
        """Of the head that the photos of these numbers give together, beside the subject's `control`.

        None where no face was found.
        """
        from backend.failures import Failure

        pictures = [subject.photos[number] for number in photos]
        try:
            answer = (
                self._reconstructor.reconstruct(pictures[0], refine=refine)
                if len(pictures) == 1
                else self._reconstructor.reconstruct_together(pictures, refine=refine)[0]
            )
        except Failure:
            return None
        head = self._reconstructor.bundle.vertices(answer.identity)
        return Scored(self._distances(*self.scan(subject), head), control)

    def _distances(self, scan: Mesh, points: NDArray[np.float64], head: NDArray[np.floating]) -> NDArray[np.float64]:
        vertices = head.astype(np.float64)
        return scan_to_mesh(scan, points, Mesh(vertices, self._triangles), vertices[self._points])


@dataclass(frozen=True)
class Compared:
    """Medians of all distances together, mm, of heads and control; their ratio; the share of the heads whose own
    median is above the control's; how many heads, and how many faces were not found.
    """

    ours: float
    control: float
    ratio: float
    worse: float
    count: int
    missing: int


def compared(scores: Sequence[Scored | None]) -> Compared:
    """The figures of some heads. Raises `ValueError` when no face was found."""
    found = [score for score in scores if score is not None]
    if not found:
        raise ValueError("no face was found in any of the pictures")
    ours, control = (float(np.median(np.concatenate([getattr(s, n) for s in found]))) for n in ("ours", "control"))
    worse = float(np.mean([np.median(s.ours) > np.median(s.control) for s in found]))
    return Compared(ours, control, ours / control, worse, len(found), len(scores) - len(found))
