"""Reads the shards that `likeness render` wrote into memory, and hands out the indices of reproducible batches."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from training.shards import Sample, count_samples, read_shard, shard_paths
from training.template import LANDMARKS_68

# Bytes of an array that is kept in memory wherever it is asked for.
_IN_MEMORY = 4e9

_NUMBERS = (
    "vertices", "landmarks68", "landmarks_dense", "rotation", "translation", "focal", "expression", "illumination",
)  # fmt: skip

# iBUG-68 landmark -> the landmark on the other side of the face.
# fmt: off
MIRROR_68 = np.array([
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
    27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])
# fmt: on


@dataclass(frozen=True)
class FaceSet:
    """`n` rendered faces in memory, all of one resolution.

    images (n,H,W,3) uint8 sRGB; vertices (n,N,3) float32 mm, neutral identity in head space; landmarks68 (n,68,2) and
    landmarks_dense (n,L,2) float32 pixels; rotation (n,3,3), translation (n,3) mm and focal (n,) pixels of the cameras,
    zeros where the samples hold none; visible68 (n,68) and visible_dense (n,L) bool, whether the picture shows the
    landmark, true where the samples do not say; reflectance (n,N,3) float16 linear RGB or None; yaw (n,) degrees; keys
    (n,) the samples' names, each another identity; expression (n,52) 0..1 and illumination (n,9,3) as
    `training.illumination` has it, zeros where the samples hold none; template the arrays of `template.npz`.
    """

    images: NDArray[np.uint8]
    vertices: NDArray[np.float32]
    landmarks68: NDArray[np.float32]
    landmarks_dense: NDArray[np.float32]
    rotation: NDArray[np.float32]
    translation: NDArray[np.float32]
    focal: NDArray[np.float32]
    visible68: NDArray[np.bool_]
    visible_dense: NDArray[np.bool_]
    yaw: NDArray[np.float32]
    keys: NDArray[np.str_]
    expression: NDArray[np.float32]
    illumination: NDArray[np.float32]
    reflectance: NDArray[np.float16] | None
    template: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: NDArray[np.intp] | NDArray[np.bool_]) -> FaceSet:
        """The faces at `indices` (or under a mask)."""
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        del arrays["template"]
        chosen: dict[str, Any] = {name: None if array is None else array[indices] for name, array in arrays.items()}
        return replace(self, **chosen)

    def joined(self, other: FaceSet) -> FaceSet:
        """These faces, then the other's. Raises `ValueError` when they are not on one template, or pictures or truth
        differ in kind.
        """
        mine, theirs = ({f.name: getattr(s, f.name) for f in fields(s) if f.name != "template"} for s in (self, other))
        if set(self.template) != set(other.template) or any(
            not np.array_equal(self.template[name], other.template[name]) for name in self.template
        ):
            raise ValueError("the sets' heads are of different templates: render one of them anew")
        for name, array in mine.items():
            if (array is None) != (theirs[name] is None) or (
                array is not None and array.shape[1:] != theirs[name].shape[1:]
            ):
                raise ValueError(f"the sets' faces differ in their {name}: render one of them as the other was")
        both: dict[str, Any] = {n: None if a is None else np.concatenate([a, theirs[n]]) for n, a in mine.items()}
        return replace(self, **both)

    def region(self, name: str) -> NDArray[np.intp]:
        """Vertex ids of the template's region `name`. Raises `ValueError` when the template has none of that name."""
        names = [str(n) for n in self.template["region_names"]]
        if name not in names:
            raise ValueError(f"the template has no region {name!r}; it has {', '.join(names)}")
        return np.flatnonzero(self.template["regions"][names.index(name)])


