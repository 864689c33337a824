"""What the network looks at: faces shaded by Phong's model, and a geometry's own shading, which also masks the face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from training.formation.code import Code
from training.formation.colour import encode
from training.formation.decoder import FaceDecoder, Surface
from training.formation.geometry import framed as framed_box
from training.formation.picture import draw
from training.recipes.feedback.config import FacesConfig, FeedbackConfig

GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Stand:
    """How B heads stand before the camera: rotation (B,3) radians, translation (B,3) mm, focal (B,) pixels."""

    rotation: Tensor
    translation: Tensor
    focal: Tensor

    def __len__(self) -> int:
        return len(self.rotation)


def code_of(coefficients: Tensor, stand: Stand, config: FeedbackConfig, reflectance: Tensor | None = None) -> Code:
    """Coefficients (B,m) as a code without light."""
    identity, expression = coefficients.split([config.identity, config.expression], 1)
    skin = coefficients.new_zeros(len(coefficients), config.reflectance) if reflectance is None else reflectance
    light = coefficients.new_zeros(len(coefficients), 9, 3)
    return Code(stand.rotation, identity, expression, skin, light)


@torch.no_grad()
def shaded(decoder: FaceDecoder, coefficients: Tensor, stand: Stand, config: FeedbackConfig) -> tuple[Tensor, Tensor]:
    """A geometry lit from the front: shading (B,S,S) 0..1 and where it is (B,S,S) bool (section 5.1)."""
    surface = decoder.bare_surface(code_of(coefficients, stand, config))
    towards = surface.normals[..., 2:].clamp(min=0)
    picture = _drawn(decoder, replace(surface, colours=towards.expand(-1, -1, 3)), stand, config.size)
    return picture[0][:, 0], picture[1]


@torch.no_grad()
def phong(
    decoder: FaceDecoder,
    coefficients: Tensor,
    reflectance: Tensor,
    stand: Stand,
    config: FeedbackConfig,
    rng: np.random.Generator,
) -> Tensor:
    """Faces in grey (B,S,S), sRGB 0..1, black behind them (section 6.1)."""
    code = code_of(coefficients, stand, config, reflectance)
    surface, albedo = decoder.bare_surface(code), decoder.albedo(code)
    colours = encode(reflected(albedo, surface.normals, config.faces, rng))
    images, _ = _drawn(decoder, replace(surface, colours=colours), stand, config.size)
    return (images * images.new_tensor(GREY)[None, :, None, None]).sum(1)


def reflected(albedo: Tensor, normals: Tensor, faces: FacesConfig, rng: np.random.Generator) -> Tensor:
    """Phong's reflectance (B,V,3) of albedo (B,V,3) at unit normals (B,V,3) of the viewer's frame, drawn lights."""
    count = len(albedo)
    drawn = rng.normal(faces.phong, faces.spread * np.array([1.0, 1.0, 0.1]), (count, 3)).clip(0.0)
    ambient, diffuse, specular = (albedo.new_tensor(column)[:, None, None] for column in drawn.T)
    light = rng.standard_normal((count, 3))
    light[:, 2] = np.abs(light[:, 2])
    light /= np.linalg.norm(light, axis=1, keepdims=True)
    towards = albedo.new_tensor(light)[:, None]
    cosine = (normals * towards).sum(2, keepdim=True)
    mirrored = 2 * cosine * normals - towards
    gloss = torch.where(cosine > 0, mirrored[..., 2:].clamp(min=0) ** faces.shininess, cosine.new_zeros(()))
    return albedo * (ambient + diffuse * cosine.clamp(min=0)) + specular * gloss


def drawn_stand(decoder: FaceDecoder, coefficients: Tensor, config: FeedbackConfig, rng: np.random.Generator) -> Stand:
    """Random poses in which the heads' landmarks fill the frame."""
    faces, count = config.faces, len(coefficients)
    angles = np.radians(rng.standard_normal((count, 3)) * faces.rotation)
    low, high = np.log(faces.distance)
    distance = torch.from_numpy(np.exp(rng.uniform(low, high, count)).astype(np.float32))
    rotation = torch.from_numpy(angles.astype(np.float32))
    return framed(decoder, coefficients, rotation, distance, config)


def framed(
    decoder: FaceDecoder, coefficients: Tensor, rotation: Tensor, distance: Tensor, config: FeedbackConfig
) -> Stand:
    """Where a head stands whose landmarks' box fills the frame; distance (B,) mm of the camera."""
    blank = Stand(rotation, rotation.new_zeros(len(rotation), 3), rotation.new_ones(len(rotation)))
    landmarks = decoder.turned_landmarks(code_of(coefficients, blank, config))
    translation, focal = framed_box(landmarks, distance, config.size, config.fill)
    return Stand(rotation, translation, focal)


def disturbed(stand: Stand, config: FeedbackConfig, rng: np.random.Generator) -> tuple[Stand, Stand]:
    """The frame as a detector finds it, for the picture, and the pose that it believes in, for the geometry."""
    faces, count = config.faces, len(stand)
    moved = rng.standard_normal((count, 3)) * faces.jitter
    depth = stand.translation[:, 2]
    shift = torch.zeros_like(stand.translation)
    shift[:, :2] = stand.translation.new_tensor(moved[:, :2]) * (config.size * depth / stand.focal)[:, None]
    focal = stand.focal * stand.focal.new_tensor(np.exp(moved[:, 2]))
    seen = Stand(stand.rotation, stand.translation + shift, focal)
    turned = np.radians(rng.standard_normal((count, 3)) * faces.pose)
    believed = Stand(stand.rotation + stand.rotation.new_tensor(turned), seen.translation, focal)
    return seen, believed


def _drawn(decoder: FaceDecoder, surface: Surface, stand: Stand, size: int) -> tuple[Tensor, Tensor]:
    picture = draw(decoder, surface, decoder.see(surface, stand.translation, stand.focal, size), size)
    return picture.images, picture.covered
