"""Pictures made by rule: what stands behind heads, and the fine detail of skin. All from an explicit generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def backdrop(rng: np.random.Generator, size: int) -> Floats:
    """A picture (size,size,3), linear RGB, of the kinds that blurred backgrounds of photos are."""
    kind = rng.choice(["plain", "gradient", "room", "bokeh", "leaves", "sky"], p=[0.16, 0.16, 0.32, 0.12, 0.14, 0.10])
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    first, second = (_colour(rng) for _ in range(2))
    if kind == "plain":
        vignette = 1.0 - 0.5 * rng.random() * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
        picture = first * vignette[..., None]
    elif kind == "gradient":
        angle = rng.uniform(0.0, 2.0 * np.pi)
        t = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0.0, 1.0)[..., None]
        picture = first * (1.0 - t) + second * t
    elif kind == "room":
        picture = np.broadcast_to(first, (size, size, 3)).copy()
        picture = np.where((y > rng.uniform(0.5, 1.0))[..., None], second, picture)
        for _ in range(int(rng.integers(3, 12))):
            left, top = rng.uniform(-0.2, 1.0, 2)
            width, height = rng.uniform(0.05, 0.6, 2)
            inside = (x > left) & (x < left + width) & (y > top) & (y < top + height)
            bright = 4.0 if rng.random() < 0.2 else 1.0
            picture = np.where(inside[..., None], bright * _colour(rng), picture)
        picture = _blurred(picture, rng.uniform(0.004, 0.05) * size)
    elif kind == "bokeh":
        picture = 0.3 * (first * (1.0 - y[..., None]) + second * y[..., None])
        for _ in range(int(rng.integers(10, 50))):
            centre, radius = rng.random(2), rng.uniform(0.01, 0.06)
            disc = np.clip((radius - np.hypot(x - centre[0], y - centre[1])) * size, 0.0, 1.0)
            picture = picture + disc[..., None] * _colour(rng) * rng.uniform(0.5, 3.0)
    elif kind == "leaves":
        fine = noise(rng, size, (6, 12, 24, 48))[..., None]
        picture = first * np.array([0.5, 1.0, 0.35]) * (0.25 + 1.5 * np.clip(fine, 0.0, 1.0) ** 2)
        picture = _blurred(picture, rng.uniform(0.002, 0.03) * size)
    else:
        horizon = rng.uniform(0.4, 1.3)
        t = np.clip(y / horizon, 0.0, 1.0)[..., None]
        sky = np.array([0.25, 0.45, 0.85]) * (1.0 - t) + np.array([0.85, 0.88, 0.9]) * t
        clouds = np.clip(2.0 * noise(rng, size, (3, 6, 12)) - 0.7, 0.0, 1.0)[..., None]
        picture = np.where((y < horizon)[..., None], sky * (1.0 - clouds) + 0.9 * clouds, first)
        picture = _blurred(picture, rng.uniform(0.002, 0.02) * size)
    return np.clip(picture, 0.0, 8.0).astype(np.float32)


def skin_detail(rng: np.random.Generator, size: int = 512) -> Floats:
    """A tiling map (size,size,3), 0..1: blotches (0.5 is none), freckles (0 none), and the height of pores."""
    blotches = 0.5 + 0.5 * (noise(rng, size, (3, 6, 12, 24)) - 0.5)
    freckles = np.zeros((size, size), np.float32)
    reach = 6
    around = np.arange(-reach, reach + 1)
    for _ in range(900):
        row, column = rng.integers(0, size, 2)
        radius, depth = rng.uniform(1.0, 3.2), rng.uniform(0.3, 1.0)
        spot = depth * np.exp(-(around[:, None] ** 2 + around[None] ** 2) / radius**2)
        where = np.ix_((row + around) % size, (column + around) % size)
        freckles[where] = np.maximum(freckles[where], spot)
    pores = 1.0 - _dots(rng, size, 9000, 1.5)
    pores = 0.65 * pores + 0.35 * noise(rng, size, (64, 128))
    return np.stack([blotches, freckles, pores], -1).astype(np.float32)


def noise(rng: np.random.Generator, size: int, cells: tuple[int, ...]) -> Floats:
    """Value noise (size,size) that tiles, about 0..1; cells per side of each octave, halving in weight."""
    total, weight = np.zeros((size, size)), 0.0
    at = np.arange(size) / size
    for octave, count in enumerate(cells):
        grid = rng.random((count, count))
        place = at * count
        low = place.astype(int)
        t = place - low
        t = t * t * (3.0 - 2.0 * t)
        high = (low + 1) % count
        rows = grid[low] * (1.0 - t)[:, None] + grid[high] * t[:, None]
        total += 0.5**octave * (rows[:, low] * (1.0 - t) + rows[:, high] * t)
        weight += 0.5**octave
    return (total / weight).astype(np.float32)


def _colour(rng: np.random.Generator) -> NDArray[np.floating]:
    """Mostly muted, linear RGB."""
    grey = rng.beta(1.3, 2.2)
    return np.asarray(grey * np.exp(rng.normal(0.0, 0.45 if rng.random() < 0.3 else 0.12, 3)))


def _dots(rng: np.random.Generator, size: int, count: int, radius: float) -> Floats:
    picture = np.zeros((size, size), np.float32)
    around = np.arange(-4, 5)
    spot = np.exp(-(around[:, None] ** 2 + around[None] ** 2) / radius**2).astype(np.float32)
    for row, column in rng.integers(0, size, (count, 2)):
        where = np.ix_((row + around) % size, (column + around) % size)
        picture[where] = np.maximum(picture[where], spot)
    return picture


def _blurred(picture: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    """Gaussian blur with mirrored borders, by three box filters' running sums."""
    width = max(1, round(sigma * 1.9)) | 1
    if width < 3:
        return picture
    half = width // 2
    for axis in (0, 1):
        for _ in range(3):
            padding = [(0, 0)] * 3
            padding[axis] = (half + 1, half)
            summed = np.cumsum(np.pad(picture, padding, mode="symmetric"), axis=axis, dtype=np.float64)
            high = np.take(summed, np.arange(width, summed.shape[axis]), axis=axis)
            low = np.take(summed, np.arange(0, summed.shape[axis] - width), axis=axis)
            picture = (high - low) / width
    return picture
