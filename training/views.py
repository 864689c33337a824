"""Pictures of things from several sides, each thing with its shape: the data of the recipe `components`.

A folder holds `dataset.json` and chunks `chunk-00012.npz`, each written under another name and then renamed; for heads
`template.npz` too. Thing i depends on the settings and i alone; a thing that could not be read is left out of its
chunk and named in `left_out.txt`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.voxels.grid import unpack

SCHEMA = 1
INFO = "dataset.json"
TEMPLATE = "template.npz"


@dataclass(frozen=True)
class ViewsInfo:
    """What a folder holds; two runs may share it only if these are equal.

    kind is "objects" or "heads"; resolution px, azimuths degrees (`training.render.turntable.View`), voxels the side of
    the grids (0 for heads), source what the shapes came from.
    """

    kind: str
    count: int
    per_chunk: int
    resolution: int
    samples: int
    azimuths: tuple[float, ...]
    voxels: int
    seed: int
    source: str
    schema: int = SCHEMA

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.count // self.per_chunk)

    def indices(self, chunk: int) -> range:
        """The things of a chunk."""
        return range(chunk * self.per_chunk, min((chunk + 1) * self.per_chunk, self.count))


@dataclass(frozen=True)
class ViewSet:
    """`n` things, each seen from V sides.

    images (n,V,S,S) uint8 grey, sRGB, and alpha (n,V,S,S); azimuths (V,) degrees; names and kinds (n,); grids
    (n,R,R,R) bool for objects, vertices (n,N,3) float32 mm in head space for heads, the other one None; template the
    arrays of `template.npz`.
    """

    images: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    azimuths: NDArray[np.float32]
    names: NDArray[np.str_]
    kinds: NDArray[np.str_]
    grids: NDArray[np.bool_] | None
    vertices: NDArray[np.float32] | None
    template: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> ViewSet:
        """The things at `chosen` (indices or a mask)."""
        return replace(
            self,
            images=self.images[chosen],
            alpha=self.alpha[chosen],
            names=self.names[chosen],
            kinds=self.kinds[chosen],
            grids=None if self.grids is None else self.grids[chosen],
            vertices=None if self.vertices is None else self.vertices[chosen],
        )


def chunk_path(folder: Path, chunk: int) -> Path:
    """Where a finished chunk lies."""
    return folder / f"chunk-{chunk:05d}.npz"


def open_views(folder: Path, info: ViewsInfo) -> None:
    """Makes the folder, or checks that what it holds was made with the same settings.

    Raises `ValueError` when it holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / INFO).exists():
        held = read_info(folder)
        differing = [name for name, value in asdict(info).items() if getattr(held, name) != value]
        if differing:
            raise ValueError(
                f"{folder} holds pictures made with other settings ({', '.join(differing)}): choose another --output, "
                "or give the same settings to go on with it"
            )
        return
    part = folder / f"{INFO}.partial"
    part.write_text(json.dumps(asdict(info), indent=1))
    part.replace(folder / INFO)


def read_info(folder: Path) -> ViewsInfo:
    """Settings of the folder. Raises `ValueError` when it holds no such dataset, or one of a newer version."""
    try:
        record = json.loads((folder / INFO).read_text())
        info = ViewsInfo(**record | {"azimuths": tuple(record["azimuths"])})
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{folder} holds no pictures from several sides ({error}): make some with `likeness render-objects`"
        ) from error
    if info.schema != SCHEMA:
        raise ValueError(f"{folder} has format {info.schema} and this version reads {SCHEMA}: update Likeness")
    return info


def write_chunk(folder: Path, chunk: int, arrays: dict[str, NDArray[Any]]) -> None:
    """Writes a chunk: images (k,V,S,S,2) grey and alpha, names, kinds, and bits or vertices."""
    path = chunk_path(folder, chunk)
    part = path.with_name(path.name + ".partial")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    part.replace(path)


def read_views(folder: Path, limit: int | None = None) -> ViewSet:
    """Reads what is finished of a folder, at most `limit` things; of objects equal voxel by voxel only the first.

    Raises `ValueError` when there is nothing, or a chunk is damaged.
    """
    info = read_info(folder)
    parts: list[dict[str, NDArray[Any]]] = []
    for path in sorted(folder.glob("chunk-*.npz")):
        if limit is not None and sum(len(part["names"]) for part in parts) >= limit:
            break
        try:
            # Opened here, because numpy leaves a torn file open.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                parts.append({name: arrays[name] for name in arrays.files})
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is damaged ({error}): delete it and render again, the others are kept") from error
    parts = [part for part in parts if len(part["names"])]
    if not parts:
        raise ValueError(f"{folder} holds no finished chunk: run `likeness render-objects` again to go on with it")
    columns = {name: np.concatenate([part[name] for part in parts])[:limit] for name in parts[0]}
    template: dict[str, NDArray[Any]] = {}
    if (folder / TEMPLATE).is_file():
        with np.load(folder / TEMPLATE, allow_pickle=False) as arrays:
            template = {name: arrays[name] for name in arrays.files}
    grids = unpack(columns["bits"], info.voxels) if "bits" in columns else None
    views = ViewSet(
        images=columns["images"][..., 0],
        alpha=columns["images"][..., 1],
        azimuths=np.array(info.azimuths, np.float32),
        names=columns["names"],
        kinds=columns["kinds"],
        grids=grids,
        vertices=columns.get("vertices"),
        template=template,
    )
    return views if grids is None else views.subset(_first_of_each(columns["bits"]))


def _first_of_each(bits: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Indices of the grids that equal no earlier one: twins would sit on both sides of a split."""
    seen: set[bytes] = set()
    kept = []
    for index, row in enumerate(bits):
        digest = hashlib.sha256(row.tobytes()).digest()
        if digest not in seen:
            seen.add(digest)
            kept.append(index)
    return np.array(kept, np.intp)
