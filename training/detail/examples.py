"""What the network learns from: each rendered face as the product looks at it, and the slopes that are true there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.closeup import Closeup, look_closely
from backend.detail import wanted_share
from backend.texture import View
from training.detail.faces import DetailFace, read_face
from training.subjects.props import SEGMENTS
from training.template import Template
from training.whole_file import whole_file

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Example:
    """channels (C,h,w) as ``CHANNELS``; slopes (2,h,w), mm a pixel to the right and down; metric (3,h,w).

    A slope's error (u, v) tilts the surface by the root of metric . (u^2, 2uv, v^2). weight (h,w): 1 where skin is
    seen, less where something covers it, whose relief is to be none, 0 elsewhere.
    """

    channels: NDArray[np.float16]
    slopes: NDArray[np.float16]
    metric: NDArray[np.float16]
    weight: NDArray[np.float16]


def linear(srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB 0..255 -> linear light 0..1 (IEC 61966-2-1)."""
    share = np.asarray(srgb, np.float32) / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)


def view_of(face: DetailFace) -> View:
    """The picture and how the head stands in it."""
    return View(linear(face.image()), face.rotation, face.translation, face.focal)


def misfit(vertices: Floats, rng: np.random.Generator) -> NDArray[np.float64]:
    """A head's vertices (N,3) mm as an estimate has them: off by a millimetre or two, smoothly."""
    moved = np.array(vertices, np.float64)
    for _ in range(24):
        centre = vertices[int(rng.integers(len(vertices)))]
        near = np.exp(-0.5 * ((vertices - centre) ** 2).sum(1) / rng.uniform(10.0, 30.0) ** 2)
        moved += near[:, None] * rng.normal(0.0, 1.0, 3)
    return moved


def wanted(template: Template) -> NDArray[np.float32]:
    """How much each vertex (N,) may have of relief, 0..1, as the product has it."""
    return wanted_share(template.mean, {name: template.region(name) for name in template.region_names})


def truth(face: DetailFace, look: Closeup, with_pores: bool = False) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """True normals (h,w,3) at the closeup's pixels, and where (h,w) all that meets in one is skin."""
    normals = face.placed(face.with_pores if with_pores else face.normals)
    skin = face.placed(face.seg) == SEGMENTS.index("skin")
    height, width = look.present.shape
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    x, y = columns / look.scale + look.corner[0] - 0.5, rows / look.scale + look.corner[1] - 0.5
    left, top = (np.floor(v).astype(int).clip(0, face.size - 2) for v in (x, y))
    right, down = (x - left).clip(0, 1)[..., None], (y - top).clip(0, 1)[..., None]
    corners = [(top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)]
    shares = [(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down]
    mixed = sum(share * normals[at] for share, at in zip(shares, corners, strict=True))
    length = np.linalg.norm(mixed, axis=2, keepdims=True)
    whole = np.all([skin[at] for at in corners], axis=0) & (length[..., 0] > 0.5)
    return (mixed / np.maximum(length, 1e-6)).astype(np.float32), whole


def make_example(face: DetailFace, template: Template, rng: np.random.Generator | None = None) -> Example | None:
    """One rendered face's; None where nothing of it is seen.

    With `rng` the network sees the coarse geometry of an estimate, and is still to find the relief on the true one:
    what the estimate misses is no relief.
    """
    view, triangles, share = view_of(face), template.triangles, wanted(template)
    seen = look_closely(
        view, face.vertices if rng is None else misfit(face.vertices, rng), triangles, face.albedo, share
    )
    if seen is None:
        return None
    true = seen if rng is None else look_closely(view, face.vertices, triangles, face.albedo, share, like=seen)
    return None if true is None else example_of(true, *truth(face, true), seen.channels)


def example_of(look: Closeup, normals: Floats, skin: NDArray[np.bool_], channels: Floats) -> Example:
    """The example of a closeup whose true normals are known (h,w,3) where it shows skin (h,w), seen as `channels`."""
    along = np.maximum((normals * look.normals).sum(2, keepdims=True), 0.2)
    gradient = look.normals - normals / along
    rr, rd, dd = (
        (a * b).sum(2) for a, b in ((look.right, look.right), (look.right, look.down), (look.down, look.down))
    )
    gr, gd = (gradient * look.right).sum(2), (gradient * look.down).sum(2)
    slopes = np.stack([dd * gr - rd * gd, rr * gd - rd * gr]) / np.maximum(rr * dd - rd * rd, 1e-6)
    facing = np.clip((-look.normals[..., 2] - 0.2) / 0.3, 0.0, 1.0)
    weight = look.present * facing * np.where(skin, 1.0, 0.3)
    slopes = np.where(skin & look.present, slopes, 0.0).clip(-2.0, 2.0)
    metric = np.stack([rr, rd, dd]).clip(-60.0, 60.0)
    half = np.float16
    return Example(channels.astype(half), slopes.astype(half), metric.astype(half), weight.astype(half))


def load_examples(path: Path, template: Template) -> list[Example | None]:
    """Two examples of a face's file, of its true and of an estimated geometry, made once and kept beside it."""
    number = int(path.stem.rpartition("-")[2])
    makes: dict[str, Callable[[], Example | None]] = {
        "example": lambda: make_example(read_face(path), template),
        "misfit": lambda: make_example(read_face(path), template, np.random.default_rng([number, 8])),
    }
    return [kept_example(path.with_name(path.name.replace("face", name)), make) for name, make in makes.items()]


def kept_example(path: Path, make: Callable[[], Example | None]) -> Example | None:
    """The example in a file, which is written when it is not there."""
    if not path.exists():
        made = make()
        if made is None:
            return None
        with whole_file(path) as stream:
            np.savez(stream, **{field.name: getattr(made, field.name) for field in fields(made)})
    with np.load(path, allow_pickle=False) as file:
        return Example(**{field.name: file[field.name] for field in fields(Example)})
