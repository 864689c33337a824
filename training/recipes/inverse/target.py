"""A set that stands for photos: faces of the model in poses, lights and skins that the first corpus does not have."""

from __future__ import annotations

import numpy as np
import torch

from training.evaluation.inverse import Truth, known_truth
from training.formation.decoder import skin_decoder
from training.formation.face_model import FaceModel
from training.recipes.inverse.config import InverseConfig
from training.recipes.inverse.corpus import Drawn, picture_of, to_pixels
from training.recipes.photos import Photos

_CHUNK = 64
# Degrees: heads half turned to one side, mostly looking down a little; nearly upright.
_ANGLES, _SPREADS = (6.0, -18.0, 2.0), (8.0, 12.0, 4.0)
# Warm light from one side and from above, bluish from the other.
_LIGHT_SPREAD = 0.07
_AMBIENT = (0.85, 0.70, 0.55)
_FROM_SIDE = (0.32, 0.24, 0.14)
_FROM_ABOVE = (0.10, 0.16, 0.22)


def shifted(config: InverseConfig, model: FaceModel, rng: np.random.Generator, count: int) -> Drawn:
    """Faces whose poses, light and skins are elsewhere than those of the first corpus; expressions are weaker."""
    groups, codes = config.codes.groups, config.codes
    theta = np.zeros((count, codes.total), np.float32)
    theta[:, groups["rotation"]] = np.radians(rng.normal(_ANGLES, _SPREADS, (count, 3)))
    theta[:, groups["identity"]] = rng.standard_normal((count, codes.identity))
    theta[:, groups["expression"]] = rng.standard_normal((count, codes.expression)) * 0.8
    low, high = model.reflectance_limits[: codes.reflectance].T
    reflectance = 0.7 * rng.standard_normal((count, codes.reflectance))
    # The first column is mostly how dark the skin is: most of these people are darker than the mean.
    darker = np.sign(model.reflectance[0].sum()) * -1.0
    reflectance[:, 0] += darker
    theta[:, groups["reflectance"]] = np.clip(reflectance, low, high)
    light = _LIGHT_SPREAD * rng.standard_normal((count, 9, 3))
    light[:, 0] += np.array(_AMBIENT) * rng.uniform(0.8, 1.15, (count, 1))
    light[:, 3] += np.array(_FROM_SIDE) * rng.uniform(0.5, 1.1, (count, 1))
    light[:, 1] += np.array(_FROM_ABOVE) * rng.uniform(0.5, 1.1, (count, 1))
    theta[:, groups["illumination"]] = light.reshape(count, 27)
    low_d, high_d = np.log(config.corpus.distance)
    return Drawn(theta, np.exp(rng.uniform(low_d, high_d, count)).astype(np.float32))


def as_photos(config: InverseConfig, model: FaceModel, drawn: Drawn) -> Photos:
    """Drawn faces as photos that a detector has marked: masked pictures, and where their landmarks are."""
    decoder = skin_decoder(model)
    images, landmarks = [], []
    for start in range(0, len(drawn), _CHUNK):
        some = slice(start, start + _CHUNK)
        theta, distance = torch.from_numpy(drawn.theta[some]), torch.from_numpy(drawn.distance[some])
        picture = picture_of(decoder, config, theta, distance)
        images.append(to_pixels(picture))
        landmarks.append(picture.landmarks.numpy())
    names = np.array([f"{number:05d}" for number in range(len(drawn))])
    return Photos(np.concatenate(images), np.concatenate(landmarks), names)


def shifted_set(config: InverseConfig, model: FaceModel, rng: np.random.Generator, count: int) -> tuple[Photos, Truth]:
    """Photos of the shifted distribution, and the truth that they are scored by."""
    drawn = shifted(config, model, rng, count)
    return as_photos(config, model, drawn), known_truth(config, model, drawn.theta)
