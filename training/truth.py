"""Truth per pixel: what the passes of a render hold, and how they are packed beside the picture.

All arrays are (H,W) or (H,W,C), first row on top, and describe what the ray through each pixel's centre hits first:

- ``seg`` uint8: index into :data:`training.subjects.props.SEGMENTS`, 0 the background;
- ``depth`` float32 mm along the camera's z axis, to 1/64 mm; infinite where nothing was hit;
- ``normals`` float16: unit vectors in camera space (x right, y down, z forward), zero where nothing was hit;
- ``albedo`` float16: linear RGB of the diffuse (or subsurface) colour;
- ``uv`` float32 0..1 (packed as uint16), of the part that ``seg`` names; zero where nothing was hit.

``seg`` is packed as an indexed PNG, which any viewer shows in colours, the others in one compressed ``.npz``.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.subjects.props import SEGMENTS

Truth = dict[str, NDArray[Any]]

PASSES = ("seg", "depth", "normals", "albedo", "uv")
# EEVEE has neither indices nor UV.
EEVEE_PASSES = ("depth", "normals", "albedo")

SEG_ENDING, ARRAYS_ENDING = "seg.png", "truth.npz"

# Rounding leaves zero bits, which compress: depth to 1/64 mm, normals to 0.1 degree, albedo to 0.4 % of its value.
_DEPTH_STEPS = 64.0
_NORMAL_STEPS = 512.0
_ALBEDO_BITS = 3
_UV_STEPS = 65535.0

_COLOURS = {
    "background": (0, 0, 0), "skin": (236, 188, 152), "lips": (206, 76, 92), "eyes": (64, 156, 255),
    "brows": (122, 82, 48), "lashes": (44, 30, 26), "mouth": (120, 24, 44), "teeth": (250, 248, 236),
    "hair": (150, 92, 196), "beard": (224, 130, 40), "glasses": (30, 200, 200), "headwear": (240, 212, 60),
    "occluder": (90, 190, 90), "clothes": (92, 104, 150),
}  # fmt: skip


def check_passes(engine: str, wanted: Collection[str]) -> None:
    """Raises ``ValueError`` when the engine (``cycles`` or ``eevee``) cannot give these passes."""
    unknown = [name for name in wanted if name not in PASSES]
    if unknown:
        raise ValueError(f"There is no pass {', '.join(unknown)}; there are {', '.join(PASSES)}.")
    missing = [name for name in wanted if engine == "eevee" and name not in EEVEE_PASSES]
    if missing:
        raise ValueError(
            f"EEVEE has no pass for {', '.join(missing)}: leave that out of --passes, or take --engine cycles."
        )


def pack_truth(truth: Truth) -> dict[str, bytes]:
    """Members of a sample, by their endings."""
    packed: dict[str, bytes] = {}
    if "seg" in truth:
        packed[SEG_ENDING] = _indexed_png(truth["seg"])
    arrays: Truth = {}
    if "depth" in truth:
        arrays["depth"] = (np.round(truth["depth"] * _DEPTH_STEPS) / _DEPTH_STEPS).astype(np.float32)
    if "normals" in truth:
        arrays["normals"] = (np.round(truth["normals"] * _NORMAL_STEPS) / _NORMAL_STEPS).astype(np.float16)
    if "albedo" in truth:
        arrays["albedo"] = _shorter(truth["albedo"].astype(np.float16), _ALBEDO_BITS)
    if "uv" in truth:
        arrays["uv"] = np.round(np.clip(truth["uv"], 0.0, 1.0) * _UV_STEPS).astype(np.uint16)
    if arrays:
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        packed[ARRAYS_ENDING] = file.getvalue()
    return packed


def unpack_truth(members: dict[str, bytes]) -> Truth:
    """What :func:`pack_truth` packed, from a sample's members by ending. Raises ``ValueError`` on damaged ones."""
    truth: Truth = {}
    if SEG_ENDING in members:
        from PIL import Image

        with Image.open(io.BytesIO(members[SEG_ENDING])) as image:
            truth["seg"] = np.array(image, np.uint8)
    if ARRAYS_ENDING in members:
        try:
            with np.load(io.BytesIO(members[ARRAYS_ENDING]), allow_pickle=False) as arrays:
                truth |= {name: arrays[name] for name in PASSES if name in arrays}
        except zipfile.BadZipFile as error:
            raise ValueError(f"truth cannot be read ({error})") from error
    if "uv" in truth:
        truth["uv"] = truth["uv"].astype(np.float32) / np.float32(_UV_STEPS)
    return truth


def _shorter(values: NDArray[np.float16], bits: int) -> NDArray[np.float16]:
    """Half floats 0..1 rounded so that the last `bits` of their 10 bits of mantissa are zero."""
    rounded = (values.view(np.uint16) + np.uint16(1 << (bits - 1))) >> bits << bits
    return rounded.astype(np.uint16).view(np.float16)


def segment_colours() -> NDArray[np.uint8]:
    """A colour (S,3) for each of ``SEGMENTS``, the background black."""
    return np.array([_COLOURS[name] for name in SEGMENTS], np.uint8)


def _indexed_png(seg: NDArray[np.integer]) -> bytes:
    """An 8-bit PNG with a palette (W3C PNG, chapters 5 and 11); Blender's Python has no image library."""
    height, width = seg.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter, 0: none
    lines[:, 1:] = seg
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", segment_colours().tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    packed = b"\x89PNG\r\n\x1a\n"
    for kind, content in chunks:
        packed += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return packed
