"""Pictures and shapes in memory, whatever they show, and which of them belong together and may be seen so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.dataset import FaceSet, mirror_vertices
from training.recipes.components.config import ComponentsConfig, Kind
from training.views import ViewSet
from training.voxels.grid import mirrored

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

WHITE = 255.0
_CHUNK = 256


@dataclass(frozen=True)
class Space:
    """What the numbers of a shape vector mean.

    Objects: occupancies of an R^3 grid. Heads: coordinates "normalized between 0,1 in each dimension" (section 5.1):
    vertex = low + span * number, low and span (3,) mm.
    """

    kind: Kind
    shape: tuple[int, ...]
    low: tuple[float, float, float] = (0.0, 0.0, 0.0)
    span: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def length(self) -> int:
        """Numbers in a vector, p."""
        return int(np.prod(self.shape))

    def vectors(self, shapes: NDArray) -> Floats:
        """Grids (n,R,R,R) or vertices (n,N,3) mm -> vectors (n,p)."""
        if self.kind == "heads":
            shapes = (shapes - np.array(self.low, np.float32)) / np.array(self.span, np.float32)
        return np.asarray(shapes, np.float32).reshape(len(shapes), -1)

    def shapes(self, vectors: Floats) -> Floats:
        """Vectors (n,p) -> occupancies (n,R,R,R) or vertices (n,N,3) mm."""
        shapes = vectors.reshape(-1, *self.shape)
        if self.kind == "heads":
            shapes = shapes * np.array(self.span, np.float32) + np.array(self.low, np.float32)
        return shapes


@dataclass(frozen=True)
class Pairs:
    """m pictures of n things.

    images (m,S,S) uint8 grey on white; owner (m,) the thing that each one shows; azimuths (m,) degrees; shapes
    (n,R,R,R) bool or (n,N,3) float32 mm; kinds and names (n,); mirror (N,) the heads' vertices' partners, or None.
    A picture that shows none of the things has owner -1, a thing may be in no picture: pre-training wants no more.
    """

    kind: Kind
    images: NDArray[np.uint8]
    owner: Indices
    azimuths: Floats
    shapes: NDArray
    kinds: NDArray[np.str_]
    names: NDArray[np.str_]
    region: Indices | None = None
    mirror: Indices | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def unlabelled(self) -> Indices:
        """The pictures that show none of the things."""
        return np.flatnonzero(self.owner < 0)

    def of(self, things: Indices) -> Indices:
        """The pictures that show `things`."""
        return np.flatnonzero(np.isin(self.owner, things))

    def pictures(self, chosen: Indices, flipped: NDArray[np.bool_] | None = None) -> torch.Tensor:
        """Images (B,1,S,S) 0..1, those under `flipped` (B,) seen in a mirror."""
        images = self.images[chosen].astype(np.float32) / np.float32(WHITE)
        if flipped is not None and flipped.any():
            images[flipped] = images[flipped][..., ::-1]
        return torch.from_numpy(images[:, None])

    def in_mirror(self, shapes: NDArray) -> NDArray:
        """Shapes (n,...) with left and right exchanged."""
        if self.kind == "objects":
            return mirrored(shapes)
        assert self.mirror is not None
        return mirror_vertices(shapes, self.mirror)


@dataclass(frozen=True)
class Split:
    """Things (indices, disjoint): those for training, and those that are only measured on."""

    training: Indices
    test: Indices


def pairs_from_views(views: ViewSet, size: int) -> Pairs:
    """Every picture of every thing, on white, at `size` pixels."""
    count, sides = views.images.shape[:2]
    flat = views.images.reshape(count * sides, *views.images.shape[2:])
    alpha = views.alpha.reshape(flat.shape)
    parts = []
    for start in range(0, len(flat), _CHUNK):
        over = alpha[start : start + _CHUNK].astype(np.float32) / np.float32(255)
        grey = flat[start : start + _CHUNK] * over + np.float32(WHITE) * (1 - over)
        parts.append(resized(grey, size))
    heads = views.vertices is not None
    shapes = views.vertices if views.vertices is not None else views.grids
    assert shapes is not None
    return Pairs(
        kind="heads" if heads else "objects",
        images=np.concatenate(parts),
        owner=np.repeat(np.arange(count), sides),
        azimuths=np.tile(views.azimuths, count),
        shapes=shapes,
        kinds=views.kinds,
        names=views.names,
        region=_face(views.template) if heads else None,
        mirror=views.template["mirror"].astype(np.intp) if heads else None,
    )


def pairs_from_faces(faces: FaceSet, size: int) -> Pairs:
    """Rendered faces, one picture each, cropped by their landmarks."""
    from training.augmentation import Augmentation, cut, luminance

    rng = np.random.default_rng(0)
    parts = []
    for start in range(0, len(faces), _CHUNK):
        part = slice(start, start + _CHUNK)
        crops = cut(faces.images[part], faces.landmarks68[part], size, Augmentation.none(), rng)
        parts.append((luminance(crops.images)[:, 0].numpy() * WHITE + 0.5).clip(0, 255).astype(np.uint8))
    return Pairs(
        kind="heads",
        images=np.concatenate(parts),
        owner=np.arange(len(faces)),
        azimuths=90.0 - faces.yaw,
        shapes=faces.vertices,
        kinds=np.full(len(faces), "face"),
        names=faces.keys,
        region=faces.region("face"),
        mirror=faces.template["mirror"].astype(np.intp),
    )


def resized(images: Floats, size: int) -> NDArray[np.uint8]:
    """Images (n,S,S) 0..255 at `size` pixels: averaged when smaller, bilinear when larger."""
    if images.shape[1] == size:
        return (images + 0.5).clip(0, 255).astype(np.uint8)
    tensor = torch.from_numpy(np.ascontiguousarray(images, np.float32))[:, None]
    smaller = size < images.shape[1]
    scaled = functional.interpolate(tensor, (size, size), mode="bilinear", antialias=smaller, align_corners=False)
    return (scaled[:, 0].numpy() + 0.5).clip(0, 255).astype(np.uint8)


def make_space(pairs: Pairs, training: Indices) -> Space:
    """The space of the pairs' shapes, measured on the training things."""
    if pairs.kind == "objects":
        return Space("objects", pairs.shapes.shape[1:])
    known = pairs.shapes[training]
    low, high = known.min((0, 1)), known.max((0, 1))
    low_, span = (tuple(float(n) for n in values) for values in (low, high - low))
    return Space("heads", pairs.shapes.shape[1:], low_, span)  # type: ignore[arg-type]


