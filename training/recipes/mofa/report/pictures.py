"""The report's pictures: errors over the training, faces with their estimates, decoders side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.evaluation.drawing import PALETTE, draw_face, figure, panels, show_picture
from training.formation import illumination
from training.formation.colour import encode
from training.formation.decoder import Surface, face_decoder, skin_decoder
from training.formation.geometry import rotation_matrices
from training.formation.picture import draw
from training.recipes.mofa.pictures import Scenes
from training.recipes.mofa.report.study import Study
from training.recipes.mofa.run import Trained

if TYPE_CHECKING:
    from training.recipes.mofa.report.build import Compared

_KINDS = (
    ("geometric", "geometric error, mm"),
    ("photometric", "photometric error"),
    ("landmarks", "landmark error, px of 240"),
)


def draw_report(
    study: Study,
    run: Trained,
    unseen: Scenes,
    rows: list[dict[str, Any]],
    compared: Compared | None,
    folder: Path,
) -> None:
    """Writes curves.png, faces.png and, where decoders were compared, decoders.png."""
    draw_curves(rows, folder / "curves.png")
    draw_faces(study, run, unseen, folder / "faces.png")
    if compared is not None:
        draw_decoders(study, compared, folder / "decoders.png")


def draw_curves(rows: list[dict[str, Any]], path: Path) -> None:
    """Figure 10: errors on held-out scenes while the training goes on; a third of the start is dotted."""
    page = figure(9.0, 2.8)
    axes = panels(page, 1, len(_KINDS))[0]
    for axis, (kind, label) in zip(axes, _KINDS, strict=True):
        for colour, row in zip(PALETTE, rows, strict=False):
            axis.plot(
                [line["step"] for line in row["curve"]], [line[kind] for line in row["curve"]], color=colour,
                label=row["title"],
            )  # fmt: skip
        if kind == "geometric":
            axis.axhline(rows[0]["before"]["geometric"] / 3, color="#999999", lw=0.8, ls=":")
        axis.set_ylim(bottom=0)
        axis.set_title(label)
        axis.set_xlabel("batches")
    handles, labels = axes[0].get_legend_handles_labels()
    page.legend(handles, labels, loc="outside lower center", ncols=2)
    page.savefig(path)


@torch.no_grad()
def draw_faces(study: Study, run: Trained, unseen: Scenes, path: Path) -> None:
    """Figure 2: input, the estimate over it, shape, reflectance, illumination; and the true shape."""
    chosen = np.linspace(0, len(unseen) - 1, min(study.samples, len(unseen))).astype(int)
    images, code = unseen.images(chosen), run.codes(unseen, chosen)
    truth = unseen.code.at(torch.from_numpy(chosen))
    decoder = face_decoder(run.model)
    surface = decoder.surface(code)
    assert code.translation is not None
    lens = torch.full((len(code),), run.camera.focal)
    seen = decoder.see(surface, code.translation, lens, run.config.size)

    def picture(colours: Tensor) -> NDArray[np.uint8]:
        drawn = draw(decoder, replace_colours(surface, colours), seen, run.config.size)
        over = torch.where(drawn.covered[:, None], drawn.images, images)
        return (over.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()

    light = illumination.shading(code.illumination, surface.normals)
    columns = {
        "input": (images * 255).byte().permute(0, 2, 3, 1).numpy(),
        "estimate": picture(surface.colours),
        "reflectance": picture(encode(decoder.albedo(code))),
        "light": picture(encode(0.5 * light)),
    }
    page = figure(1.4 * (len(columns) + 2), 1.45 * len(chosen) + 0.3)
    axes = panels(page, len(chosen), len(columns) + 2)
    for column, (name, pictures) in enumerate(columns.items()):
        axes[0, column].set_title(name)
        for row in range(len(chosen)):
            show_picture(axes[row, column], pictures[row])
    skin = skin_decoder(run.model)
    for column, (name, numbers) in enumerate((("shape", code), ("true shape", truth)), len(columns)):
        axes[0, column].set_title(name)
        turned = skin.heads(numbers) @ rotation_matrices(numbers.rotation).transpose(1, 2)
        for row, head in enumerate((turned * torch.tensor([1.0, -1.0, -1.0])).numpy()):
            draw_face(axes[row, column], head, skin.triangles.numpy())
    page.savefig(path)


def replace_colours(surface: Surface, colours: Tensor) -> Surface:
    """The surface in other colours (B,V,3)."""
    return replace(surface, colours=colours)


def draw_decoders(study: Study, compared: Compared, path: Path) -> None:
    """Figures 12 and 13: the same faces by every decoder."""
    count = len(compared.covered)
    chosen = np.linspace(0, count - 1, min(study.samples, count)).astype(int)
    page = figure(1.5 * len(compared.pictures), 1.5 * len(chosen) + 0.4)
    axes = panels(page, len(chosen), len(compared.pictures))
    for column, (name, pictures) in enumerate(compared.pictures.items()):
        axes[0, column].set_title(name.replace(", ", ",\n"), fontsize=8)
        for row, index in enumerate(chosen):
            image = (pictures[index].clamp(0, 1) * 255).byte().permute(1, 2, 0).numpy()
            show_picture(axes[row, column], image)
    page.savefig(path)
