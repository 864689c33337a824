"""Fine relief drawn at random: wrinkles, folds, creases, pits and bumps, as a map of heights around the head.

The map is a cylinder about the head's y axis, unrolled at :data:`RADIUS`, so that it is nearly in mm on the face. Lines
are drawn where faces have them and anywhere else too: a network that learns from them is to see relief, not to
remember where wrinkles belong. Marks in the albedo, with relief and without, tell it that not all that is dark is deep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from training.template import Template

Floats = NDArray[np.floating]

RADIUS = 85.0
"""mm from the y axis at which the map's lengths are right."""

LEFT, BOTTOM, WIDTH, HEIGHT = -116.0, -110.0, 232.0, 200.0
"""mm: what the map shows."""

STEP = 0.3
"""mm between its points."""

STEEPEST = 1.0
"""Slope that hardly any of the relief exceeds: 45 degrees."""

SMOOTH, SHARE_SMOOTH = "smooth", 1.0 / 3.0
"""The kind of relief that is none, and its share of the faces."""

DEEP, LEAST_DEEP = "deep", 0.25
"""The kind whose lines are all of some depth, and that depth, mm."""


@dataclass(frozen=True)
class Relief:
    """height (H,W) mm out of the skin and tint (H,W,3), a factor of the albedo; rows go up from ``BOTTOM``.

    kind is ``smooth`` (no relief, marks in the albedo alone), ``lines``, ``fine``, ``old`` or ``deep``.
    """

    kind: str
    height: NDArray[np.float32]
    tint: NDArray[np.float32]

    def sample(self, places: Floats) -> tuple[Floats, Floats, Floats]:
        """At places (K,2) of the map, mm: height (K,), its slopes (K,2) and tint (K,3)."""
        at = [(places[:, 1] - BOTTOM) / STEP, (places[:, 0] - LEFT) / STEP]
        down, across = np.gradient(self.height, STEP)
        height, along, up = (map_coordinates(one, at, order=1, mode="nearest") for one in (self.height, across, down))
        tint = np.stack([map_coordinates(self.tint[..., k], at, order=1, mode="nearest") for k in range(3)], 1)
        return height, np.stack([along, up], 1), tint


def map_places(points: Floats) -> NDArray[np.float64]:
    """Points (N,3) mm of the template's mean -> where they are in the map (N,2) mm."""
    x, y, z = np.asarray(points, np.float64).T
    return np.stack([RADIUS * np.arctan2(x, np.maximum(z, 1.0)), y], 1)


