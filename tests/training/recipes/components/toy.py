"""Boxes on legs and their pictures from three sides, drawn without any renderer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull

from training.recipes.components.config import ComponentsConfig, tiny
from training.recipes.components.data import Pairs, Split, pairs_from_views, split_things
from training.views import ViewSet, ViewsInfo, open_views, read_views, write_chunk
from training.voxels.grid import pack

RESOLUTION, SIZE = 12, 16


def grid(rng: np.random.Generator) -> np.ndarray:
    """A seat of some width, depth and height on four legs, maybe with a back."""
    wide, deep, high = (int(n) for n in rng.integers((2, 2, 3), (6, 6, 8)))
    shape = np.zeros((RESOLUTION,) * 3, bool)
    shape[6 - wide : 6 + wide, 6 - deep : 6 + deep, high] = True
    for x in (6 - wide, 5 + wide):
        for y in (6 - deep, 5 + deep):
            shape[x, y, :high] = True
    if rng.random() < 0.5:
        shape[6 - wide : 6 + wide, 5 + deep, high:] = True
    return shape


def views(grids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grey and alpha (n,3,S,S): the grids projected along x, along y and along the diagonal between them."""
    depth = np.linspace(1, 0.4, RESOLUTION)
    pictures = []
    for shape in grids:
        sides = []
        for turned in (shape.transpose(1, 0, 2), shape):
            sides.append((turned * depth[None, :, None]).max(1))
        sides.append(0.5 * sides[0] + 0.5 * sides[1])
        pictures.append(np.stack([np.pad(side.T[::-1], 2) for side in sides]))
    seen = np.stack(pictures)
    return (200 * (1 - 0.6 * seen)).astype(np.uint8), (255 * (seen > 0)).astype(np.uint8)


def write_toy_objects(folder: Path, count: int = 60) -> Path:
    """A folder as `likeness render-objects` writes it."""
    rng = np.random.default_rng(0)
    grids = np.stack([grid(rng) for _ in range(count)])
    grey, alpha = views(grids)
    info = ViewsInfo("objects", count, 20, SIZE, 1, (0.0, 90.0, 45.0), RESOLUTION, 0, "toy")
    open_views(folder, info)
    for chunk in range(info.chunks):
        part = slice(chunk * 20, chunk * 20 + 20)
        numbers = np.arange(count)[part]
        write_chunk(
            folder,
            chunk,
            {
                "images": np.stack([grey[part], alpha[part]], -1),
                "names": np.array([f"stool/{n:03d}" for n in numbers]),
                "kinds": np.where(numbers % 2, "stool", "bench"),
                "bits": pack(grids[part]),
            },
        )
    return folder


def write_toy_heads(folder: Path, count: int = 40) -> Path:
    """Ellipsoids of 60 points seen from two sides, with the arrays that a template must have."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[30:] = points[:30] * [-1, 1, 1]
    axes = rng.uniform(60, 110, (count, 3))
    vertices = (points[None] * axes[:, None]).astype(np.float32)
    y, x = np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2 + 0.5
    pictures = []
    for a in axes / 110 * SIZE / 2:
        sides = [(x / a[i]) ** 2 + (y / a[1]) ** 2 for i in (0, 2)]
        pictures.append(np.stack([np.clip(255 * (0.9 - 0.6 * np.sqrt(np.clip(1 - s, 0, 1))), 0, 255) for s in sides]))
    images = np.stack(pictures).astype(np.uint8)
    info = ViewsInfo("heads", count, count, SIZE, 1, (90.0, 0.0), 0, 0, "toy")
    open_views(folder, info)
    regions = np.zeros((1, 60), bool)
    regions[0, ::2] = True
    np.savez(
        folder / "template.npz",
        region_names=np.array(["face"]),
        regions=regions,
        mirror=np.roll(np.arange(60), 30),
        triangles=ConvexHull(points).simplices,
    )
    arrays = {"images": np.stack([images, np.full_like(images, 255)], -1), "vertices": vertices}
    write_chunk(folder, 0, {**arrays, "names": np.arange(count).astype(str), "kinds": np.full(count, "head")})
    return folder


def toy(folder: Path) -> tuple[ViewSet, Pairs, Split]:
    """What a toy folder holds, at the tiny configuration's size, and its split."""
    read = read_views(folder)
    pairs = pairs_from_views(read, SIZE)
    return read, pairs, split_things(pairs, 0.25, 0)


def quick(kind: str) -> ComponentsConfig:
    """The tiny configuration, shorter still: for tests that need no good answers."""
    base = tiny("objects" if kind == "objects" else "heads")
    stages = {name: replace(getattr(base, name), steps=30) for name in ("images", "shapes", "between", "all")}
    return replace(base, **stages, validate_every=15, checkpoint_every=20)
