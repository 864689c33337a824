"""Unlabelled photos of faces, from any folder: found and marked by the product's own detector, what is no face counted.

Papers 4 and 5 learn from photos that nobody has labelled; landmarks and boxes come from detectors (Saragih et al. 2011
and Viola-Jones boxes there, a Likeness bundle and its localiser here). A folder of rendered faces (shards) is read as
one of photos: its pictures alone are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.crop import Crops, sample
from training.formation.picture import OUTLINE
from training.progress import Progress
from training.shards import DatasetError, read_members, shard_paths

Floats = NDArray[np.floating[Any]]

# An outline may leave the picture by this share of its box: landmarks are not more exact than that.
_OUTSIDE = 0.03
_SMALLEST = 40.0


@dataclass(frozen=True)
class FoundFace:
    """A photo's largest face: the picture, and landmarks (68,2) in its pixels."""

    picture: Image.Image
    landmarks: Floats


class NotUsable(Exception):
    """A file from which no face can be learned; the message is one of few reasons, to be counted."""


class FaceFinder(Protocol):
    """What finds the face in a file's content."""

    def find(self, content: bytes) -> FoundFace:
        """The largest face. Raises `NotUsable`."""
        ...


class BundleFinder:
    """The product's own way to a face: its localiser, then a bundle's landmarks after a second look."""

    def __init__(self, bundle: Path | None = None) -> None:
        from backend.failures import Failure
        from backend.pipeline import Reconstructor

        self._failure = Failure
        try:
            self._reconstructor = Reconstructor.open(bundle)
        except Failure as failure:
            raise ValueError(str(failure)) from failure

    def find(self, content: bytes) -> FoundFace:
        """The largest face. Raises `NotUsable`."""
        from backend.decode import decode

        try:
            picture = decode(content)
            found = self._reconstructor.reconstruct(content)
        except self._failure as failure:
            code = failure.code
            raise NotUsable("no face" if code.startswith("face") else "no picture that can be read") from failure
        if found.landmarks68_2d is None:
            raise ValueError("this bundle finds no landmarks: name one that does")
        return FoundFace(picture.image, np.asarray(found.landmarks68_2d) / picture.reduction)


@dataclass(frozen=True)
class Photos:
    """`n` faces cut out by their landmarks.

    images (n,S,S,3) uint8, black outside the photo; landmarks (n,68,2) pixels of the cut; names (n,) of their files or
    samples; skipped how many files were left out, by reason; source says which folder they are of.
    """

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    names: NDArray[np.str_]
    skipped: Mapping[str, int] = field(default_factory=dict)
    source: str = ""

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: NDArray[np.intp] | slice) -> Photos:
        """Some of them."""
        return Photos(self.images[indices], self.landmarks[indices], self.names[indices], self.skipped, self.source)

    def save(self, path: Path) -> None:
        """Writes a file that loads without pickle, whole or not at all."""
        part = path.with_name(path.name + ".partial")
        reasons = np.array([f"{count} {reason}" for reason, count in self.skipped.items()], dtype=str)
        with part.open("wb") as file:
            np.savez(
                file,
                images=self.images,
                landmarks=self.landmarks,
                names=self.names,
                skipped=reasons,
                source=np.array(self.source),
            )
        part.replace(path)

    @staticmethod
    def load(path: Path) -> Photos:
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            pairs = [str(line).split(" ", 1) for line in arrays["skipped"]]
            skipped = {reason: int(count) for count, reason in pairs}
            source = str(arrays["source"]) if "source" in arrays else ""
            return Photos(arrays["images"], arrays["landmarks"], arrays["names"], skipped, source)


def gather(
    folder: Path, finder: FaceFinder, size: int, fill: float, limit: int | None = None, progress: bool = True
) -> Photos:
    """Every face that can be used in a folder (and the folders in it), or in the shards of a dataset.

    The cut is square, upright, and the landmarks' box fills `fill` of it. Files that are no pictures, pictures without
    a face, faces cut off by the picture's edge or too small are left out and counted. Raises `ValueError` when nothing
    is left.
    """
    images, landmarks = [], []
    names: list[str] = []
    skipped: Counter[str] = Counter()
    with _bar(folder, progress) as bar:
        for name, content in contents(folder):
            if limit is not None and len(names) == limit:
                break
            try:
                if content is None:
                    raise NotUsable("no picture that can be read")
                image, points = cut(finder.find(content), size, fill)
            except NotUsable as reason:
                skipped[str(reason)] += 1
            else:
                images.append(image)
                landmarks.append(points)
                names.append(name)
            bar.advance(note=f"{len(names)} faces")
    if not names:
        why = "; ".join(f"{count} {reason}" for reason, count in skipped.items()) or "it is empty"
        raise ValueError(f"{folder} holds no face that can be used ({why}): name a folder of photos of faces")
    points = np.stack(landmarks).astype(np.float32)
    return Photos(np.stack(images), points, np.array(names), dict(skipped), _source(folder, limit))


def gathered(
    kept: Path,
    folder: Path,
    finder: Callable[[], FaceFinder],
    size: int,
    fill: float,
    limit: int | None = None,
    progress: bool = True,
) -> Photos:
    """What `gather` finds, looked for once and kept in the file `kept`; `finder` is made only when it is needed.

    Raises `ValueError` when the file holds the faces of another folder, or fewer or more of them.
    """
    if kept.is_file():
        photos = Photos.load(kept)
        if photos.source != _source(folder, limit) or photos.images.shape[1] != size:
            raise ValueError(
                f"{kept} holds {photos.images.shape[1]} pixel faces of {photos.source or 'another folder'}, not those "
                f"of {_source(folder, limit)}: take another folder for the output, or remove that file"
            )
        return photos
    photos = gather(folder, finder(), size, fill, limit, progress)
    kept.parent.mkdir(parents=True, exist_ok=True)
    photos.save(kept)
    return photos


def _source(folder: Path, limit: int | None) -> str:
    return folder.name if limit is None else f"the first {limit} of {folder.name}"


def contents(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of every file of a folder, or of every picture in its shards; None where it cannot be read.

    Raises `FileNotFoundError` when there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    shards = shard_paths(folder)
    for shard in shards:
        try:
            for key, members in read_members(shard, ("jpg", "png")):
                yield key, next(iter(members.values()), None)
        except DatasetError:
            yield shard.name, None
    if shards:
        return
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            yield path.relative_to(folder).as_posix(), path.read_bytes()
        except OSError:
            yield path.name, None


def cut(face: FoundFace, size: int, fill: float) -> tuple[NDArray[np.uint8], Floats]:
    """Pixels (size,size,3) of a face, and its landmarks (68,2) in them. Raises `NotUsable`."""
    points = np.asarray(face.landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise NotUsable("no face")
    low, high = points.min(0), points.max(0)
    box = float((high - low).max())
    if box < _SMALLEST:
        raise NotUsable("face too small")
    outline = points[list(OUTLINE)]
    edge = np.array(face.picture.size) + _OUTSIDE * box
    if (outline < -_OUTSIDE * box).any() or (outline > edge).any():
        raise NotUsable("face cut off")
    crops = Crops((low + high)[None] / 2, np.array([box / fill]), np.zeros(1))
    return sample(face.picture, crops, 0, size), crops.to_crop(points[None], size)[0]


def _bar(folder: Path, progress: bool) -> Progress:
    from training.shards import count_samples

    total = 0
    if progress and folder.is_dir():
        shards = shard_paths(folder)
        total = sum(map(count_samples, shards)) if shards else sum(path.is_file() for path in folder.rglob("*"))
    return Progress(f"faces in {folder.name}", total, unit="file", shown=progress)
