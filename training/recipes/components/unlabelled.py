"""Pictures without shapes and shapes without pictures, which the two outer components may be pre-trained on too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.progress import Progress
from training.recipes.components.config import Kind
from training.recipes.components.data import Pairs, pairs_from_faces, pairs_from_views
from training.recipes.photos import FaceFinder, NotUsable, contents

Grey = NDArray[np.uint8]


def read_images(
    folder: Path,
    kind: Kind,
    size: int,
    finder: Callable[[], FaceFinder] | None = None,
    limit: int | None = None,
    progress: bool = True,
) -> tuple[Grey, list[str]]:
    """Grey pictures (m,size,size) of a folder, a rendered one or any of photos, and sentences about what was left out.

    Photos of objects must show one before a plain background; in photos of faces `finder` (by default the product's
    own) finds them; files are counted by why they were left out. Raises `ValueError` when nothing is left or rendered
    pictures show something else, `OSError` when the folder cannot be read.
    """
    if (folder / "dataset.json").is_file():
        return _rendered(folder, kind, size, limit).images, []
    prepare = _object if kind == "objects" else _face(finder)
    found: list[Grey] = []
    left_out: Counter[str] = Counter()
    total = sum(path.is_file() for path in folder.rglob("*")) if progress else 0
    with Progress(f"pictures in {folder.name}", total, unit="file", shown=progress) as bar:
        for _, content in contents(folder):
            if limit is not None and len(found) == limit:
                break
            try:
                if content is None:
                    raise NotUsable("no picture that can be read")
                found.append(prepare(content, size))
            except NotUsable as reason:
                left_out[str(reason)] += 1
            bar.advance(note=f"{len(found)} usable")
    why = "; ".join(f"{count} {reason}" for reason, count in left_out.items())
    if not found:
        raise ValueError(f"{folder} holds no picture that can be used ({why or 'it is empty'})")
    return np.stack(found), [f"left out of {folder}: {why}"] if why else []


def read_shapes(folder: Path, kind: Kind, resolution: int, limit: int | None = None) -> tuple[NDArray[Any], list[str]]:
    """Shapes of a folder, grids (n,R,R,R) or vertices (n,N,3) of rendered heads, and what is wrong with those left out.

    Objects are read in every layout of `training.voxels.folders`, or from a rendered folder. Raises `ValueError` when
    nothing is left, `OSError` when the folder cannot be read.
    """
    if (folder / "dataset.json").is_file():
        return _rendered(folder, kind, 8, limit).shapes, []
    if kind == "heads":
        raise ValueError(f"{folder} holds no heads: name a folder that `likeness render` or `render-objects` made")
    from training.voxels.faults import BadShapeFile
    from training.voxels.folders import ShapeReader, find_shapes

    reader, grids = ShapeReader(resolution), []
    faults: list[str] = []
    for source in find_shapes(folder)[:limit]:
        try:
            grids.append(reader.read(source).grid)
        except BadShapeFile as fault:
            faults.append(f"left out: {fault}")
    if not grids:
        raise ValueError(f"{folder} holds no shape that can be used")
    return np.stack(grids), faults


def _rendered(folder: Path, kind: Kind, size: int, limit: int | None) -> Pairs:
    record = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if record.get("kind", "heads") != kind:
        raise ValueError(f"{folder} shows {record.get('kind', 'heads')}, and the run is of {kind}")
    if "kind" in record:
        from training.views import read_views

        return pairs_from_views(read_views(folder, limit), size)
    from training.dataset import read_faces

    return pairs_from_faces(read_faces(folder, limit, reflectance=False), size)


def _object(content: bytes, size: int) -> Grey:
    from backend.decode import decode
    from backend.failures import Failure
    from backend.voxels import prepared

    try:
        return prepared(decode(content).image, size)[0]
    except Failure as failure:
        plain = failure.code == "object_none"
        raise NotUsable("no object before a plain background" if plain else "no picture that can be read") from failure


def _face(finder: Callable[[], FaceFinder] | None) -> Callable[[bytes, int], Grey]:
    from training.crop import crops_from_landmarks, sample

    if finder is None:
        from training.recipes.photos import BundleFinder

        finder = BundleFinder
    found = finder()

    def prepare(content: bytes, size: int) -> Grey:
        face = found.find(content)
        crops = crops_from_landmarks(np.asarray(face.landmarks, np.float64)[None])
        return np.asarray(Image.fromarray(sample(face.picture.convert("RGB"), crops, 0, size)).convert("L"))

    return prepare
