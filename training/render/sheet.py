"""Contact sheets: what a dataset looks like, and what its passes hold."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.shards import PICTURE_ENDINGS, count_samples, read_members, shard_paths
from training.truth import PASSES, Truth, segment_colours, unpack_truth

Pixels = NDArray[np.uint8]

_GAP = 2
_PAPER = (24, 24, 26)


def contact_sheet(folder: Path, columns: int = 8, rows: int = 8, tile: int = 192) -> Image.Image:
    """Pictures from all over a dataset, side by side, `tile` px each.

    Raises ``FileNotFoundError`` when the folder holds no finished shard.
    """
    tiles = [_thumbnail(_picture(members), tile) for members in _spread(folder, columns * rows, PICTURE_ENDINGS)]
    return _grid(tiles, columns, tile)


def passes_sheet(folder: Path, rows: int = 6, tile: int = 192) -> Image.Image | None:
    """Some pictures with their passes beside them, one sample in a row; None where the dataset has no passes.

    Raises ``FileNotFoundError`` when the folder holds no finished shard.
    """
    tiles: list[Image.Image] = []
    width = 0
    for members in _spread(folder, rows, None):
        shown = pass_pictures(unpack_truth(members))
        width = 1 + len(shown)
        tiles += [_thumbnail(_picture(members), tile), *(_thumbnail(Image.fromarray(one), tile) for one in shown)]
    return _grid(tiles, width, tile) if width > 1 else None


def pass_pictures(truth: Truth) -> list[Pixels]:
    """Each pass (H,W,3) as one looks at it, in the order of ``PASSES``.

    Segments in their colours; depth from light (near) to dark; normals as in normal maps; albedo sRGB-encoded; UV with
    u in red and v in green.
    """
    pictures = []
    for name in (name for name in PASSES if name in truth):
        values = truth[name]
        if name == "seg":
            pictures.append(segment_colours()[values])
            continue
        if name == "depth":
            hit = np.isfinite(values)
            near, far = np.percentile(values[hit], [0, 98]) if hit.any() else (0.0, 1.0)
            share = np.clip((far - np.where(hit, values, far)) / max(far - near, 1e-6), 0.0, 1.0)
            shown = np.repeat(np.where(hit, 0.12 + 0.88 * share, 0.0)[..., None], 3, axis=-1)
        elif name == "normals":
            flat = np.asarray(values, np.float32)
            shown = np.where(flat.any(-1, keepdims=True), 0.5 + 0.5 * flat * np.array([1.0, -1.0, -1.0]), 0.0)
        elif name == "albedo":
            linear = np.clip(np.asarray(values, np.float32), 0.0, 1.0)
            shown = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
        else:
            shown = np.concatenate([values, np.zeros_like(values[..., :1])], -1)
        pictures.append(np.round(255.0 * shown).astype(np.uint8))
    return pictures


def _spread(folder: Path, count: int, endings: tuple[str, ...] | None) -> Iterator[dict[str, bytes]]:
    """Members of `count` samples, evenly over the dataset."""
    shards = shard_paths(folder)
    if not shards:
        raise FileNotFoundError(
            f"{folder} holds no finished shard: make some with `likeness render --output {folder}`."
        )
    sizes = [count_samples(shard) for shard in shards]
    wanted = set(np.linspace(0, max(sum(sizes) - 1, 0), count).round().astype(int).tolist())
    start = 0
    for shard, size in zip(shards, sizes, strict=True):
        if wanted & set(range(start, start + size)):
            for number, (_, members) in enumerate(read_members(shard, endings), start):
                if number in wanted:
                    yield members
        start += size


def _picture(members: dict[str, bytes]) -> Image.Image:
    content = next(members[ending] for ending in PICTURE_ENDINGS if ending in members)
    return Image.open(io.BytesIO(content)).convert("RGB")


def _thumbnail(picture: Image.Image, tile: int) -> Image.Image:
    if picture.width == tile:
        return picture
    smaller = picture.width > tile
    return picture.resize((tile, tile), Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC)


def _grid(tiles: list[Image.Image], columns: int, tile: int) -> Image.Image:
    step = tile + _GAP
    columns = min(columns, len(tiles))
    sheet = Image.new("RGB", (columns * step + _GAP, -(-len(tiles) // columns) * step + _GAP), _PAPER)
    for number, picture in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(picture, (_GAP + column * step, _GAP + row * step))
    return sheet