def split_things(pairs: Pairs, test: float, seed: int) -> Split:
    """Training and test things, `test` of them in the second, of each kind alike; no thing on both sides."""
    rng = np.random.default_rng([seed, 1])
    training, held = [], []
    for kind in np.unique(pairs.kinds):
        members = rng.permutation(np.flatnonzero(pairs.kinds == kind))
        cut = round(test * len(members))
        held.append(members[:cut])
        training.append(members[cut:])
    return Split(np.sort(np.concatenate(training)), np.sort(np.concatenate(held)))


def labelled_pairs(pairs: Pairs, split: Split, config: ComponentsConfig) -> tuple[Indices, Indices]:
    """Pictures whose shape may be seen: for training, and, of other things, for choosing the best state.

    Of the training pairs, `config.labelled` are drawn picture by picture, as whoever labels pictures would; those of a
    share `config.validate` of the things so labelled become the second set, at least one thing.
    """
    rng = np.random.default_rng([config.seed, 2])
    known = rng.permutation(pairs.of(split.training))
    known = known[: max(2, round(config.labelled * len(known)))]
    things = rng.permutation(np.unique(pairs.owner[known]))
    held = things[: max(1, round(config.validate * len(things)))]
    validation = np.isin(pairs.owner[known], held)
    return np.sort(known[~validation]), np.sort(known[validation])


def with_unlabelled(
    pairs: Pairs, split: Split, images: NDArray[np.uint8] | None = None, shapes: NDArray | None = None
) -> tuple[Pairs, Split]:
    """The pairs, and pictures (m,S,S) and shapes (n,...) that have no partner, which join the training side.

    Raises `ValueError` for pictures of another size, or shapes of another resolution or template.
    """
    if images is not None and len(images):
        if images.shape[1:] != pairs.images.shape[1:]:
            raise ValueError(f"the unlabelled pictures are {images.shape[1]} px wide, not {pairs.images.shape[1]}")
        pairs = replace(
            pairs,
            images=np.concatenate([pairs.images, images]),
            owner=np.concatenate([pairs.owner, np.full(len(images), -1)]),
            azimuths=np.concatenate([pairs.azimuths, np.full(len(images), np.nan, np.float32)]),
        )
    if shapes is not None and len(shapes):
        if shapes.shape[1:] != pairs.shapes.shape[1:]:
            ours, theirs = (" x ".join(map(str, found.shape[1:])) for found in (pairs.shapes, shapes))
            raise ValueError(f"the unlabelled shapes are {theirs}, those of the pictures {ours}: they must be alike")
        added = np.arange(len(shapes))
        split = Split(np.concatenate([split.training, len(pairs.shapes) + added]), split.test)
        pairs = replace(
            pairs,
            shapes=np.concatenate([pairs.shapes, shapes.astype(pairs.shapes.dtype)]),
            kinds=np.concatenate([pairs.kinds, np.full(len(shapes), "")]),
            names=np.concatenate([pairs.names, np.array([f"unlabelled/{number}" for number in added])]),
        )
    return pairs, split


def fingerprint(pairs: Pairs, unlabelled: bool = False) -> str:
    """Identifies a set of pairs, so that a run resumes on the data it began with; with what has no partner, or not."""
    shown = np.unique(pairs.owner[pairs.owner >= 0])
    digest = hashlib.sha256("\n".join(pairs.names[shown]).encode())
    known = pairs.images[pairs.owner >= 0]
    digest.update(np.ascontiguousarray(known[:: max(1, len(known) // 64)]).tobytes())
    if unlabelled and (len(pairs.unlabelled) or len(shown) < len(pairs.names)):
        digest.update(np.ascontiguousarray(pairs.images[pairs.unlabelled]).tobytes())
        digest.update(np.ascontiguousarray(np.delete(pairs.shapes, shown, 0)).tobytes())
    return digest.hexdigest()


def _face(template: dict[str, NDArray]) -> Indices:
    names = [str(name) for name in template["region_names"]]
    return np.flatnonzero(template["regions"][names.index("face")])
