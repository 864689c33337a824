"""The pictures that the encoder learns from: photos as a localiser cuts them, or scenes of the model's own making.

Neither comes with labels: a trainer gets `images`, and `marks` where a detector's landmarks help. The numbers that
scenes were drawn from stay with `Scenes`, for scoring.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.formation.code import Code
from training.formation.decoder import FaceDecoder, Seen
from training.formation.face_model import FaceModel
from training.formation.picture import draw
from training.recipes.mofa.config import MofaConfig
from training.recipes.mofa.encoder import Usual, usual_camera
from training.recipes.mofa.losses import Marks
from training.recipes.photos import Photos

Floats = NDArray[np.float32]

_CHUNK = 32


class Pictures(Protocol):
    """What can be learned from."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def images(self, indices: NDArray[np.intp]) -> Tensor:
        """Pictures (B,3,S,S) sRGB 0..1."""
        ...

    def marks(self, indices: NDArray[np.intp]) -> Marks:
        """A detector's landmarks."""
        ...

    def fingerprint(self) -> str:
        """Identifies them, so that a run goes on with what it began with."""
        ...


class PhotoPictures:
    """Photos of faces (`training.recipes.photos`), with the landmarks that the product's detector finds in them."""

    def __init__(self, photos: Photos) -> None:
        self.photos = photos

    def __len__(self) -> int:
        return len(self.photos)

    def images(self, indices: NDArray[np.intp]) -> Tensor:
        """Pictures (B,3,S,S) sRGB 0..1."""
        return to_images(self.photos.images[indices])

    def marks(self, indices: NDArray[np.intp]) -> Marks:
        """The detector's landmarks, all trusted alike: it does not tell how sure it is."""
        points = torch.from_numpy(self.photos.landmarks[indices])
        return Marks(points, torch.ones(points.shape[:2]))

    def fingerprint(self) -> str:
        """The photos' names."""
        return f"photos {len(self.photos)} {'|'.join(self.photos.names[:50])}"