def read_faces(
    folder: Path, limit: int | None = None, progress: bool = True, reflectance: bool = True, spill: Path | None = None
) -> FaceSet:
    """Reads a dataset folder (shards and `template.npz`), at most `limit` samples, in the order of their names.

    Arrays of more than 4 GB go into a file in the folder `spill`, if one is named, which nobody sees and which is gone
    with the arrays: what is looked at is then read as it is needed.

    Raises `FileNotFoundError` when the folder holds no template or no finished shard, and `ValueError` when a sample
    is incomplete or differs in size from the others.
    """
    shards = shard_paths(folder)
    template_path = folder / "template.npz"
    if not shards or not template_path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no rendered faces (shard-*.tar and template.npz): "
            f"make some with `likeness render --output {folder}`"
        )
    with np.load(template_path, allow_pickle=False) as arrays:
        template = {name: arrays[name] for name in arrays.files}
    total = 0
    for shard in shards:
        total += count_samples(shard)
        if limit is not None and total >= limit:
            total = limit
            break
    columns: dict[str, NDArray[Any]] = {}
    names: list[str] = []
    samples = (sample for shard in shards for sample in read_shard(shard))
    with tqdm(total=total, desc=f"reading {folder.name}", unit="face", disable=not progress) as bar:
        for index, sample in zip(range(total), samples, strict=False):
            for field, array in _arrays(sample, reflectance).items():
                if index == 0:
                    columns[field] = _empty((total, *array.shape), array.dtype, spill)
                if field not in columns or columns[field].shape[1:] != array.shape:
                    raise ValueError(f"sample {sample.key} differs from the first one in its {field}: {array.shape}")
                columns[field][index] = array
            names.append(sample.key)
            bar.update()
    dense = columns.get("landmarks_dense", np.zeros((total, 0, 2), np.float32))
    template = move_landmarks(columns, template)
    return FaceSet(
        images=columns["images"],
        vertices=columns["vertices"],
        landmarks68=columns["landmarks68"],
        landmarks_dense=dense,
        rotation=columns.get("rotation", np.zeros((total, 3, 3), np.float32)),
        translation=columns.get("translation", np.zeros((total, 3), np.float32)),
        focal=columns.get("focal", np.zeros(total, np.float32)),
        visible68=columns.get("landmarks68_visible", np.ones((total, 68), bool)),
        visible_dense=columns.get("landmarks_dense_visible", np.ones(dense.shape[:2], bool)),
        yaw=columns["yaw"],
        keys=np.array(names),
        expression=columns.get("expression", np.zeros((total, 52), np.float32)),
        illumination=columns.get("illumination", np.zeros((total, 9, 3), np.float32)),
        reflectance=columns.get("reflectance"),
        template=template,
    )


def move_landmarks(columns: dict[str, NDArray[Any]], template: dict[str, Any]) -> dict[str, Any]:
    """The template with its landmarks where `LANDMARKS_68` has them now, and the points of n faces moved there.

    `columns` are the faces' arrays by their names in a sample, each (n,...); landmarks68 is changed in place. A
    landmark that was elsewhere on the template when the faces were rendered moves in the picture by as much as its
    vertex is away from the old one before the camera. Of templates that do not tell where they come from, and without
    cameras, nothing moves.
    """
    base_ids = template.get("base_ids", np.zeros(0, np.int32))
    cameras = all(name in columns for name in ("rotation", "translation", "focal", "expression"))
    if not np.isin(LANDMARKS_68, base_ids).all() or not cameras:
        return template
    order = np.argsort(base_ids, kind="stable")
    now = order[np.searchsorted(base_ids, LANDMARKS_68, sorter=order)]
    moved = np.flatnonzero(now != template["landmarks68"])
    if not len(moved):
        return template

    def placed(ids: NDArray[np.integer]) -> NDArray[np.float32]:
        acted = np.einsum("ne,evc->nvc", columns["expression"], template["expression"][:, ids])
        seen = np.einsum("nij,nvj->nvi", columns["rotation"], columns["vertices"][:, ids] + acted)
        seen += columns["translation"][:, None]
        on_picture: NDArray[np.float32] = columns["focal"][:, None, None] * seen[..., :2] / seen[..., 2:]
        return on_picture

    columns["landmarks68"][:, moved] += placed(now[moved]) - placed(template["landmarks68"][moved])
    return template | {"landmarks68": now.astype(template["landmarks68"].dtype)}


def read_sets(folders: Sequence[Path], limit: int | None = None, spill: Path | None = None) -> FaceSet:
    """The faces of several folders one after another, of the first at most `limit`; raises as `read_faces` does."""
    faces = read_faces(folders[0], limit, spill=spill)
    for folder in folders[1:]:
        faces = faces.joined(read_faces(folder, spill=spill))
    return faces


