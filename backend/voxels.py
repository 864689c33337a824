"""Objects from pictures: a network that gives the occupancy of a grid, and the picture made ready for it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import PROTOCOL
from .decode import decode
from .failures import Failure
from .runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float32]

METHOD: Final = "components-objects"
SCHEMA: Final = 1
DEFAULT: Final = Path(__file__).parent / "bundles" / "objects"
ENVIRONMENT: Final = "LIKENESS_OBJECTS_BUNDLE"
DESCRIPTION: Final = "bundle.json"

FRAME: Final = 1.12
"""A picture's side over that of the box around the object, as in training."""

_LOOKED_AT = 256
# 8-bit steps that a pixel must differ from the background, beside what the background differs from itself.
_STEPS, _SPREADS = 14.0, 4.0
_SMALLEST, _LARGEST = 0.004, 0.97
_PLAIN = 0.8


@dataclass(frozen=True)
class ObjectBundle:
    """What a run of `components` on objects exported, verified: the network's content and what it speaks of.

    `size` is the side of its input in pixels, `resolution` that of its grid, `threshold` the occupancy from which a
    voxel counts as inside, `classes` the kinds of objects it has seen.
    """

    folder: Path
    name: str
    sha256: str
    network: bytes
    size: int
    resolution: int
    threshold: float
    classes: tuple[str, ...]
    description: Mapping[str, Any]


@dataclass(frozen=True)
class VoxelReconstruction:
    """Occupancy (R,R,R), 0..1, indexed x, y, z: z up, the object's front towards -y.

    `box` (x, y, width, height) is where the object was found, in pixels of the upright picture of `image_size` (width,
    height); `seconds` what each stage took.
    """

    occupancy: Floats
    threshold: float
    bundle: str
    bundle_sha256: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    box: tuple[float, float, float, float]
    seconds: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """The protocol's answer, ready for `json`; the occupancy as base64 of bytes 0..255, z fastest."""
        return {
            "protocol": PROTOCOL,
            "method": METHOD,
            "bundle": self.bundle,
            "bundle_sha256": self.bundle_sha256,
            "classes": list(self.classes),
            "resolution": len(self.occupancy),
            "threshold": self.threshold,
            "occupancy": base64.b64encode(np.round(self.occupancy * 255).astype(np.uint8).tobytes()).decode("ascii"),
            "image_size": list(self.image_size),
            "object_box": list(self.box),
            "seconds": {stage: round(seconds, 4) for stage, seconds in self.seconds.items()},
        }


class VoxelReconstructor:
    """A bundle and its network, loaded once; `reconstruct` may be called from several threads."""

    def __init__(self, bundle: ObjectBundle, session: InferenceSession) -> None:
        self.bundle = bundle
        self._session = session

    @classmethod
    def open(cls, folder: Path | None = None) -> VoxelReconstructor:
        """Load a bundle, by default the one that `LIKENESS_OBJECTS_BUNDLE` names or that ships.

        Raises Failure: `objects_missing`, `bundle_missing`, `bundle_damaged`, `bundle_schema`, `runtime_missing`.
        """
        bundle = open_object_bundle(folder)
        try:
            session = open_session(bundle.network, accelerated=True)
        except Failure:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise _damaged(bundle.description["regressor"]["file"], "onnxruntime cannot load it") from error
        return cls(bundle, session)

    @property
    def provider(self) -> str:
        """Onnxruntime's name of what the network runs on."""
        return str(self._session.get_providers()[0])

    def reconstruct(self, image_bytes: bytes, *, cancelled: Callable[[], bool] = lambda: False) -> VoxelReconstruction:
        """The object in an image file's content.

        Raises Failure: those of `decode`, and `object_none`, `regressor_failed`, `cancelled`.
        """
        seconds: dict[str, float] = {}
        started = time.perf_counter()
        picture = decode(image_bytes)
        seconds["decode"] = time.perf_counter() - started
        if cancelled():
            raise Failure("cancelled")
        pixels, box = prepared(picture.image, self.bundle.size)
        seconds["find"] = time.perf_counter() - started - seconds["decode"]
        occupancy = self.occupancy(pixels)
        seconds["regress"] = time.perf_counter() - started - sum(seconds.values())
        if cancelled():
            raise Failure("cancelled")
        return VoxelReconstruction(
            occupancy=occupancy,
            threshold=self.bundle.threshold,
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            classes=self.bundle.classes,
            image_size=picture.size,
            box=tuple(float(n) * picture.reduction for n in box),  # type: ignore[arg-type]
            seconds=seconds,
        )

    def occupancy(self, pixels: NDArray[np.uint8]) -> Floats:
        """Grey pixels (S,S) on white -> occupancy (R,R,R). Raises Failure `regressor_failed`."""
        image = np.ascontiguousarray(pixels[None, None], np.float32) / np.float32(255)
        try:
            (value,) = self._session.run(["occupancy"], {"image": image})
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("regressor_failed", reason=str(error).splitlines()[0]) from error
        if value.shape != (1, *(self.bundle.resolution,) * 3) or not np.isfinite(value).all():
            raise Failure("regressor_failed", reason=f"its occupancy has shape {value.shape} or is not finite")
        occupancy: Floats = np.clip(value[0], 0, 1).astype(np.float32)
        return occupancy


def default_folder() -> Path:
    """The folder that the environment names, or that of the bundle that ships."""
    chosen = os.environ.get(ENVIRONMENT)
    return Path(chosen) if chosen else DEFAULT