class ReliefArtist:
    """Draws relief for heads of one template.

    Lines are anything from hardly there to 2 mm deep; ``deep`` ones at least a quarter of one, on faces with no relief
    else but spots, a third of which are smooth as always.
    """

    def __init__(self, template: Template, deep: bool = False) -> None:
        self._marks = map_places(template.mean[template.landmarks68])
        self._deep = deep

    def draw(self, rng: np.random.Generator) -> Relief:
        """One face's relief."""
        kind = SMOOTH if rng.random() < SHARE_SMOOTH else str(rng.choice(["lines", "fine", "old"], p=[0.4, 0.2, 0.4]))
        canvas = _Canvas()
        if self._deep and kind != SMOOTH:
            kind, canvas.least = DEEP, LEAST_DEEP
            self._lines(rng, canvas, rng.uniform(0.6, 1.0), 0.75)
            _anywhere(rng, canvas, int(rng.integers(3, 20)), 1.0)
        if kind in ("lines", "old"):
            strength = rng.uniform(0.25, 1.0) if kind == "old" else rng.uniform(0.15, 0.8)
            self._lines(rng, canvas, strength, 0.85 if kind == "old" else 0.5)
            _anywhere(rng, canvas, int(rng.integers(5, 50)), strength)
        if kind in ("fine", "old"):
            for _ in range(int(rng.integers(1, 5))):
                _grain(rng, canvas, rng.uniform(0.3, 1.0))
        if kind != SMOOTH:
            _spots(rng, canvas, int(rng.integers(0, 25)))
        _marks(rng, canvas)
        height = gaussian_filter(canvas.height, 0.35 / STEP)
        down, across = np.gradient(height, STEP)
        steep = float(np.percentile(np.hypot(down, across), 99.8))
        height *= min(1.0, STEEPEST / max(steep, 1e-6))
        return Relief(kind, height.astype(np.float32), canvas.tint.clip(0.15, 1.5).astype(np.float32))

    def _lines(self, rng: np.random.Generator, canvas: _Canvas, strength: float, share: float) -> None:
        """Where faces have them: forehead, frown, eyes' corners, below the eyes, nose to mouth, chin, lips."""
        marks = self._marks
        brow = marks[17:27].mean(0)

        def wanted() -> bool:
            return bool(rng.random() < share)

        def depth(most: float) -> float:
            return float(strength * most * rng.uniform(0.3, 1.0))

        if wanted():
            usual, low = depth(0.9), rng.uniform(8.0, 16.0)
            for number in range(int(rng.integers(2, 7))):
                up = low + number * rng.uniform(5.0, 9.0)
                for _ in range(int(rng.integers(1, 3))):
                    middle, half = rng.normal(0.0, 14.0), rng.uniform(12.0, 42.0)
                    ends = brow + _by(middle - half, up), brow + _by(middle + half, up + rng.normal(0.0, 2.0))
                    canvas.crease(rng, _wave(rng, *ends, 2.5), usual * rng.uniform(0.4, 1.0), rng.uniform(0.6, 1.6))
        if wanted():
            for _ in range(int(rng.integers(1, 4))):
                foot = marks[27] + _by(rng.normal(0.0, 6.0), rng.uniform(0.0, 5.0))
                head = foot + _by(rng.normal(0.0, 3.0), rng.uniform(9.0, 24.0))
                canvas.crease(rng, _wave(rng, foot, head, 1.0), depth(1.2), rng.uniform(0.7, 1.8))
        for side, (corner, lower, wing, lips) in enumerate([(36, (41, 40), 31, 48), (45, (46, 47), 35, 54)]):
            out = -1.0 if side == 0 else 1.0
            if wanted():
                usual = depth(0.7)
                for _ in range(int(rng.integers(2, 7))):
                    tilt, length = rng.uniform(-0.9, 0.7), rng.uniform(8.0, 26.0)
                    start = marks[corner] + _by(out * rng.uniform(4.0, 8.0), 7.0 * tilt)
                    end = start + _by(out * length * np.cos(tilt), length * np.sin(tilt))
                    canvas.crease(
                        rng, _wave(rng, start, end, 1.5), usual * rng.uniform(0.4, 1.0), rng.uniform(0.5, 1.3)
                    )
            if wanted():
                middle = marks[list(lower)].mean(0)
                for _ in range(int(rng.integers(1, 5))):
                    drop, half = rng.uniform(5.0, 16.0), rng.uniform(7.0, 17.0)
                    ends = middle + _by(-half, 2.0 - drop), middle + _by(half, 2.0 - drop)
                    curve = _bowed(_wave(rng, *ends, 1.0), 0.0, -rng.uniform(1.0, 5.0))
                    canvas.crease(rng, curve, depth(0.7), rng.uniform(0.5, 1.8))
            if wanted():
                start = marks[wing] + _by(out * rng.uniform(2.0, 5.0), rng.uniform(0.0, 6.0))
                end = marks[lips] + _by(out * rng.uniform(3.0, 9.0), rng.uniform(-14.0, 4.0))
                curve = _bowed(_wave(rng, start, end, 1.5), out * rng.uniform(0.0, 5.0), 0.0)
                canvas.crease(rng, curve, depth(2.0), rng.uniform(1.0, 3.5), out * rng.uniform(0.0, 0.8))
            if wanted():
                start = marks[lips] + _by(out * rng.uniform(1.0, 4.0), rng.uniform(-4.0, 0.0))
                end = start + _by(out * rng.uniform(-1.0, 6.0), -rng.uniform(10.0, 26.0))
                canvas.crease(rng, _wave(rng, start, end, 1.5), depth(1.4), rng.uniform(0.8, 2.5))
            if wanted():
                start = marks[wing] + _by(out * rng.uniform(1.0, 3.0), rng.uniform(-1.0, 2.0))
                end = start + _by(-out * rng.uniform(0.0, 3.0), rng.uniform(5.0, 12.0))
                canvas.crease(rng, _wave(rng, start, end, 1.0), depth(1.5), rng.uniform(0.7, 1.8))
        if wanted():
            usual = depth(0.5)
            for _ in range(int(rng.integers(4, 18))):
                above = rng.random() < 0.6
                start = marks[51 if above else 57] + _by(
                    rng.normal(0.0, 13.0), rng.uniform(2.0, 4.0) * (1 if above else -1)
                )
                end = start + _by(rng.normal(0.0, 2.0), rng.uniform(4.0, 10.0) * (1 if above else -1))
                canvas.crease(rng, _wave(rng, start, end, 0.6), usual * rng.uniform(0.3, 1.0), rng.uniform(0.4, 1.0))
        if wanted():
            middle = marks[57] - _by(0.0, rng.uniform(7.0, 13.0))
            half = rng.uniform(8.0, 18.0)
            curve = _bowed(
                _wave(rng, middle - _by(half, 0.0), middle + _by(half, 0.0), 1.5), 0.0, rng.uniform(-1.0, 5.0)
            )
            canvas.crease(rng, curve, depth(1.6), rng.uniform(1.0, 3.0))


