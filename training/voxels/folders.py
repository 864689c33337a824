"""Finds and reads the shapes of a folder, in the layouts of their publishers.

CLASS.npy.gz                                      packed grids, ModelNet's orientation
CLASS/train/CLASS_0001.off, CLASS/test/...        ModelNet
SYNSET/ID/models/model_normalized.solid.binvox    ShapeNet
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.voxels.binvox import read_binvox
from training.voxels.faults import BadShapeFile
from training.voxels.grid import Grid, resized, solid
from training.voxels.off import read_off
from training.voxels.orientation import MODELNET, SHAPENET, Orientation
from training.voxels.packed import read_packed
from training.voxels.voxelise import voxelise

# The synsets of ModelNet10's classes in ShapeNetCore.
SYNSETS = {"03001627": "chair", "03211117": "monitor", "04379243": "table", "04256520": "sofa", "02818832": "bed"}
_BINVOX = ("models/model_normalized.solid.binvox", "model.binvox")


@dataclass(frozen=True)
class Shape:
    """One shape: its name (the file's, and its number in a packed one), its class, its grid (R,R,R) at the asked
    resolution, and what is rendered of it: a mesh (vertices (V,3), triangles (F,3)) or a finer grid.
    """

    name: str
    kind: str
    grid: Grid
    mesh: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None
    fine: Grid | None = None


@dataclass(frozen=True)
class Source:
    """One shape's file before it is read; `number` counts within a packed file, `split` is ModelNet's own or ""."""

    path: Path
    kind: str
    name: str
    number: int = 0
    split: str = ""


def find_shapes(folder: Path, classes: tuple[str, ...] = ()) -> list[Source]:
    """All shapes of a folder in the order of their names, of some `classes` or of all.

    Packed files are opened to count; one that is damaged counts as one shape, which `ShapeReader` then refuses. Raises
    `FileNotFoundError` when the folder holds no shapes in a known layout.
    """
    found: list[Source] = []
    for path in sorted(folder.glob("*.npy.gz")):
        kind = path.name.removesuffix(".npy.gz")
        if not classes or kind in classes:
            try:
                count = len(read_packed(path))
            except BadShapeFile:
                count = 1
            found += [Source(path, kind, f"{kind}/{number:04d}", number) for number in range(count)]
    for path in sorted(folder.glob("*/*/*.off")):
        kind = path.parents[1].name
        if not classes or kind in classes:
            found.append(Source(path, kind, f"{kind}/{path.stem}", split=path.parent.name))
    for pattern in _BINVOX:
        for path in sorted(folder.glob(f"*/*/{pattern}")):
            synset, model = path.relative_to(folder).parts[:2]
            kind = SYNSETS.get(synset, synset)
            if not classes or kind in classes:
                found.append(Source(path, kind, f"{kind}/{model}"))
    if not found:
        wanted = f" of {', '.join(classes)}" if classes else ""
        raise FileNotFoundError(
            f"{folder} holds no shapes{wanted}: CLASS.npy.gz, CLASS/train/*.off (ModelNet) or "
            "SYNSET/ID/models/*.binvox (ShapeNet) are read"
        )
    return found


class ShapeReader:
    """Reads one source after the other; the packed file that it read last stays in memory.

    `resolution` is that of the grids; `orientation` None means the layout's own; `fill` fills what a surface encloses.
    """

    def __init__(self, resolution: int = 30, orientation: Orientation | None = None, fill: bool = True) -> None:
        self.resolution, self.orientation, self.fill = resolution, orientation, fill
        self._packed: tuple[Path, Grid] | None = None

    def read(self, source: Source) -> Shape:
        """The shape of a source. Raises :class:`BadShapeFile` when its file holds none that can be used."""
        if source.path.suffix == ".off":
            return self._from_mesh(source)
        if source.path.suffix == ".binvox":
            return self._from_grid(source, read_binvox(source.path), self.orientation or SHAPENET)
        if self._packed is None or self._packed[0] != source.path:
            self._packed = source.path, read_packed(source.path)
        return self._from_grid(source, self._packed[1][source.number], self.orientation or MODELNET)

    def _from_grid(self, source: Source, grid: Grid, orientation: Orientation) -> Shape:
        if not grid.any():
            raise BadShapeFile(source.path, f"{source.name} is empty; it is left out")
        if len(set(grid.shape)) != 1:
            raise BadShapeFile(
                source.path, f"its sides differ ({' x '.join(map(str, grid.shape))}); only cubes are read"
            )
        turned = orientation.grid(grid)
        fine = solid(turned) if self.fill else turned
        return Shape(source.name, source.kind, resized(fine, self.resolution), fine=fine)

    def _from_mesh(self, source: Source) -> Shape:
        vertices, triangles = read_off(source.path)
        turned = (self.orientation or MODELNET).points(vertices)
        try:
            grid = voxelise(turned, triangles, self.resolution, fill=self.fill)
        except ValueError as error:
            raise BadShapeFile(source.path, str(error)) from error
        return Shape(source.name, source.kind, grid, mesh=(turned, triangles))
