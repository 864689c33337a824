"""The losses of paper 5, section 6: photometric, landmarks, statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from training.formation.code import Code
from training.formation.decoder import FaceDecoder, Seen, Surface, face_decoder
from training.formation.face_model import FaceModel
from training.recipes.mofa.config import LossConfig
from training.recipes.mofa.encoder import Usual

# 46 of the points: brows, nose, eyes, lips; the jaw's slide over the skin as the head turns.
MARKS = (*range(17, 60), 61, 62, 63)
_PAPERS_SIZE = 240
# About the deviation of poses that a corpus has, radians.
_TURN = 0.3
# By how much detectors' boxes are too large or too small.
_DEPTHS = 0.08


@dataclass(frozen=True)
class Marks:
    """What a landmark detector says: points (B,68,2) px and confidence (B,68) 0..1."""

    points: Tensor
    confidence: Tensor


def photometric(images: Tensor, surface: Surface, seen: Seen, inside: Tensor) -> Tensor:
    """Mean distance in colour (B,) between pictures (B,3,S,S) 0..1 and the vertices that face the camera (eq. 8).

    The picture is looked at where each vertex is seen, between pixels, and is black outside; `inside` (V,) are the
    vertices that count.
    """
    at = seen.points[..., :2] / (images.shape[-1] / 2) - 1
    there = nn.functional.grid_sample(
        images, at[:, :, None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    difference = there[..., 0].transpose(1, 2) - surface.colours
    distance = (difference.square().sum(2) + 1e-8).sqrt()
    counted = (seen.facing & inside).to(distance.dtype)
    return (distance * counted).sum(1) / counted.sum(1).clamp(min=1)


def against_background(
    images: Tensor, surface: Surface, seen: Seen, decoder: FaceDecoder, misfit: float, doubt: float = 0.0
) -> Tensor:
    """By how much the head explains the pixels that it covers better than a background of this `misfit` does (B,), or
    one of `doubt` times its own mean misfit where that is more: a head whose colours are not known yet would shrink.

    The sum over those pixels of colour distance less `misfit`, as a share of the picture's; each vertex that faces the
    camera stands for a third of its triangles' area, so that there are gradients at the outline too. What lies outside
    the picture counts as background does.
    """
    size = images.shape[-1]
    at = seen.points[..., :2] / (size / 2) - 1
    there = nn.functional.grid_sample(
        images, at[:, :, None], mode="bilinear", padding_mode="border", align_corners=False
    )
    difference = there[..., 0].transpose(1, 2) - surface.colours
    distance = (difference.square().sum(2) + 1e-6).sqrt()
    shown = seen.facing & decoder.inside & (at.abs() <= 1).all(2)
    covered = areas(seen.points[..., :2], decoder.triangles) * shown
    share = covered.detach() / covered.detach().sum(1, keepdim=True).clamp(min=1e-6)
    level = (doubt * (distance.detach() * share).sum(1, keepdim=True)).clamp(min=misfit)
    return ((distance - level) * covered).sum(1) / size**2


def areas(points: Tensor, triangles: Tensor) -> Tensor:
    """A third of the area of the triangles (F,3) around each of the points (B,V,2): (B,V)."""
    count = len(points)
    rows = points.transpose(0, 1)
    a, b, c = (rows.index_select(0, triangles[:, i]) for i in range(3))
    first, second = b - a, c - a
    each = (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]).abs() / 6
    found = points.new_zeros(len(rows), count)
    for i in range(3):
        found = found.index_add(0, triangles[:, i], each)
    return found.T


def out_of_box(seen: Seen, usual: Tensor, size: int, slack: float) -> Tensor:
    """By how many shares of the picture the sides of the landmarks' box are farther than `slack` from `usual` (4,) px:
    left, top, right, bottom. (B,)
    """
    box = torch.cat([seen.landmarks.amin(1), seen.landmarks.amax(1)], 1)
    return nn.functional.relu((box - usual).abs() / size - slack).sum(1)


def off_centre(code: Code) -> Tensor:
    """Squared length () of a batch's mean rotation, in units of `_TURN`, and of its mean identity and expression."""
    means = (code.rotation / _TURN, code.identity, code.expression)
    return torch.stack([mean.mean(0).square().sum() for mean in means]).sum()


