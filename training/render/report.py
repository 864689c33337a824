"""The report that lies beside a dataset: a contact sheet, a sheet of passes, a page of statistics."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from training.shards import shard_paths, write_whole

if TYPE_CHECKING:
    from PIL import Image


def write_report(folder: Path) -> list[str]:
    """Writes ``sheet.png``, ``passes.png`` (where there are passes), ``statistics.md`` and its pictures into a dataset.

    Returns sentences about what could not be written: Blender's own Python has neither Pillow nor matplotlib. Raises
    ``OSError`` when the disk is full, :class:`training.shards.DatasetError` when there is no dataset or it is damaged.
    """
    if not shard_paths(folder):
        return [f"{folder} holds no finished shard yet, so there is nothing to report."]
    missing = []
    for write in (_sheets, _statistics):
        try:
            write(folder)
        except ImportError as error:
            missing.append(str(error.name))
    if not missing:
        return []
    return [
        f"this Python has no {' and no '.join(missing)}, so the report is not complete: run `likeness render --output "
        f"{folder} --report` where `pip install likeness[training]` was done."
    ]


def _sheets(folder: Path) -> None:
    from training.render.sheet import contact_sheet, passes_sheet

    _save(contact_sheet(folder), folder / "sheet.png")
    passes = passes_sheet(folder)
    if passes is not None:
        _save(passes, folder / "passes.png")


def _save(picture: Image.Image, path: Path) -> None:
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", optimize=True)
    write_whole(path, encoded.getvalue())


def _statistics(folder: Path) -> None:
    from training.render.statistics import FIGURES, draw, read_parameters, summary

    parameters = read_parameters(folder)
    write_whole(folder / "statistics.md", summary(folder, parameters).encode())
    pictures = folder / "statistics"
    pictures.mkdir(exist_ok=True)
    for name in FIGURES:
        encoded = io.BytesIO()
        draw(parameters, name).savefig(encoded, format="png")
        write_whole(pictures / f"{name}.png", encoded.getvalue())
