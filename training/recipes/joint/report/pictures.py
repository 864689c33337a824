"""The report's pictures, each from plain numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.drawing import PALETTE, colour_bar, colours, draw_face, figure, panels, show_picture
from training.recipes.joint.report.answers import Measured
from training.recipes.shape_space import Floats

Bins = list[dict[str, float]]


def pose_curves(path: Path, curves: dict[str, Bins]) -> None:
    """Fig. 6: error over the pose angle, in mm and as a share of the mean-face control.

    curves: by method, bins with `angle`, `error`, `ratio`, `spread` (standard error of `error`) and `faces`.
    """
    made = figure(8.6, 3.6)
    left, right = panels(made, 1, 2)[0]
    for number, (title, bins) in enumerate(curves.items()):
        angles, colour = [b["angle"] for b in bins], PALETTE[number % len(PALETTE)]
        error, spread = (np.array([b[key] for b in bins]) for key in ("error", "spread"))
        left.plot(angles, error, "o-", color=colour, label=title, markersize=4)
        left.fill_between(angles, error - spread, error + spread, color=colour, alpha=0.15, linewidth=0)
        right.plot(angles, [b["ratio"] for b in bins], "o-", color=colour, markersize=4)
    right.axhline(1.0, color="#999999", linewidth=1, linestyle=":")
    left.set(xlabel="pose angle, degrees", ylabel="error, mm", title="Error over the pose angle", ylim=(0, None))
    right.set(xlabel="pose angle, degrees", ylabel="share of the mean-face control", title="Against the mean face")
    right.set_ylim(0.4, 1.15)
    for axes in (left, right):
        axes.set_xlim(-2, 92)
        axes.set_xticks(range(0, 91, 15))
    made.legend(loc="outside lower center", ncols=3, fontsize=8)
    made.savefig(path)


def error_maps(path: Path, methods: list[Measured], template: dict[str, NDArray], mean: Floats) -> None:
    """Fig. 7: per-vertex normal angles (a) and distances (b), means over the test faces, drawn on the mean face."""
    head = _Head(template)
    made = figure(2.1 * len(methods) + 1.0, 5.6)
    grid = panels(made, 2, len(methods))
    rows = (("angles", "degrees"), ("distances", "mm"))
    for row, (kind, unit) in enumerate(rows):
        values = [getattr(method, kind) for method in methods]
        most = float(np.quantile(np.concatenate(values), 0.99))
        for axes, method, value in zip(grid[row], methods, values, strict=True):
            head.draw(axes, mean, value, most, yaw=-18.0)
            if row == 0:
                axes.set_title(_wrapped(method.title), fontsize=8.5)
            axes.text(0.5, -0.03, f"{value.mean():.2f} {unit}", transform=axes.transAxes, ha="center", fontsize=8.5)
        colour_bar(made, grid[row].tolist(), most, f"{'normal angle' if row == 0 else 'distance'}, {unit}")
    made.savefig(path)


def sample_faces(
    path: Path,
    pictures: NDArray[np.uint8],
    truths: Floats,
    methods: list[Measured],
    template: dict[str, NDArray],
) -> None:
    """Fig. 5: pictures (s,H,W,3), the true heads (s,N,3), the methods' heads and how far their vertices are off."""
    head = _Head(template)
    made = figure(1.5 * (2 + 2 * len(methods)) + 0.8, 1.85 * len(truths) + 0.3)
    grid = panels(made, len(truths), 2 + 2 * len(methods))
    off = [np.linalg.norm(method.samples - truths, axis=2)[:, head.face] for method in methods]
    most = float(np.quantile(np.concatenate(off), 0.98))
    for row, truth in enumerate(truths):
        show_picture(grid[row, 0], pictures[row])
        head.draw(grid[row, 1], truth)
        for number, method in enumerate(methods):
            estimate = method.samples[row]
            head.draw(grid[row, 2 + 2 * number], estimate)
            head.draw(grid[row, 3 + 2 * number], estimate, off[number][row], most)
    grid[0, 0].set_title("picture", fontsize=8.5)
    grid[0, 1].set_title("truth", fontsize=8.5)
    for number, method in enumerate(methods):
        grid[0, 2 + 2 * number].set_title(_wrapped(method.title), fontsize=8.5)
        grid[0, 3 + 2 * number].set_title("distance", fontsize=8.5)
    colour_bar(made, grid.ravel().tolist(), most, "mm")
    made.savefig(path)