def landmark_distance(seen: Seen, marks: Marks, size: int) -> Tensor:
    """Sum of the landmarks' squared distances (B,), weighted by confidence, in pixels of a picture of 240 (eq. 9)."""
    chosen = list(MARKS)
    away = (seen.landmarks[:, chosen] - marks.points[:, chosen]) * (_PAPERS_SIZE / size)
    return (away.square().sum(2) * marks.confidence[:, chosen]).sum(1)


def implausibility(config: LossConfig, code: Code) -> Tensor:
    """How far from the average a face is (B,) (eq. 10)."""
    return (
        code.identity.square().sum(1)
        + config.reflectance * code.reflectance.square().sum(1)
        + config.expression * code.expression.square().sum(1)
    )


def loss_decoder(config: LossConfig, model: FaceModel) -> FaceDecoder:
    """The surface that the losses look at: the face, or, against a background, all skin and the eyes."""
    if not config.background:
        return face_decoder(model)
    return FaceDecoder(model, np.union1d(model.material("skin"), model.material("eye")))


def each_loss(
    config: LossConfig, decoder: FaceDecoder, code: Code, usual: Usual, images: Tensor, marks: Marks | None
) -> dict[str, Tensor]:
    """Every loss of each picture (B,) by name, unweighted; decoder is `loss_decoder`'s."""
    assert code.translation is not None
    size = images.shape[-1]
    surface = decoder.surface(code)
    seen = decoder.see(surface, code.translation, images.new_full((len(images),), usual.focal), size)
    if config.background:
        misfit = against_background(images, surface, seen, decoder, config.background, config.doubt)
    else:
        misfit = photometric(images, surface, seen, decoder.inside)
    found = {"photometric": misfit, "regulariser": implausibility(config, code)}
    if config.depth:
        found["depth"] = (code.translation[:, 2] / usual.translation[2] - 1).square() / _DEPTHS**2
    if config.box:
        found["box"] = out_of_box(seen, usual.box, size, config.slack)
    if marks is not None:
        found["landmarks"] = landmark_distance(seen, marks, size)
    return found


def weighted(config: LossConfig, found: dict[str, Tensor]) -> Tensor:
    """The weighted sum of each picture's losses (B,) (eq. 7)."""
    return torch.stack([getattr(config, name) * value for name, value in found.items()]).sum(0)


def losses(
    config: LossConfig, decoder: FaceDecoder, code: Code, usual: Usual, images: Tensor, marks: Marks | None
) -> dict[str, Tensor]:
    """Every loss by name, unweighted, means over the batch; decoder is `loss_decoder`'s."""
    found = {name: value.mean() for name, value in each_loss(config, decoder, code, usual, images, marks).items()}
    if config.centre:
        found["centre"] = off_centre(code)
    return found


def total(config: LossConfig, found: dict[str, Tensor]) -> Tensor:
    """The weighted sum (eq. 7)."""
    return torch.stack([getattr(config, name) * value for name, value in found.items()]).sum()


def blurred(images: Tensor, pixels: float) -> Tensor:
    """Pictures blurred by a Gaussian of `pixels` deviation; reduced first where that is many, which costs less."""
    if pixels < 0.3:
        return images
    size = images.shape[-1]
    factor = max(1, int(pixels / 2))
    small = nn.functional.interpolate(images, size=max(8, size // factor), mode="area") if factor > 1 else images
    deviation = pixels * small.shape[-1] / size
    reach = max(1, int(2.5 * deviation + 0.5))
    line = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (line / deviation) ** 2)
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, -1)
    reach = min(reach, small.shape[-1] - 1)
    kernel = kernel[..., kernel.shape[-1] // 2 - reach : kernel.shape[-1] // 2 + reach + 1]
    padded = nn.functional.pad(small, (reach, reach, reach, reach), mode="replicate")
    rows = nn.functional.conv2d(padded, kernel, groups=images.shape[1])
    smooth = nn.functional.conv2d(rows, kernel.transpose(2, 3), groups=images.shape[1])
    return nn.functional.interpolate(smooth, size=size, mode="bilinear", align_corners=False) if factor > 1 else smooth
