"""The report's pictures: faces iteration by iteration, and errors over iterations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.evaluation.drawing import PALETTE, draw_face, figure, panels, show_picture, style
from training.evaluation.metrics import per_vertex_error
from training.formation.decoder import skin_decoder
from training.recipes.feedback.pictures import shaded
from training.recipes.feedback.report.build import TestFaces, head, shown
from training.recipes.feedback.report.study import Study
from training.recipes.feedback.run import Trained


def draw_report(
    study: Study, run: Trained, faces: TestFaces, answers: list[Tensor], figures: dict[str, Any], folder: Path
) -> None:
    """Writes faces.png and iterations.png."""
    with style():
        draw_iterations(figures, folder / "iterations.png")
        draw_samples(study, run, faces, answers, folder / "faces.png")


def draw_samples(study: Study, run: Trained, faces: TestFaces, answers: list[Tensor], path: Path) -> None:
    """Each face's picture, then what the network is shown of it and the geometry, by iteration, then the truth."""
    chosen = np.linspace(0, len(faces.truth) - 1, min(study.samples, len(faces.truth))).astype(int)
    some, decoder = shown(faces, chosen), skin_decoder(run.model)
    skin = run.model.template["triangles"][run.model.material("skin")]
    region = run.model.region("face")
    columns = 2 * len(answers) + 2
    page = figure(1.3 * columns, 1.5 * len(chosen) + 0.3)
    axes = panels(page, len(chosen), columns)
    for row in range(len(chosen)):
        show_picture(axes[row, 0], _grey(some.pictures[row]))
        truth = head(run.model, run.config, some.truth[row])
        draw_face(axes[row, -1], truth, skin)
    for k, answer in enumerate(answers):
        shading, mask = shaded(decoder, answer[chosen], some.believed, run.config)
        for row in range(len(chosen)):
            masked = some.pictures[row] * mask[row]
            halves = torch.cat([masked, shading[row]], 0)
            show_picture(axes[row, 1 + 2 * k], _grey(halves))
            found = head(run.model, run.config, answer[chosen[row]])
            draw_face(axes[row, 2 + 2 * k], found, skin)
            off = per_vertex_error(found[region], head(run.model, run.config, some.truth[row])[region]).mean()
            axes[row, 2 + 2 * k].set_title(f"{off:.2f} mm", fontsize=7, pad=1)
        axes[0, 1 + 2 * k].set_title(f"shown: {k}", fontsize=8)
    axes[0, 0].set_title("photo", fontsize=8)
    axes[0, -1].set_title("truth", fontsize=8)
    page.savefig(path)


def draw_iterations(figures: dict[str, Any], path: Path) -> None:
    """Error over iterations, with what others reach as lines."""
    page = figure(5.5, 3.4)
    axis = panels(page, 1, 1)[0, 0]
    errors = [one["mm"] for one in figures["iterations"]]
    axis.plot(range(len(errors)), errors, "o-", color=PALETTE[0], label="error feedback")
    others = {"answers once": figures["once"]} | figures["landmarks"]
    for colour, (name, one) in zip(PALETTE[1:], others.items(), strict=False):
        axis.axhline(one["mm"], color=colour, ls="--", lw=1.2, label=name)
    axis.set_xticks(range(len(errors)))
    axis.set_xlabel("iteration")
    axis.set_ylabel("error over the face, mm")
    axis.set_ylim(0)
    axis.legend(fontsize=7)
    page.savefig(path)


def _grey(picture: Tensor) -> np.ndarray:
    values = (picture.clamp(0, 1).numpy() * 255).astype(np.uint8)
    return np.repeat(values[..., None], 3, 2)
