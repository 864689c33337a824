"""Renders what is missing of a folder of views, chunk by chunk."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.progress import Progress
from training.render.engine import RenderFailed
from training.views import ViewsInfo, chunk_path, open_views, write_chunk
from training.voxels.faults import BadShapeFile

LEFT_OUT = "left_out.txt"

# Thing number i and a scratch file -> its name, kind, pictures (V,S,S,2) and further arrays.
Draw = Callable[[int, Path], tuple[str, str, NDArray[np.uint8], dict[str, NDArray[Any]]]]


def render_views(folder: Path, info: ViewsInfo, draw: Draw, label: str) -> list[str]:
    """Renders the folder's missing chunks; returns a sentence for each thing that was left out.

    `draw` raises :class:`training.voxels.faults.BadShapeFile` for a thing that cannot be read; a picture that fails is
    tried once more. Raises `ValueError` when the folder holds something else.
    """
    open_views(folder, info)
    missing = [chunk for chunk in range(info.chunks) if not chunk_path(folder, chunk).exists()]
    done = info.count - sum(len(info.indices(chunk)) for chunk in missing)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as scratch, Progress(label, info.count, done, "thing") as progress:
        for chunk in missing:
            rows = []
            for index in info.indices(chunk):
                try:
                    rows.append(_twice(draw, index, Path(scratch) / "view.png"))
                except BadShapeFile as fault:
                    faults.append(str(fault))
                    with (folder / LEFT_OUT).open("a", encoding="utf-8") as file:
                        file.write(f"{fault}\n")
                progress.advance()
            write_chunk(folder, chunk, _columns(rows))
    return faults


def grey_and_alpha(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGBA (S,S,4) -> luma, Rec. 601, and alpha (S,S,2)."""
    grey = picture[..., :3] @ np.array([0.299, 0.587, 0.114])
    return np.stack([np.round(grey).astype(np.uint8), picture[..., 3]], axis=-1)


def complain(sentence: str) -> None:
    """Says it on standard error."""
    sys.stderr.write(f"likeness render-objects: {sentence}\n")


def report(faults: list[str]) -> int:
    """Names what was left out on standard error; the command's exit status."""
    for fault in faults:
        complain(fault)
    return 1 if faults else 0


def _twice(draw: Draw, index: int, path: Path) -> Any:
    try:
        return draw(index, path)
    except RenderFailed:
        return draw(index, path)


def _columns(rows: list[Any]) -> dict[str, NDArray[Any]]:
    if not rows:
        return {"names": np.zeros(0, "U1"), "kinds": np.zeros(0, "U1")}
    names, kinds, pictures, arrays = zip(*rows, strict=True)
    columns = {name: np.stack([row[name] for row in arrays]) for name in arrays[0]}
    return {"names": np.array(names), "kinds": np.array(kinds), "images": np.stack(pictures), **columns}
