"""Runs an exported bundle on pictures with known truth, with crops made as the product makes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.augmentation import Augmentation, jitter
from training.crop import Crops, crops_from_landmarks, sample

Floats = NDArray[np.floating]

# How far the localiser's box is off the landmarks' own: shares of its side, and degrees.
LOCALISER_ERROR = Augmentation(centre=0.06, scale=(0.9, 1.12), roll=8.0)


@dataclass(frozen=True)
class Bundle:
    """The arrays of `head.npz`, `bundle.json`, and the regressor's session."""

    head: dict[str, NDArray[Any]]
    description: dict[str, Any]
    session: Any

    @property
    def size(self) -> int:
        """Side of the regressor's input in pixels."""
        return int(self.description["regressor"]["size"])

    @property
    def crop_scale(self) -> float:
        """Side of a crop as a multiple of the landmarks' box."""
        return float(self.description["regressor"]["crop_scale"])

    def region(self, name: str) -> NDArray[np.intp]:
        """Vertex ids of a region. Raises `ValueError` when the bundle has none of that name."""
        return np.flatnonzero(self.head["regions"][self.description["region_names"].index(name)])

    def vertices(self, identity: Floats) -> NDArray[np.float32]:
        """Coefficients (n,K) -> heads (n,N,3) mm."""
        heads: NDArray[np.float32] = self.head["mean"] + np.einsum("nk,kvc->nvc", identity, self.head["identity"])
        return heads

    def run(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Crops (n,S,S,3) sRGB -> the regressor's outputs by name."""
        names = [output.name for output in self.session.get_outputs()]
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        return dict(zip(names, self.session.run(names, {"image": tensor}), strict=True))


def load_bundle(folder: Path, threads: int = 0) -> Bundle:
    """Reads a bundle. Raises `FileNotFoundError` when a file is missing and `ValueError` when one was changed."""
    import onnxruntime

    description = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    for name, wanted in description["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted:
            raise ValueError(f"{folder / name} is not the file that bundle.json describes: export the bundle again")
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        head = {name: arrays[name] for name in arrays.files}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = folder / description["regressor"]["file"]
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Bundle(head, description, session)


def localiser_crops(landmarks: Floats, crop_scale: float, rng: np.random.Generator) -> Crops:
    """First crops (n): those of the true landmarks (n,68,2), off by what a localiser is off."""
    return jitter(crops_from_landmarks(landmarks, crop_scale), LOCALISER_ERROR, rng)


def estimate(
    bundle: Bundle, pictures: NDArray[np.uint8], first: Crops, batch_size: int = 32
) -> dict[str, NDArray[np.float32]]:
    """The regressor's outputs for pictures (n,H,W,3), after a second look where it estimates landmarks.

    `landmarks`, and `dense` where there are any, are then in the pictures' pixels, and so is `sigma`; `side` (n,) are
    the crops', in pixels too.
    """
    parts = []
    for start in range(0, len(pictures), batch_size):
        chosen = slice(start, start + batch_size)
        crops = Crops(first.centre[chosen], first.side[chosen], first.roll[chosen])
        found = bundle.run(_pixels(pictures[chosen], crops, bundle.size))
        if "landmarks" in found:
            crops = crops_from_landmarks(crops.to_picture(found["landmarks"], bundle.size), bundle.crop_scale)
            found = bundle.run(_pixels(pictures[chosen], crops, bundle.size))
            found["side"] = crops.side.astype(np.float32)
            for name in ("landmarks", "dense"):
                if name in found:
                    found[name] = crops.to_picture(found[name], bundle.size).astype(np.float32)
            if "sigma" in found:
                found["sigma"] = (found["sigma"] * crops.side[:, None] / bundle.size).astype(np.float32)
        parts.append(found)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _pixels(pictures: NDArray[np.uint8], crops: Crops, size: int) -> NDArray[np.uint8]:
    return np.stack([sample(Image.fromarray(picture), crops, i, size) for i, picture in enumerate(pictures)])
