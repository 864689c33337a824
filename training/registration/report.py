"""What a registration did: distances, skipped scans, a picture. Markdown and JSON beside the population's file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.registration.rig import Rig
from training.registration.surface import Surface, border_vertices
from training.registration.target import Target
from training.whole_file import whole_file

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The face reaches this far beyond the farthest landmark from their middle.
_REACH = 1.1
_PICTURED = 5
_MOST_MM = 2.0


@dataclass(frozen=True)
class Residual:
    """Distances in mm from the vertices of a scan's face to the registered template's skin, where that covers it."""

    name: str
    median: float
    mean: float
    share95: float


@dataclass(frozen=True)
class Pictured:
    """One row of the picture: a scan and the template on it, head space."""

    name: str
    target: Target
    vertices: Floats
    distances: Floats


def measure(rig: Rig, name: str, target: Target, vertices: Floats) -> tuple[Residual, Pictured]:
    """Distances from the target's face to the registered rig (U,3)."""
    marks = np.stack(list(target.landmarks.values()))
    middle = marks.mean(0)
    reach = _REACH * np.linalg.norm(marks - middle, axis=1).max()
    shown = np.unique(target.triangles)
    hits = Surface(vertices, rig.skin).closest(target.vertices[shown])
    # What lies beyond the template's edges (inside mouth and sockets, below the neck) has no counterpart.
    beyond = np.isin(hits.corners, border_vertices(rig.skin)).any(1)
    distances = np.full(len(target.vertices), np.nan)
    distances[shown] = hits.distance
    face = (np.linalg.norm(target.vertices[shown] - middle, axis=1) < reach) & ~beyond
    values = hits.distance[face]
    residual = Residual(name, float(np.median(values)), float(values.mean()), float(np.percentile(values, 95)))
    return residual, Pictured(name, target, vertices, distances)


def write_report(
    folder: Path, title: str, facts: dict[str, str], residuals: Sequence[Residual], skipped: dict[str, str]
) -> None:
    """Writes report.json and report.md into the folder."""
    together = {
        "median": float(np.median([item.median for item in residuals])),
        "mean": float(np.mean([item.mean for item in residuals])),
        "share95": float(np.median([item.share95 for item in residuals])),
    }
    record = {
        "title": title,
        "facts": facts,
        "residuals_mm": [asdict(item) for item in residuals],
        "together_mm": together,
        "skipped": skipped,
    }
    _write(folder / "report.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    lines = [f"# {title}", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    lines += ["![The template on the scans](report.png)", ""]
    lines += ["Distance in mm from the vertices of each face to the registered template:", ""]
    lines += ["| scan | median | mean | 95 % below |", "|---|---|---|---|"]
    lines += [f"| {item.name} | {item.median:.2f} | {item.mean:.2f} | {item.share95:.2f} |" for item in residuals]
    lines += [
        f"| **together** | {together['median']:.2f} | {together['mean']:.2f} | {together['share95']:.2f} |",
        "",
    ]
    if skipped:
        lines += [f"{len(skipped)} skipped:", "", *(f"- {name}: {reason}" for name, reason in skipped.items()), ""]
    _write(folder / "report.md", "\n".join(lines))


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


def write_picture(
    folder: Path,
    rig: Rig,
    rows: Sequence[Pictured],
    mean: NDArray[np.floating],
    modes: NDArray[np.float32],
    names: Sequence[str],
) -> None:
    """Writes report.png: scans beside the template on them, where they differ, and the population's first modes."""
    from training.evaluation.drawing import colour_bar, colours, draw_face, figure, panels

    rows = _spread_out(rows)
    count = min(3, len(modes))
    sheet = figure(11.0, 2.5 * (len(rows) + count))
    axes = panels(sheet, len(rows) + count, 5)
    for line, row in zip(axes, rows, strict=False):
        scan = (row.target.vertices, row.target.triangles)
        error = colours(np.nan_to_num(row.distances, nan=_MOST_MM), _MOST_MM)
        draw_face(line[0], *scan)
        draw_face(line[1], row.vertices, rig.all_skin)
        draw_face(line[2], *scan, colour=error)
        draw_face(line[3], row.vertices, rig.all_skin, yaw=55.0)
        draw_face(line[4], *scan, colour=error, yaw=55.0)
        line[0].set_title(row.name, loc="left")
    for axis, title in zip(axes[0], ("", "template", "distance", "", ""), strict=True):
        if title:
            axis.set_title(title)
    for number, line in enumerate(axes[len(rows) :]):
        for axis, factor in zip(line, (-3.0, -1.5, 0.0, 1.5, 3.0), strict=True):
            draw_face(axis, mean + factor * modes[number], rig.all_skin, yaw=20.0)
            axis.set_title(f"{names[number]} {factor:+.1f}" if factor else "mean")
    colour_bar(sheet, axes[: len(rows)].ravel().tolist(), _MOST_MM, "mm")
    with whole_file(folder / "report.png") as file:
        sheet.savefig(file, format="png")


def _spread_out(rows: Sequence[Pictured]) -> list[Pictured]:
    """A few rows from the best to the worst."""
    ranked = sorted(rows, key=lambda row: float(np.nanmedian(row.distances)))
    if len(ranked) <= _PICTURED:
        return ranked
    return [ranked[i] for i in np.linspace(0, len(ranked) - 1, _PICTURED).round().astype(int)]
