"""Makes training images harder: other crops, mirrored faces, other cameras, things in the way.

All randomness comes from the generator that is passed in, so that a batch depends on it alone. Each change touches
only a drawn part of the batch: that is what keeps it well under a millisecond an image on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.crop import CROP_SCALE, Crops, crops_from_landmarks

Rng = np.random.Generator


@dataclass(frozen=True)
class Augmentation:
    """How far training images stray from the plain crop; all zero is no change at all.

    centre and scale: of the crop's side, roll in degrees: the most that a crop differs from the landmarks' own. flip
    is a probability. colour scales every change of colour (1 is as much as photos differ); blur, downscale, noise,
    jpeg, occlusion, grey are the shares of images they are done to, and so are light (brighter and darker places and
    the edge of a shadow, over whatever light the picture has) and sharpen (fine contrast raised or lowered).
    """

    centre: float = 0.08
    scale: tuple[float, float] = (0.85, 1.2)
    roll: float = 20.0
    flip: float = 0.5
    colour: float = 1.0
    grey: float = 0.1
    blur: float = 0.2
    downscale: float = 0.2
    noise: float = 0.35
    jpeg: float = 0.25
    occlusion: float = 0.3
    light: float = 0.0
    sharpen: float = 0.0

    @staticmethod
    def none() -> Augmentation:
        """The plain crop."""
        return Augmentation(0.0, (1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class CropBatch:
    """Crops (B,3,S,S) sRGB 0..1 before colour changes, what they were cut by, and which of them are mirrored (B,)."""

    images: torch.Tensor
    crops: Crops
    flipped: NDArray[np.bool_]
    size: int

    def to_crop(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Picture points (B,P,2) -> crop pixels (B,P,2), mirrored where the crop is (the points' order stays)."""
        moved = self.crops.to_crop(points, self.size)
        moved[self.flipped, :, 0] = self.size - moved[self.flipped, :, 0]
        return moved.astype(np.float32)


def cut(
    pictures: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    size: int,
    config: Augmentation,
    rng: Rng,
    crop_scale: float = CROP_SCALE,
    warp: Callable[[Crops], torch.Tensor] | None = None,
) -> CropBatch:
    """Crops pictures (B,H,W,3) around their landmarks (B,68,2), jittered and mirrored as `config` says.

    `warp` gives, for crops, how far off their pixels' places in the picture they are taken from, as `resample` has it.
    """
    crops = jitter(crops_from_landmarks(landmarks, crop_scale), config, rng)
    flipped = rng.random(len(pictures)) < config.flip
    return CropBatch(resample(pictures, crops, flipped, size, warp and warp(crops)), crops, flipped, size)


def jitter(crops: Crops, config: Augmentation, rng: Rng) -> Crops:
    """The crops moved, resized and turned, most of them little: the limits are reached, but seldom."""
    count = len(crops.side)
    strength = rng.random((count, 1))
    centre = crops.centre + rng.uniform(-1, 1, (count, 2)) * strength * config.centre * crops.side[:, None]
    low, high = np.log(config.scale)
    side = crops.side * np.exp(rng.uniform(low, high, count) * strength[:, 0])
    roll = crops.roll + np.radians(config.roll) * rng.uniform(-1, 1, count) * strength[:, 0]
    return Crops(centre, side, roll)


