"""Hair and shoulders as simple shells about a head: enough to frame the face as photos do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_ROWS = 7


@dataclass(frozen=True)
class HairShell:
    """A cap over the scalp and a curtain hanging from its rim behind the ears; quads stay, vertices change.

    scalp (S,) template vertices, quads (Q,4), rim (M,) the cap's border in order, from_rim (S,) rows away from it.
    """

    scalp: Ints
    quads: Ints
    rim: Ints
    from_rim: Ints

    @staticmethod
    def of(template: Template) -> HairShell:
        """The shell for a template's scalp region."""
        inside = template.region("scalp")
        faces = _largest_piece(template.quads[inside[template.quads].all(1)].astype(np.int64))
        scalp = np.unique(faces)
        order = np.full(len(template.mean), -1, np.int64)
        order[scalp] = np.arange(len(scalp))
        cap = order[faces]
        edges = np.concatenate([cap[:, [i, (i + 1) % 4]] for i in range(4)])
        key = np.sort(edges, axis=1)
        _, first, counts = np.unique(key, axis=0, return_index=True, return_counts=True)
        after = {int(a): int(b) for a, b in edges[first[counts == 1]]}
        start = min(after)
        rim = [start]
        while after[rim[-1]] != start:
            rim.append(after[rim[-1]])
        loop = np.array(rim)
        n, m = len(scalp), len(loop)
        curtain = []
        for row in range(_ROWS):
            a = loop if row == 0 else n + (row - 1) * m + np.arange(m)
            b = n + row * m + np.arange(m)
            curtain.append(np.stack([a, np.roll(a, -1), np.roll(b, -1), b], 1))
        return HairShell(scalp, np.concatenate([cap, *curtain]), loop, _steps_from(loop, cap, n))

    @property
    def count(self) -> int:
        """Number of vertices."""
        return len(self.scalp) + _ROWS * len(self.rim)

    def vertices(self, head: Floats, thickness: float, length: float, noise: float) -> Floats:
        """Shell vertices (V,3) mm for a head (N,3): lifted off the scalp by thickness, hanging by length."""
        scalp = head[self.scalp].astype(np.float64)
        if thickness <= 0.0:
            return np.zeros((self.count, 3), np.float32)
        centre = np.array([0.0, 30.0, 10.0])
        out = scalp - centre
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        waves = np.sin(scalp @ np.array([[0.13, 0.05, 0.02], [0.02, 0.11, 0.07], [0.06, 0.02, 0.12]]) + noise)
        lift = thickness * (0.75 + 0.22 * waves.mean(1) + 0.25 * np.sin(noise + scalp[:, 0] * 0.05))
        # Hair grows out of the skin: the shell rises over the first few rows behind the hairline.
        lift *= np.interp(self.from_rim, [0, 1, 2, 3], [0.10, 0.55, 0.85, 1.0])
        cap = scalp + np.maximum(lift, 1.0)[:, None] * out
        rim = cap[self.rim]
        # Only what starts behind the temples hangs; the forehead's rim is drawn back into the hair.
        hang = np.clip((38.0 - rim[:, 2]) / 30.0, 0.0, 1.0) * length
        rows = []
        for row in range(1, _ROWS + 1):
            share = row / _ROWS
            drop = rim.copy()
            drop[:, 1] -= hang * share + 2.0 * share
            drop[:, 0] *= 1.0 + 0.10 * np.sin(np.pi * share) + 0.02 * np.sin(noise * 3.0 + rim[:, 2] * 0.2)
            drop[:, 2] += 6.0 * np.sin(noise + share * 4.0) * share - np.where(hang < 4.0, 6.0 * share, 0.0)
            rows.append(drop)
        return np.concatenate([cap, *rows]).astype(np.float32)


def shoulders(segments: int = 32) -> tuple[Floats, Ints]:
    """A dressed torso below the neck: vertices (V,3) mm in head space and quads."""
    # (height, half width, half depth, forward) from inside the neck to the chest.
    profile = (
        (-112, 48, 46, 12),
        (-126, 66, 58, 6),
        (-140, 104, 70, 0),
        (-155, 160, 82, -4),
        (-185, 205, 98, -4),
        (-330, 220, 115, 0),
    )
    around = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    rings = [
        np.stack([w * np.cos(around), np.full(segments, float(h)), f + d * np.sin(around)], 1) for h, w, d, f in profile
    ]
    quads = []
    for row in range(len(profile) - 1):
        a = row * segments + np.arange(segments)
        b = row * segments + (np.arange(segments) + 1) % segments
        quads.append(np.stack([b, b + segments, a + segments, a], 1))
    return np.concatenate(rings).astype(np.float32), np.concatenate(quads)


def _largest_piece(quads: Ints) -> Ints:
    """The connected piece of a mesh with the most quads."""
    label = np.arange(int(quads.max()) + 1)
    while True:
        low = label[quads].min(1)
        new = label.copy()
        np.minimum.at(new, quads.ravel(), np.repeat(low, 4))
        new = new[new]
        if np.array_equal(new, label):
            break
        label = new
    names, counts = np.unique(label[quads[:, 0]], return_counts=True)
    return quads[label[quads[:, 0]] == names[np.argmax(counts)]]


def _steps_from(rim: Ints, quads: Ints, count: int) -> Ints:
    """Rows of quads (count,) between each vertex and the rim."""
    steps = np.full(count, 99)
    steps[rim] = 0
    for _ in range(8):
        near = steps[quads].min(1) + 1
        np.minimum.at(steps, quads.ravel(), np.repeat(near, 4))
    return steps