class _Canvas:
    """The map while it is drawn."""

    def __init__(self) -> None:
        self.x = LEFT + STEP * np.arange(round(WIDTH / STEP))
        self.y = BOTTOM + STEP * np.arange(round(HEIGHT / STEP))
        self.height = np.zeros((len(self.y), len(self.x)))
        self.tint = np.ones((len(self.y), len(self.x), 3))
        self.least = 0.0

    def window(self, low: Floats, high: Floats) -> tuple[slice, slice] | None:
        """Rows and columns between two corners, mm; None where that is nothing."""
        x0, x1 = np.searchsorted(self.x, [low[0], high[0]])
        y0, y1 = np.searchsorted(self.y, [low[1], high[1]])
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def crease(
        self, rng: np.random.Generator, curve: Floats, depth: float, width: float, lean: float | None = None
    ) -> None:
        """A valley along a curve (M,2) mm that ends softly, its banks raised; it may lean to one side.

        depth mm, width mm to where it has 1/e of its depth; lean -1..1.
        """
        if self.least > 0.0:
            depth = float(np.copysign(max(abs(depth), self.least), depth))
            width = max(width, abs(depth))
        reach = 4.0 * width + 0.5
        window = self.window(curve.min(0) - reach, curve.max(0) + reach)
        if window is None:
            return
        lean = rng.uniform(-0.5, 0.5) if lean is None else lean
        bank = rng.uniform(0.0, 0.45)
        sharp = rng.uniform(0.8, 2.0)
        grid = np.stack(np.meshgrid(self.x[window[1]], self.y[window[0]]), -1)
        distance, nearest = cKDTree(curve).query(grid.reshape(-1, 2), distance_upper_bound=reach)
        near = np.flatnonzero(nearest < len(curve))
        distance, nearest = distance[near], nearest[near]
        along = np.gradient(curve, axis=0)
        away = grid.reshape(-1, 2)[near] - curve[nearest]
        side = np.sign(along[nearest, 0] * away[:, 1] - along[nearest, 1] * away[:, 0])
        share = np.linspace(0.0, 1.0, len(curve))
        soft = np.sin(np.pi * share) ** rng.uniform(0.5, 1.0)
        soft *= 1.0 + 0.35 * np.interp(share, np.linspace(0.0, 1.0, 8), rng.normal(0.0, 1.0, 8)).clip(-1.0, 1.0)
        t = distance / (width * np.where(side > 0, 1.0 + 0.5 * lean, 1.0 - 0.5 * lean))
        profile = -np.exp(-(t**sharp)) + bank * (1.0 + lean * side) * np.exp(-(((t - 2.2) / 1.1) ** 2))
        added = np.zeros(grid.shape[:2]).ravel()
        # To zero at the reach, whatever the profile still is there.
        added[near] = depth * soft[nearest] * profile * np.clip((reach - distance) / width, 0.0, 1.0)
        self.height[window] += added.reshape(grid.shape[:2])
        if rng.random() < 0.35:
            # Valleys are often redder or browner than what is around them.
            stain = np.zeros(added.shape)
            stain[near] = soft[nearest] * np.exp(-(t**2))
            self.stain(window, stain.reshape(grid.shape[:2]), rng.uniform(0.0, 0.25), rng)

    def stain(self, window: tuple[slice, slice], share: Floats, strength: float, rng: np.random.Generator) -> None:
        """Make the albedo darker (or, below 0, lighter) by a share (rows, columns): green and blue more than red."""
        colour = np.array([rng.uniform(0.3, 0.8), 1.0, rng.uniform(0.9, 1.3)])
        self.tint[window] *= 1.0 - (strength * share)[..., None] * colour


