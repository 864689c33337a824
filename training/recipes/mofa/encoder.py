"""The encoder: a backbone, a linear layer for each group of numbers, and the camera that all pictures have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from training.formation.code import ILLUMINATION, Code
from training.formation.face_model import FaceModel
from training.formation.geometry import FRONTAL, framed, project
from training.recipes.backbones import make_backbone
from training.recipes.mofa.config import MofaConfig, RateConfig

# What one unit of the network's output moves a head by, mm.
_MOVE = 100.0


@dataclass(frozen=True)
class Usual:
    """The camera of all pictures and where the mean head stands in it: translation (3,) mm, focal px.

    `box` (4,) px, left, top, right and bottom, is where its landmarks are.
    """

    translation: Tensor
    focal: float
    box: Tensor


def usual_camera(config: MofaConfig, model: FaceModel) -> Usual:
    """The camera in which the mean face, seen from the front, has the size that a localiser's cut gives it."""
    marks = torch.from_numpy(model.mean[np.asarray(model.template["landmarks68"])]) * torch.tensor(FRONTAL)
    translation, focal = framed(marks[None], torch.tensor([config.distance]), config.size, 1 / config.crop_scale)
    points = project(marks[None] + translation[:, None], focal, config.size)[0]
    return Usual(translation[0], float(focal), torch.cat([points.amin(0), points.amax(0)]))


class MofaEncoder(nn.Module):
    """Pictures (B,3,S,S), -0.5..0.5 -> a code, translation included.

    All last layers start at zero: the first answer is the average face in the middle of the picture, in ambient light
    (paper, section 7).
    """

    usual: Tensor

    def __init__(self, config: MofaConfig, usual: Usual) -> None:
        super().__init__()
        self.ambient = config.ambient
        self.backbone = make_backbone(config.backbone, config.size)
        codes = config.codes
        lengths = {
            "rotation": 3,
            "identity": codes.identity,
            "expression": codes.expression,
            "reflectance": codes.reflectance,
            "illumination": ILLUMINATION,
            "across": 2,
            "depth": 1,
        }
        self.heads = nn.ModuleDict({name: nn.Linear(self.backbone.count, count) for name, count in lengths.items()})
        for head in self.heads.values():
            assert isinstance(head, nn.Linear)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.register_buffer("usual", usual.translation)
        self.focal = usual.focal

    def forward(self, images: Tensor) -> Code:
        """The pictures' codes."""
        # An optimiser that makes equal steps in all weights would turn heads by a quarter of a radian at once, and a
        # face that has left the picture finds no way back: the sum over many features is brought to their root.
        features = self.backbone(images) / self.backbone.count**0.5
        found = {name: head(features) for name, head in self.heads.items()}
        light = found["illumination"].reshape(-1, 9, 3)
        offset = torch.zeros_like(light[:1])
        offset[:, 0] = self.ambient
        moved = torch.cat([found["across"], found["depth"]], 1)
        return Code(
            rotation=found["rotation"],
            identity=found["identity"],
            expression=found["expression"],
            reflectance=found["reflectance"],
            illumination=light + offset,
            translation=self.usual + _MOVE * moved,
        )

    def groups(self, rates: RateConfig, weight_decay: float) -> list[dict[str, object]]:
        """Parameters for an optimiser, each group of numbers with a `factor` of the learning rate of its own."""
        backbone = list(self.backbone.parameters())
        found: list[dict[str, object]] = [
            {"params": [p for p in backbone if p.ndim > 1], "weight_decay": weight_decay, "factor": 1.0},
            {"params": [p for p in backbone if p.ndim <= 1], "weight_decay": 0.0, "factor": 1.0},
        ]
        for name, head in self.heads.items():
            found.append({"params": list(head.parameters()), "weight_decay": 0.0, "factor": getattr(rates, name)})
        return found