def basis_charts(path: Path, bases: dict[str, dict[str, Any]]) -> None:
    """Learned bases against PCA: principal angles, variance explained, and errors over the number of columns.

    bases: by run, what `training.recipes.joint.report.build.basis_figures` says of it.
    """
    made = figure(9.2, 3.4)
    angles, variance, error = panels(made, 1, 3)[0]
    for number, (title, record) in enumerate(bases.items()):
        colour = PALETTE[number % len(PALETTE)]
        angles.plot(*_curve(record["angles"], "mean"), "o-", color=colour, markersize=3.5, label=title)
        angles.plot(*_curve(record["angles"], "largest"), ":", color=colour)
        variance.plot(*_missing(record["explained"]["learned"]), "o-", color=colour, markersize=3.5)
        variance.plot(*_missing(record["explained"]["pca"]), "--", color=colour)
        error.plot(*_curve(record["projection"]["learned"]), "o-", color=colour, markersize=3.5)
        error.plot(*_curve(record["projection"]["pca"]), "--", color=colour)
        error.plot(*_curve(record["pictures"]), "-", color=colour, alpha=0.55, linewidth=3)
    angles.set(title="Angles to PCA's span", xlabel="columns", ylabel="degrees (dotted: largest)", ylim=(0, 92))
    variance.set(title="Variance not held", xlabel="columns", ylabel="share (dashed: PCA)", yscale="log")
    error.set(title="Error over columns", xlabel="columns", ylabel="mm (broad: from pictures)", ylim=(0, None))
    made.legend(loc="outside lower center", ncols=3, fontsize=8)
    made.savefig(path)


def known_columns(path: Path, records: dict[str, dict[str, Any]]) -> None:
    """What pictures tell of each column: the share of its variance, over the columns' numbers."""
    made = figure(6.4, 3.0)
    (axes,) = panels(made, 1, 1)[0]
    for number, (title, record) in enumerate(records.items()):
        known = np.clip(record["known"], 0, 1)
        order = np.arange(1, len(known) + 1)
        axes.plot(order, known, ".", color=PALETTE[number], markersize=4, alpha=0.6)
        width = max(1, len(known) // 20)
        smooth = np.convolve(np.pad(known, width // 2, mode="edge"), np.ones(width) / width, "valid")[: len(known)]
        axes.plot(order[: len(smooth)], smooth, color=PALETTE[number], label=title)
    axes.set(title="What pictures tell of a column", xlabel="column, the largest variance first", ylabel="share known")
    axes.set_xscale("log")
    axes.set_ylim(-0.02, 1)
    axes.legend(fontsize=8)
    made.savefig(path)


def training_curves(path: Path, logs: dict[str, list[dict[str, Any]]]) -> None:
    """J1 and J2 of the paper's runs over their steps."""
    made = figure(8.6, 3.0)
    for axes, name in zip(panels(made, 1, 2)[0], ("j1", "j2"), strict=True):
        for number, (title, log) in enumerate(logs.items()):
            lines = [line for line in log if name in line and line[name] > 0]
            width = max(1, len(lines) // 200)
            steps = [line["step"] for line in lines][width - 1 :: width]
            values = np.array([line[name] for line in lines])[: len(steps) * width]
            if len(steps):
                axes.plot(steps, values.reshape(-1, width).mean(1), color=PALETTE[number], label=title, linewidth=1.3)
        axes.set(title=name.upper(), xlabel="step", yscale="log")
    made.legend(*made.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    made.savefig(path)


class _Head:
    """Draws heads without hair, and values over their faces."""

    def __init__(self, template: dict[str, NDArray]) -> None:
        names = [str(name) for name in template["region_names"]]
        regions = dict(zip(names, template["regions"], strict=True))
        self.face = np.flatnonzero(regions["face"])
        shown = regions["face"].copy()
        for name in ("skin", "eyes"):
            shown |= regions.get(name, False)
        triangles = template["triangles"]
        self.triangles = triangles[shown[triangles].all(1)]
        used = np.unique(self.triangles)
        self.used = used
        self.triangles = np.searchsorted(used, self.triangles)

    def draw(
        self, axes: Any, head: Floats, values: Floats | None = None, most: float = 1.0, yaw: float = -22.0
    ) -> None:
        """A head (N,3), or values (P,) on its face and clay around it."""
        colour = None
        if values is not None:
            colour = np.tile([0.86, 0.85, 0.84], (len(head), 1))
            colour[self.face] = colours(values, most)
            colour = colour[self.used]
        draw_face(axes, head[self.used], self.triangles, colour, yaw)


def _curve(record: dict[Any, Any], key: str | None = None) -> tuple[list[int], list[float]]:
    return [int(n) for n in record], [float(v[key]) if key else float(v) for v in record.values()]


def _missing(record: dict[Any, float]) -> tuple[list[int], list[float]]:
    numbers, shares = _curve(record)
    return numbers, [max(1 - share, 1e-7) for share in shares]


def _wrapped(title: str) -> str:
    from textwrap import fill

    return fill(title, 20)