class Scenes:
    """Heads of the face model before backgrounds; scene i depends on the configuration, the seed and i alone.

    Pictures are rasterised when they are first asked for, and kept while all fit into the configuration's `memory`.
    """

    def __init__(
        self, config: MofaConfig, model: FaceModel, decoder: FaceDecoder, seed: int, count: int, spill: Path
    ) -> None:
        """decoder is that of the whole head."""
        self.config, self.decoder, self.seed = config, decoder, seed
        self.camera = usual_camera(config, model)
        self._marks = torch.from_numpy(np.searchsorted(decoder.ids.numpy(), model.template["landmarks68"]))
        self.code = draw_codes(config, model, self.camera, np.random.default_rng([seed, 1]), count)
        self._found = np.full((count, 68, 3), np.nan, np.float32)
        shape = (count, config.size, config.size, 4)
        self._kept: NDArray[np.uint8] | None = None
        self._known = np.zeros(count, bool)
        if np.prod(shape) <= config.memory:
            spill.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=spill) as file:
                self._kept = np.memmap(file, np.uint8, "w+", shape=shape)

    def __len__(self) -> int:
        return len(self.code)

    def images(self, indices: NDArray[np.intp]) -> Tensor:
        """Pictures (B,3,S,S) sRGB 0..1."""
        return to_images(self._pixels(indices)[..., :3])

    def covered(self, indices: NDArray[np.intp]) -> Tensor:
        """Where the head is: (B,S,S) bool."""
        return torch.from_numpy(self._pixels(indices)[..., 3] > 0)

    def marks(self, indices: NDArray[np.intp]) -> Marks:
        """Landmarks as a detector would find them: off by a little, and not trusted where they are turned away."""
        missing = np.unique(indices[np.isnan(self._found[indices, 0, 0])])
        for start in range(0, len(missing), _CHUNK):
            some = missing[start : start + _CHUNK]
            self._found[some] = self._detected(some)
        found = torch.from_numpy(self._found[indices])
        return Marks(found[..., :2], found[..., 2])

    def fingerprint(self) -> str:
        """What they are drawn from."""
        return f"scenes {self.seed} {len(self)} {float(self.code.identity.sum()):.3f}"

    def _pixels(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Pixels (B,S,S,4): sRGB, and above zero where the head is."""
        if self._kept is None:
            return self._draw(indices)
        missing = np.unique(indices[~self._known[indices]])
        if len(missing):
            self._kept[missing] = self._draw(missing)
            self._known[missing] = True
        return np.asarray(self._kept[indices])

    @torch.no_grad()
    def _detected(self, indices: NDArray[np.intp]) -> Floats:
        code = self.code.at(torch.from_numpy(np.ascontiguousarray(indices)))
        seen = see(self.decoder, code, self.camera, self.config.size)
        rows = [np.random.default_rng([self.seed, 3, int(i)]).standard_normal((68, 2)) for i in indices]
        points = seen.landmarks.numpy() + 0.006 * self.config.size * np.stack(rows)
        trust = seen.facing[:, self._marks, None].numpy()
        found: Floats = np.concatenate([points, trust], 2).astype(np.float32)
        return found

    @torch.no_grad()
    def _draw(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        parts = []
        for start in range(0, len(indices), _CHUNK):
            some = indices[start : start + _CHUNK]
            code = self.code.at(torch.from_numpy(np.ascontiguousarray(some)))
            surface = self.decoder.surface(code)
            seen = see(self.decoder, code, self.camera, self.config.size)
            picture = draw(self.decoder, surface, seen, self.config.size)
            behind = torch.stack(
                [background(np.random.default_rng([self.seed, 2, int(i)]), self.config.size) for i in some]
            )
            covered = picture.covered[:, None]
            images = torch.cat([torch.where(covered, picture.images, behind), covered.to(behind.dtype)], 1)
            parts.append((images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
        return np.concatenate(parts)


def see(decoder: FaceDecoder, code: Code, camera: Usual, size: int) -> Seen:
    """A code's surface before the pictures' camera."""
    assert code.translation is not None
    return decoder.see(decoder.surface(code), code.translation, torch.full((len(code),), camera.focal), size)


def draw_codes(config: MofaConfig, model: FaceModel, camera: Usual, rng: np.random.Generator, count: int) -> Code:
    """Codes (count,...) of scenes, faces off the middle as a detector's boxes have them."""
    scenes, codes = config.scenes, config.codes
    most = np.radians([scenes.pitch, scenes.yaw, scenes.roll])
    rotation = rng.uniform(-most, most, (count, 3))
    identity = scenes.identity * rng.standard_normal((count, codes.identity))
    expression = scenes.expression * rng.standard_normal((count, codes.expression))
    low, high = model.reflectance_limits[: codes.reflectance].T
    reflectance = np.clip(scenes.reflectance * rng.standard_normal((count, codes.reflectance)), low, high)
    light = rng.uniform(-scenes.light, scenes.light, (count, 9, 1)) * np.ones(3)
    light[:, 0] = rng.uniform(*scenes.ambient, (count, 1))
    light += rng.uniform(-scenes.tint, scenes.tint, light.shape)
    # A share of the picture is so many mm where the head stands.
    usual = camera.translation.numpy()
    wide = config.size * usual[2] / camera.focal
    translation = np.empty((count, 3))
    translation[:, 2] = usual[2] * np.exp(rng.uniform(-scenes.scale, scenes.scale, count))
    shift = rng.uniform(-scenes.shift, scenes.shift, (count, 2)) * wide
    translation[:, :2] = usual[:2] + shift
    numbers = (rotation, identity, expression, reflectance, light, translation)
    return Code(*(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in numbers))


def background(rng: np.random.Generator, size: int) -> Tensor:
    """A picture (3,size,size) to stand behind a head: patches of colour of several sizes, and grain."""
    picture = torch.zeros(3, size, size)
    for cells, strength in ((2, 1.0), (5, 0.7), (11, 0.5), (23, 0.3)):
        if rng.random() < 0.8:
            patches = torch.from_numpy(rng.uniform(-0.5, 0.5, (1, 3, cells, cells)).astype(np.float32))
            mode = "nearest" if rng.random() < 0.35 else "bicubic"
            options = {} if mode == "nearest" else {"align_corners": False}
            picture += strength * nn.functional.interpolate(patches, (size, size), mode=mode, **options)[0]
    # Few backgrounds are as colourful as independent channels.
    picture = torch.lerp(picture.mean(0, keepdim=True).expand_as(picture), picture, float(rng.uniform(0.1, 0.8)))
    grain = 0.06 * rng.random() * rng.standard_normal((3, size, size), dtype=np.float32)
    return (picture + torch.from_numpy(grain) + float(rng.uniform(0.15, 0.85))).clamp(0, 1)


def to_images(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels (B,S,S,3) -> images (B,3,S,S) 0..1."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255
    return images.contiguous(memory_format=torch.channels_last)