def _wave(rng: np.random.Generator, start: Floats, end: Floats, wobble: float) -> NDArray[np.float64]:
    """A curve (M,2) from start to end in steps of 0.25 mm, off the straight line by about ``wobble`` mm."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(end - start))
    t = np.linspace(0.0, 1.0, max(8, int(length / 0.25)))
    off = sum(rng.normal(0.0, wobble / k) * np.sin(np.pi * k * t + rng.uniform(0.0, np.pi)) for k in (1, 2, 4))
    across = np.array([-(end - start)[1], (end - start)[0]]) / max(length, 1e-6)
    return start + t[:, None] * (end - start) + np.asarray(off)[:, None] * across


def _by(right: float, up: float) -> NDArray[np.float64]:
    return np.array([right, up])


def _bowed(curve: Floats, right: float, up: float) -> NDArray[np.float64]:
    """A curve (M,2), its middle moved by so many mm, its ends as they were."""
    return curve + np.sin(np.pi * np.linspace(0.0, 1.0, len(curve)))[:, None] * np.array([right, up])


def _anywhere(rng: np.random.Generator, canvas: _Canvas, count: int, strength: float) -> None:
    """Creases and scars of any place and direction, some of them in parallel."""
    for _ in range(count):
        start = np.array([rng.uniform(LEFT + 20, LEFT + WIDTH - 20), rng.uniform(BOTTOM + 10, BOTTOM + HEIGHT - 20)])
        angle, length = rng.uniform(0.0, np.pi), np.exp(rng.uniform(np.log(5.0), np.log(45.0)))
        depth, width = strength * rng.uniform(0.1, 1.2), np.exp(rng.uniform(np.log(0.5), np.log(3.0)))
        depth = min(depth, 0.9 * width) * (1.0 if rng.random() < 0.85 else -0.7)
        for number in range(int(rng.integers(1, 5)) if rng.random() < 0.4 else 1):
            first = start + number * (2.0 + 3.0 * width) * np.array([-np.sin(angle), np.cos(angle)])
            end = first + length * np.array([np.cos(angle), np.sin(angle)])
            canvas.crease(rng, _wave(rng, first, end, 0.06 * length), depth, width)


def _grain(rng: np.random.Generator, canvas: _Canvas, strength: float) -> None:
    """Noise of one scale, with or without a direction, in a patch with soft borders: crepe, orange peel, scars."""
    shape = canvas.height.shape
    wavelength = np.exp(rng.uniform(np.log(1.6), np.log(6.0)))
    angle, stretch = rng.uniform(0.0, np.pi), np.exp(rng.uniform(0.0, np.log(7.0)))
    fy, fx = np.fft.fftfreq(shape[0], STEP)[:, None], np.fft.rfftfreq(shape[1], STEP)[None]
    along, across = fx * np.cos(angle) + fy * np.sin(angle), -fx * np.sin(angle) + fy * np.cos(angle)
    radial = np.hypot(along * stretch, across) * wavelength
    band = np.exp(-(((radial - 1.0) / 0.45) ** 2))
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * band, shape)
    field /= max(float(field.std()), 1e-9)
    if rng.random() < 0.5:
        field = -np.abs(field)  # ridges become sharp valleys
    coarse = gaussian_filter(rng.standard_normal((shape[0] // 8, shape[1] // 8)), rng.uniform(3.0, 10.0), mode="wrap")
    rows, columns = np.meshgrid(
        *(np.linspace(0, n - 1, m) for n, m in zip(coarse.shape, shape, strict=True)), indexing="ij"
    )
    patch = map_coordinates(coarse / coarse.std(), [rows, columns], order=1)
    share = np.clip(patch - rng.uniform(-0.5, 0.8), 0.0, 1.0)
    canvas.height += strength * 0.06 * wavelength * rng.uniform(0.3, 1.0) * field * share


def _spots(rng: np.random.Generator, canvas: _Canvas, count: int) -> None:
    """Pimples, moles that stand out, and pock marks: some of them of another colour."""
    for _ in range(count):
        middle = np.array([rng.uniform(LEFT + 20, LEFT + WIDTH - 20), rng.uniform(BOTTOM + 10, BOTTOM + HEIGHT - 20)])
        radius = np.exp(rng.uniform(np.log(0.7), np.log(3.0)))
        window = canvas.window(middle - 3 * radius, middle + 3 * radius)
        if window is None:
            continue
        x, y = np.meshgrid(canvas.x[window[1]] - middle[0], canvas.y[window[0]] - middle[1])
        bell = np.exp(-((np.hypot(x, y * rng.uniform(0.7, 1.3)) / radius) ** rng.uniform(1.6, 3.5)))
        canvas.height[window] += rng.choice([1.0, -1.0]) * min(rng.uniform(0.1, 0.6) * radius, 1.2) * bell
        if rng.random() < 0.5:
            canvas.stain(window, bell, rng.uniform(0.0, 0.5), rng)


def _marks(rng: np.random.Generator, canvas: _Canvas) -> None:
    """What is in the albedo alone: moles, freckles, blotches, veins and lines as of a pencil."""
    for _ in range(int(rng.integers(0, 30)) if rng.random() < 0.7 else 0):
        middle = np.array([rng.uniform(LEFT + 20, LEFT + WIDTH - 20), rng.uniform(BOTTOM + 10, BOTTOM + HEIGHT - 20)])
        radius = np.exp(rng.uniform(np.log(0.5), np.log(2.5)))
        window = canvas.window(middle - 3 * radius, middle + 3 * radius)
        if window is not None:
            x, y = np.meshgrid(canvas.x[window[1]] - middle[0], canvas.y[window[0]] - middle[1])
            bell = np.exp(-((np.hypot(x, y * rng.uniform(0.7, 1.3)) / radius) ** 3))
            canvas.stain(window, bell, rng.uniform(-0.15, 0.7), rng)
    if rng.random() < 0.6:
        wide = rng.uniform(0.8, 6.0) / STEP
        noise = gaussian_filter(rng.standard_normal(canvas.height.shape), wide, mode="wrap")
        everywhere = slice(None), slice(None)
        canvas.stain(everywhere, (noise / noise.std()).clip(-2.5, 2.5), rng.uniform(0.0, 0.08), rng)
    for _ in range(int(rng.integers(1, 7)) if rng.random() < 0.35 else 0):
        start = np.array([rng.uniform(LEFT + 20, LEFT + WIDTH - 20), rng.uniform(BOTTOM + 10, BOTTOM + HEIGHT - 20)])
        angle, length, width = rng.uniform(0.0, np.pi), rng.uniform(5.0, 25.0), rng.uniform(0.3, 1.0)
        curve = _wave(rng, start, start + length * np.array([np.cos(angle), np.sin(angle)]), 0.1 * length)
        window = canvas.window(curve.min(0) - 3 * width, curve.max(0) + 3 * width)
        if window is not None:
            grid = np.stack(np.meshgrid(canvas.x[window[1]], canvas.y[window[0]]), -1)
            distance, _ = cKDTree(curve).query(grid.reshape(-1, 2))
            line = np.exp(-((distance / width) ** 2)).reshape(grid.shape[:2])
            canvas.stain(window, line, rng.uniform(0.05, 0.4), rng)