def open_object_bundle(folder: Path | None = None) -> ObjectBundle:
    """Read and verify the bundle in `folder`, by default `default_folder()`.

    Raises Failure: `objects_missing` (no such folder), `bundle_missing`, `bundle_damaged`, `bundle_schema`.
    """
    folder = default_folder() if folder is None else folder
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Failure("objects_missing", folder=folder) from error
    except (OSError, ValueError) as error:
        raise _damaged(DESCRIPTION, "it is not JSON") from error
    if not isinstance(description, dict) or description.get("method") != METHOD:
        raise Failure("objects_missing", folder=folder)
    if description.get("schema") != SCHEMA:
        raise Failure("bundle_schema", found=description.get("schema"), known=SCHEMA)
    try:
        regressor = description["regressor"]
        file, digest = str(regressor["file"]), str(description["files"][regressor["file"]])
        size, resolution = int(regressor["size"]), int(description["resolution"])
        threshold, name = float(description["threshold"]), str(description["name"])
        classes = tuple(str(kind) for kind in description["classes"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(DESCRIPTION, f"its {error} is missing or of the wrong kind") from error
    if Path(file).name != file:
        raise _damaged(DESCRIPTION, f"it lists {file}, which is not a file of the bundle's folder")
    try:
        network = (folder / file).read_bytes()
    except OSError as error:
        raise Failure("bundle_missing", folder=folder, name=file) from error
    sha256 = hashlib.sha256(network).hexdigest()
    if sha256 != digest:
        raise _damaged(file, "its sha256 is another than the bundle says")
    return ObjectBundle(folder, name, sha256, network, size, resolution, threshold, classes, description)


def prepared(image: Image.Image, size: int) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """An RGB picture -> grey pixels (size,size) of its object alone on white, and the object's box (x, y, w, h).

    The background is what the picture's edges show: a colour, or one that changes evenly. Raises Failure `object_none`
    where nothing stands out from it.
    """
    factor = max(1, max(image.size) // _LOOKED_AT)
    small = image.reduce(factor) if factor > 1 else image
    distance, limit = _from_background(np.asarray(small, np.float32))
    inside = distance > limit
    # A single speck is no part of the object: rows and columns count from a few pixels on.
    few = max(2, round(0.008 * max(inside.shape)))
    columns, rows = (np.flatnonzero(inside.sum(axis) >= few) for axis in (0, 1))
    if not len(columns) or not len(rows) or not _SMALLEST < inside.mean() < _LARGEST:
        raise Failure("object_none")
    low = np.array([columns[0], rows[0]], float) * factor
    high = np.minimum(np.array([columns[-1] + 1, rows[-1] + 1], float) * factor, image.size)
    side = FRAME * float((high - low).max())
    middle = (low + high) / 2
    start = middle - side / 2
    # Drawn larger and averaged, so that thin legs do not fall between the pixels.
    drawn = size * max(1, int(np.ceil(side / size)))
    step = side / drawn
    placed = image.transform(
        (drawn, drawn), Image.Transform.AFFINE, (step, 0, start[0], 0, step, start[1]), Image.Resampling.BILINEAR
    )
    pixels = np.asarray(placed, np.float32)
    weight = _weights(pixels, image, start, step, limit)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    white = (grey * weight + 255 * (1 - weight)).reshape(size, drawn // size, size, -1).mean((1, 3))
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return np.round(white).astype(np.uint8), box


def _from_background(pixels: Floats) -> tuple[Floats, float]:
    """Each pixel's distance (H,W) from the background, and from where on it is none of it."""
    fitted = _background(pixels)
    distance = np.abs(pixels - fitted).max(2)
    edge = _edges(distance)
    limit = _STEPS + _SPREADS * float(np.median(edge))
    if (edge < limit).mean() < _PLAIN:
        raise Failure("object_none")
    return distance, limit


def _background(pixels: Floats) -> Floats:
    """(H,W,3): a plane in x and y for each colour, through most of the pixels at the picture's edges."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    terms = np.stack([np.ones_like(x), x / width - 0.5, y / height - 0.5], -1)
    known, colours = _edges(terms), _edges(pixels)
    kept = np.ones(len(known), bool)
    solution = np.zeros((3, 3), np.float32)
    solution[0] = np.median(colours, axis=0)
    for _ in range(4):
        away = np.abs(colours - known @ solution).max(1)
        kept = away <= max(2 * float(np.median(away)), 4.0)
        solution = np.linalg.lstsq(known[kept], colours[kept], rcond=1e-3)[0].astype(np.float32)
    fitted: Floats = (terms @ solution).astype(np.float32)
    return fitted


def _edges(values: NDArray[Any]) -> NDArray[Any]:
    """What lies along the four edges of (H,W,...), as (n,...)."""
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def _weights(pixels: Floats, image: Image.Image, start: NDArray[np.floating[Any]], step: float, limit: float) -> Floats:
    """How much of each pixel (n,n) of the square is object: 0 outside the picture."""
    factor = max(1, max(image.size) // _LOOKED_AT)
    small = image.reduce(factor) if factor > 1 else image
    plane = Image.fromarray(np.clip(_background(np.asarray(small, np.float32)), 0, 255).astype(np.uint8))
    count = len(pixels)
    shown = plane.transform(
        (count, count),
        Image.Transform.AFFINE,
        (step / factor, 0, start[0] / factor, 0, step / factor, start[1] / factor),
        Image.Resampling.BILINEAR,
    )
    places = start + step * (np.arange(count)[:, None] + 0.5)
    within = (places >= 0) & (places < np.array(image.size))
    distance = np.abs(pixels - np.asarray(shown, np.float32)).max(2)
    soft = np.clip((distance - 0.5 * limit) / (0.5 * limit), 0, 1)
    weights: Floats = (soft * np.outer(within[:, 1], within[:, 0])).astype(np.float32)
    return weights


def _damaged(name: str, reason: str) -> Failure:
    return Failure("bundle_damaged", name=name, reason=reason)