def resample(
    pictures: NDArray[np.uint8],
    crops: Crops,
    flipped: NDArray[np.bool_],
    size: int,
    shifts: torch.Tensor | None = None,
) -> torch.Tensor:
    """Pixels (B,3,size,size) 0..1 of the crops, bilinear, black outside the pictures.

    Where crops are more than 1.6 times as wide as `size`, they are drawn twice as large and halved. `shifts` (B,2,g,g)
    in picture pixels, spread evenly over the crop that is not mirrored, is added to where pixels are taken from.
    """
    _, height, width, _ = pictures.shape
    oversampling = 2 if np.median(crops.side) > 1.6 * size else 1
    drawn = size * oversampling
    # Positions in the picture as `grid_sample` counts them, -1..1 from edge to edge.
    to_unit = np.array([2 / width, 2 / height])
    linear = crops.linear(drawn) * to_unit[:, None]
    linear[flipped, :, 0] *= -1
    axes, start = (torch.from_numpy(a.astype(np.float32)) for a in (linear, crops.centre * to_unit - 1))
    line = torch.arange(drawn) + 0.5 - drawn / 2
    across, down = axes[:, None, None, :, 0] * line[:, None], axes[:, None, None, :, 1] * line[:, None, None]
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    grid = across + down + start[:, None, None]
    if shifts is not None:
        shifts = torch.where(torch.from_numpy(flipped)[:, None, None, None], shifts.flip(3), shifts)
        moved = functional.interpolate(shifts, (drawn, drawn), mode="bilinear", align_corners=False)
        grid += moved.permute(0, 2, 3, 1) * torch.from_numpy(to_unit.astype(np.float32))
    cropped = functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    if oversampling > 1:
        cropped = functional.avg_pool2d(cropped, oversampling)
    return cropped.mul_(1 / 255)


def photograph(images: torch.Tensor, config: Augmentation, rng: Rng) -> torch.Tensor:
    """Images (B,3,S,S) 0..1 as other lights, cameras and networks would have delivered them; done in place."""
    if config.occlusion:
        _occlude(images, _some(images, config.occlusion, rng), rng)
    if config.light:
        chosen = _some(images, config.light, rng)
        if len(chosen):
            images[chosen] = _relight(images[chosen], rng)
    if config.colour:
        _recolour(images, config.colour, rng)
    grey = _some(images, config.grey, rng)
    images[grey] = luminance(images[grey]).expand(-1, 3, -1, -1)
    for change, share in (
        (_sharpen, config.sharpen),
        (_blur, config.blur),
        (_downscale, config.downscale),
        (_noise, config.noise),
    ):
        chosen = _some(images, share, rng)
        if len(chosen):
            images[chosen] = change(images[chosen], rng)
    images.clamp_(0, 1)
    chosen = _some(images, config.jpeg, rng)
    if len(chosen):
        images[chosen] = _compress(images[chosen], rng)
    return images


def luminance(images: torch.Tensor) -> torch.Tensor:
    """Images (B,3,S,S) -> their luma (B,1,S,S), Rec. 601."""
    return 0.299 * images[:, 0:1] + 0.587 * images[:, 1:2] + 0.114 * images[:, 2:3]


def _some(images: torch.Tensor, share: float, rng: Rng) -> torch.Tensor:
    return torch.from_numpy(np.flatnonzero(rng.random(len(images)) < share))


def _uniform(rng: Rng, low: float, high: float, *shape: int) -> torch.Tensor:
    return torch.from_numpy(rng.uniform(low, high, shape).astype(np.float32))


def _recolour(images: torch.Tensor, strength: float, rng: Rng) -> None:
    count = len(images)
    gain = torch.exp2(_uniform(rng, -0.45, 0.45, count, 1) * strength + _uniform(rng, -0.12, 0.12, count, 3) * strength)
    contrast = 1 + _uniform(rng, -0.3, 0.3, count, 1) * strength
    images.mul_((gain * contrast)[:, :, None, None])
    images.add_(((1 - contrast) * gain * images.mean((2, 3)))[:, :, None, None])
    images.clamp_(0, 1)
    chosen = _some(images, 0.4, rng)
    exponent = torch.exp2(_uniform(rng, -0.5, 0.5, len(chosen), 1, 1, 1) * strength)
    images[chosen] = images[chosen] ** exponent
    chosen = _some(images, 0.4, rng)
    colours = 1 + _uniform(rng, -0.7, 0.4, len(chosen), 1, 1, 1) * strength
    images[chosen] = torch.lerp(luminance(images[chosen]).expand(-1, 3, -1, -1), images[chosen], colours)


