"""The report's pictures: error over the share of labels, and shapes beside the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blender_addon.surface_nets import surface_nets
from training.evaluation.drawing import PALETTE, draw_face, figure, panels, style
from training.recipes.components.config import Kind

# Objects are seen from the front, a little from the side and from above.
_YAW, _PITCH = -30.0, -18.0


@dataclass(frozen=True)
class Gallery:
    """Pictures (n,S,S), true shapes and estimates (n,...), the objects' threshold and the heads' triangles."""

    kind: Kind
    images: NDArray[np.uint8]
    truth: NDArray
    estimate: NDArray[np.float32]
    threshold: float
    triangles: NDArray[np.integer] | None


def draw_gallery(gallery: Gallery, path: Path) -> None:
    """Three rows: what the network saw, the true shape, the estimate."""
    count = len(gallery.images)
    with style():
        drawn = figure(1.35 * count, 4.3)
        axes = panels(drawn, 3, count)
        for column in range(count):
            axes[0, column].imshow(gallery.images[column], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            for row, shape, threshold in (
                (1, gallery.truth[column], 0.5),
                (2, gallery.estimate[column], gallery.threshold),
            ):
                if gallery.kind == "objects":
                    _draw_object(axes[row, column], shape.astype(np.float32), threshold)
                elif gallery.triangles is not None:
                    draw_face(axes[row, column], shape, gallery.triangles, yaw=_YAW)
        for axis in axes.ravel():
            axis.set_axis_off()
        for row, title in enumerate(("picture", "truth", "estimate")):
            axes[row, 0].set_title(title, loc="left")
        drawn.savefig(path)


def draw_shares(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """RMSE over the share of labelled pairs, pre-trained and from scratch; a dot for each run."""
    with style():
        drawn = figure(3.6 * len(results), 3.0)
        axes = panels(drawn, 1, len(results))[0]
        for axis, (title, runs) in zip(axes, results.items(), strict=True):
            for colour, pretrained, label in ((PALETTE[0], True, "pre-trained"), (PALETTE[1], False, "from scratch")):
                ours = [run for run in runs if run["pretrained"] == pretrained]
                shares = sorted({run["share"] for run in ours})
                means = [np.mean([run["rmse"] for run in ours if run["share"] == share]) for share in shares]
                axis.plot([100 * share for share in shares], means, color=colour, label=label)
                axis.plot([100 * run["share"] for run in ours], [run["rmse"] for run in ours], ".", color=colour)
            axis.set_xscale("log")
            axis.set_xticks([100 * share for share in sorted({run["share"] for run in runs})])
            axis.xaxis.set_major_formatter("{x:g} %")
            axis.minorticks_off()
            axis.set_title(title)
            axis.set_xlabel("labelled pairs")
        axes[0].set_ylabel("RMSE, unseen things")
        axes[-1].legend()
        drawn.savefig(path)


def _draw_object(axis: Any, field: NDArray[np.float32], threshold: float) -> None:
    vertices, quads = surface_nets(field, threshold)
    if not len(quads):
        return
    upright = vertices[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0])  # heads have y up and z to the front
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    draw_face(axis, upright, triangles, yaw=_YAW, pitch=_PITCH)
