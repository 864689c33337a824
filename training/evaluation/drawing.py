"""Heads and charts drawn with matplotlib: shaded faces, coloured at their vertices, and one style for all pictures."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.camera import rotation_from_angles
from training.evaluation.metrics import vertex_normals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.floating]

# One colour a method, told apart in grey and by the colour-blind (after Okabe & Ito).
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#333333")
_CLAY = np.array([0.80, 0.77, 0.74])
_LIGHT = np.array([-0.35, 0.45, 0.82])
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def style() -> AbstractContextManager[None]:
    """The pictures' style, for everything drawn within it."""
    from matplotlib import rc_context

    context: AbstractContextManager[None] = rc_context(_STYLE)
    return context


def figure(width: float, height: float, **options: Any) -> Figure:
    """An empty figure, in inches; made without pyplot, which keeps state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=160, layout="constrained", **options)


def panels(figure: Figure, rows: int, columns: int, **options: Any) -> NDArray[Any]:
    """Axes (rows,columns)."""
    axes: NDArray[Any] = figure.subplots(rows, columns, squeeze=False, **options)
    return axes


def colours(values: Floats, most: float, name: str = "magma_r") -> Floats:
    """Values (N,) from 0 to `most` as colours (N,3)."""
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.clip(np.asarray(values) / most, 0, 1)))[:, :3]


def draw_face(
    axes: Axes,
    vertices: Floats,
    triangles: NDArray[np.integer],
    colour: Floats | None = None,
    yaw: float = 0.0,
    pitch: float = 0.0,
) -> None:
    """Draws a head (N,3) mm from afar, shaded, with colours (N,3) at its vertices, clay without.

    Triangles are painted from the farthest to the nearest, those that look away are left out.
    """
    from matplotlib.collections import TriMesh
    from matplotlib.tri import Triangulation

    turn = np.diag([1.0, -1.0, -1.0]) @ rotation_from_angles(yaw, pitch, 0.0)
    points = np.asarray(vertices, np.float64) @ turn.T
    normals = vertex_normals(points, triangles)
    corners = points[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0
    order = np.argsort(corners[facing].mean(1)[:, 2])
    drawn = np.asarray(triangles)[facing][order]
    light = np.clip(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    # Values must stay readable: colour maps are shaded less than clay.
    shade = 0.45 + 0.6 * light if colour is None else 0.72 + 0.3 * light
    base = _CLAY if colour is None else np.asarray(colour)
    painted = np.clip(base * shade[:, None], 0, 1)
    mesh = TriMesh(Triangulation(points[:, 0], points[:, 1], drawn))
    mesh.set_facecolor(np.concatenate([painted, np.ones((len(painted), 1))], axis=1))
    axes.add_collection(mesh)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    axes.set_xlim(low[0] - 3, high[0] + 3)
    axes.set_ylim(low[1] - 3, high[1] + 3)
    axes.set_aspect("equal")
    axes.set_axis_off()


def show_picture(axes: Axes, picture: NDArray[np.uint8]) -> None:
    """Shows a picture (H,W,3) without axes."""
    axes.imshow(picture, interpolation="lanczos")
    axes.set_axis_off()


def colour_bar(figure: Figure, axes: Any, most: float, label: str, name: str = "magma_r") -> None:
    """A colour bar from 0 to `most` beside `axes`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(ScalarMappable(Normalize(0, most), name), ax=axes, shrink=0.7, aspect=28, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)