def _relight(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    """Smooth stops of light, a little coloured, and in half of the images a shadow's edge, sharp or soft."""
    count, _, height, width = images.shape
    stops = _uniform(rng, 0.1, 0.6, count, 1, 1, 1) * torch.from_numpy(
        rng.standard_normal((count, 1, 4, 4), dtype=np.float32)
        + 0.25 * rng.standard_normal((count, 3, 4, 4), dtype=np.float32)
    )
    field = functional.interpolate(stops, (height, width), mode="bicubic", align_corners=False)
    angle, offset = _uniform(rng, 0, 2 * np.pi, count, 1, 1), _uniform(rng, -0.3, 0.3, count, 1, 1)
    line = (torch.arange(width) + 0.5) / width - 0.5
    across = line[None, None] * torch.cos(angle) + line[None, :, None] * torch.sin(angle) - offset
    depth = _uniform(rng, 0, 2, count, 1, 1) * torch.from_numpy((rng.random((count, 1, 1)) < 0.5).astype(np.float32))
    softness = torch.exp(_uniform(rng, np.log(0.01), np.log(0.3), count, 1, 1))
    return images * torch.exp2(field - (depth * torch.sigmoid(across / softness))[:, None])


def _sharpen(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    return images + _uniform(rng, -0.5, 1.5, len(images), 1, 1, 1) * (images - _blur(images, rng))


def _occlude(images: torch.Tensor, chosen: torch.Tensor, rng: Rng) -> None:
    size = images.shape[-1]
    line = torch.arange(size) + 0.5
    for index in chosen.tolist():
        centre, half = _uniform(rng, 0, size, 2), _uniform(rng, 0.04, 0.22, 2) * size
        angle = float(rng.uniform(0, np.pi))
        x, y = line[None] - centre[0], line[:, None] - centre[1]
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        inside = (
            (u / half[0]) ** 2 + (v / half[1]) ** 2 < 1
            if rng.random() < 0.5
            else torch.maximum((u / half[0]).abs(), (v / half[1]).abs()) < 1
        )
        colour = _uniform(rng, 0, 1, 3, 1)
        if rng.random() < 0.5:
            # Something else of the same picture is in the way: a shifted copy has its texture.
            other = images[int(rng.integers(len(images)))].flip(-1)[:, inside]
            colour = other * _uniform(rng, 0.4, 1.2, 3, 1)
        images[index][:, inside] = colour


def _blur(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    count, _, height, width = images.shape
    sigma = _uniform(rng, 0.3, 1.6, count, 1)
    kernel = torch.exp(-0.5 * (torch.arange(-3, 4) / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)[:, None]
    padded = functional.pad(images.reshape(1, count * 3, height, width), (3, 3, 3, 3), mode="replicate")
    rows = functional.conv2d(padded, kernel[:, :, None], groups=count * 3)
    return functional.conv2d(rows, kernel[:, :, :, None], groups=count * 3).reshape(images.shape)


def _downscale(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    size = images.shape[-1]
    small = max(8, int(size / rng.uniform(1.3, 3.0)))
    mode = "bilinear" if rng.random() < 0.5 else "nearest"
    reduced = functional.interpolate(images, (small, small), mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(reduced, (size, size), mode=mode)


def _noise(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    spread = torch.from_numpy((0.05 * rng.random((len(images), 1, 1, 1)) ** 2).astype(np.float32))
    grain = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
    return images + spread * grain


# The luminance table of the JPEG standard (ITU T.81, annex K).
# fmt: off
_QUANTISATION = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
]) / 255.0
# fmt: on


def _compress(images: torch.Tensor, rng: Rng) -> torch.Tensor:
    """The blocks of a JPEG file: 8 x 8 cosine transform, rounded; the sides are multiples of 8."""
    count, _, height, width = images.shape
    if height % 8 or width % 8:
        return images
    k = torch.arange(8)
    cosines = torch.cos((2 * k[None] + 1) * k[:, None] * (np.pi / 16)) * 0.5
    cosines[0] /= 2**0.5
    # The transform of all blocks at once is a convolution that steps from block to block.
    transform = torch.einsum("ai,bj->abij", cosines, cosines).reshape(64, 1, 8, 8)
    steps = (_QUANTISATION.reshape(1, 64, 1, 1) * _uniform(rng, 0.2, 1.5, count, 1, 1, 1)).repeat_interleave(3, 0)
    spectrum = functional.conv2d(images.reshape(count * 3, 1, height, width), transform, stride=8)
    rounded = torch.round(spectrum / steps) * steps
    return functional.conv_transpose2d(rounded, transform, stride=8).reshape(images.shape).clamp_(0, 1)