def split(count: int, held_out: float, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Two disjoint, sorted sets of indices: `held_out` of the `count` identities in the second one.

    A sample is an identity of its own, so that a split of the samples is one of the identities.
    """
    order = rng.permutation(count)
    cut = count - round(held_out * count)
    return np.sort(order[:cut]), np.sort(order[cut:])


def mirror_vertices(vertices: NDArray[np.float32], mirror: NDArray[np.integer]) -> NDArray[np.float32]:
    """Heads (...,N,3) seen in a mirror, vertex by vertex: x changes its sign, and vertices change sides."""
    flipped: NDArray[np.float32] = vertices[..., mirror, :] * np.array([-1, 1, 1], np.float32)
    return flipped


def mirror_points(ids: NDArray[np.integer], mirror: NDArray[np.integer]) -> NDArray[np.intp]:
    """For each landmark vertex of `ids` (L,) the index of the one on the other side, or -1 where there is none."""
    position = np.full(len(mirror), -1, np.intp)
    position[ids] = np.arange(len(ids))
    return position[mirror[ids]]


@dataclass(frozen=True)
class Sampler:
    """Draws batches that depend on (seed, step) alone, so that a resumed run sees what an uninterrupted one would.

    Each pool of indices fills its share of every batch, going through its members in a new order each time round.
    """

    pools: tuple[NDArray[np.intp], ...]
    shares: tuple[float, ...]
    batch_size: int
    seed: int

    def batch(self, step: int) -> NDArray[np.intp]:
        """Indices (batch_size,) of batch number `step`."""
        ends = np.round(np.cumsum(self.shares) * self.batch_size).astype(int)
        counts = np.diff(ends, prepend=0)
        parts = [self._draw(number, int(count), step) for number, count in enumerate(counts)]
        return np.concatenate(parts)

    def _draw(self, number: int, count: int, step: int) -> NDArray[np.intp]:
        pool, position = self.pools[number], step * count
        drawn: list[NDArray[np.intp]] = []
        while (left := count - sum(map(len, drawn))) > 0:
            turn, offset = divmod(position + count - left, len(pool))
            order = np.random.default_rng([self.seed, number, turn]).permutation(pool)
            drawn.append(order[offset : offset + left])
        return np.concatenate(drawn) if drawn else np.zeros(0, np.intp)


def make_sampler(yaw: NDArray[np.floating], batch_size: int, seed: int, posed: tuple[float, float] | None) -> Sampler:
    """All faces alike, or, with `posed` = (share, degrees), that share of each batch turned further than `degrees`.

    Raises `ValueError` when one of the two kinds is missing.
    """
    everything = np.arange(len(yaw))
    if posed is None:
        return Sampler((everything,), (1.0,), batch_size, seed)
    share, degrees = posed
    turned = np.abs(yaw) > degrees
    if not 0 < turned.sum() < len(yaw):
        raise ValueError(f"faces turned both less and more than {degrees:g} degrees are needed; render more of them")
    return Sampler((everything[~turned], everything[turned]), (1.0 - share, share), batch_size, seed)


def _empty(shape: tuple[int, ...], kind: np.dtype[Any], spill: Path | None) -> NDArray[Any]:
    if spill is None or np.prod(shape) * kind.itemsize <= _IN_MEMORY:
        return np.empty(shape, kind)
    spill.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=spill) as file:
        return np.memmap(file, kind, "w+", shape=shape)


def _arrays(sample: Sample, reflectance: bool) -> dict[str, NDArray[Any]]:
    """What a :class:`FaceSet` keeps of a sample. Raises `ValueError` when something is missing."""
    try:
        with Image.open(io.BytesIO(sample.picture)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise ValueError(f"the picture of sample {sample.key} cannot be read ({error}): render it anew") from error
    kept: dict[str, NDArray[Any]] = {"images": pixels, "yaw": np.asarray(sample.parameters["yaw"], np.float32)}
    for field in _NUMBERS:
        if field in sample.arrays:
            kept[field] = sample.arrays[field].astype(np.float32)
    for field in ("landmarks68_visible", "landmarks_dense_visible"):
        if field in sample.arrays:
            kept[field] = sample.arrays[field].astype(bool)
    if reflectance and "reflectance_vertices" in sample.arrays:
        kept["reflectance"] = sample.arrays["reflectance_vertices"].astype(np.float16)
    missing = [field for field in ("vertices", "landmarks68") if field not in kept]
    if missing:
        raise ValueError(f"sample {sample.key} lacks {', '.join(missing)}: render the shard anew")
    return kept
