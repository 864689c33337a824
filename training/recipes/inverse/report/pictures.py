"""The report's pictures: faces with their estimates, and errors round by round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.drawing import PALETTE, draw_face, figure, panels, show_picture
from training.evaluation.inverse import rendered
from training.formation.decoder import skin_decoder
from training.formation.geometry import rotation_matrices
from training.recipes.inverse.report.study import BRED, MODEL_SPACE, PLAIN, RESTORED, Study
from training.recipes.inverse.run import Trained
from training.recipes.inverse.train import masked_photos, photo_masks

if TYPE_CHECKING:
    from training.recipes.inverse.report.build import Sets

_SHOWN = {PLAIN: "plain", MODEL_SPACE: "model space", BRED: "bred", RESTORED: "restored"}
_KINDS = (("photometric", "photometric error, 8 bits"), ("geometric", "geometric error, mm"), ("overlap", "IoU"))


def draw_report(
    study: Study,
    runs: dict[str, Trained],
    sets: dict[int, Sets],
    theta: dict[str, NDArray[np.float32]],
    figures: dict[str, Any],
    folder: Path,
) -> None:
    """Writes faces.png and rounds.png."""
    draw_faces(study, runs, sets, theta, folder / "faces.png")
    draw_rounds(figures["rows"], folder / "rounds.png")


def draw_faces(
    study: Study, runs: dict[str, Trained], sets: dict[int, Sets], theta: dict[str, NDArray[np.float32]], path: Path
) -> None:
    """Input, masked input, and for each step the estimate over the photo and the shape alone."""
    size = runs[BRED].config.size
    photos = sets[size].test
    chosen = np.linspace(0, len(photos) - 1, min(study.samples, len(photos))).astype(int)
    page = figure(1.35 * (2 + 2 * len(_SHOWN)), 1.4 * len(chosen) + 0.4)
    axes = panels(page, len(chosen), 2 + 2 * len(_SHOWN))
    masked, masks = masked_photos(photos), photo_masks(photos)
    for column, name in enumerate(_SHOWN):
        run = runs[name]
        codes, groups = theta[name][chosen], run.config.codes.groups
        drawn, covered = rendered(run.config, skin_decoder(run.model), codes)
        turns = rotation_matrices(torch.from_numpy(codes[:, groups["rotation"]])).numpy()
        for row, index in enumerate(chosen):
            over = np.where(covered[row][..., None], drawn[row], photos.images[index])
            show_picture(axes[row, 2 + 2 * column], _contours(over, masks[index], covered[row]))
            head = run.model.vertices(codes[row, groups["identity"]], codes[row, groups["expression"]])
            upright = head @ turns[row].T * np.array([1, -1, -1])
            skin = run.model.template["triangles"][run.model.material("skin")]
            draw_face(axes[row, 3 + 2 * column], upright, skin)
        axes[0, 2 + 2 * column].set_title(_SHOWN[name])
    for row, index in enumerate(chosen):
        show_picture(axes[row, 0], photos.images[index])
        show_picture(axes[row, 1], masked[index])
    axes[0, 0].set_title("photo")
    axes[0, 1].set_title("input")
    page.savefig(path)


def draw_rounds(rows: list[dict[str, Any]], path: Path) -> None:
    """The test faces' errors at the end of every round; runs without breeding have one point."""
    page = figure(9.0, 2.8)
    axes = panels(page, 1, len(_KINDS))[0]
    for axis, (kind, label) in zip(axes, _KINDS, strict=True):
        for colour, row in zip(PALETTE, rows, strict=False):
            found = row["rounds"]
            style = "o-" if len(found) > 1 else "s"
            axis.plot([line["step"] for line in found], [line[kind] for line in found], style, color=colour, ms=4)
            if len(found) == 1:
                axis.axhline(found[0][kind], color=colour, lw=0.8, ls=":")
        axis.set_title(label)
        axis.set_xlabel("batches")
    page.legend(
        [axes[0].lines[i] for i in _first_lines(rows)],
        [row["title"] for row in rows],
        loc="outside lower center",
        ncols=3,
    )
    page.savefig(path)


def _first_lines(rows: list[dict[str, Any]]) -> list[int]:
    """Where in an axis' lines each row's own line is: rows of one point have a dotted one after it."""
    places, place = [], 0
    for row in rows:
        places.append(place)
        place += 2 if len(row["rounds"]) == 1 else 1
    return places


def _contours(picture: NDArray[np.uint8], theirs: NDArray[np.bool_], ours: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture with the input mask's outline in red and the estimate's in green (paper, figure 5)."""
    drawn = picture.copy()
    for mask, colour in ((theirs, (220, 40, 40)), (ours, (40, 220, 60))):
        inner = mask.copy()
        inner[1:-1, 1:-1] &= mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        drawn[mask & ~inner] = colour
    return drawn
