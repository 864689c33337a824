"""A second way to learn from pictures alone: each picture pulls its own numbers, the encoder follows.

Through an encoder, pictures that pull hard outvote those that pull rightly, and all heads turn the same way long before
any turns its own. Here the gradient stops at the code: from what the encoder says, a few steps of Adam (Kingma & Ba
2015) go down on that picture's loss, and the encoder learns to say what they came to. So Kolotouros et al. 2019
("SPIN") put the fitting of a body model into the training loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor

from training.formation.code import Code
from training.recipes.mofa.config import DescentConfig

# What one unit of each group is, for steps and distances alike: radians, deviations, light, mm.
_UNITS = {
    "rotation": 1.0,
    "identity": 1.0,
    "expression": 1.0,
    "reflectance": 1.0,
    "illumination": 0.3,
    "translation": 20.0,
}
# What a squared distance counts: pose first, for shape means nothing before.
_WEIGHTS = {
    "rotation": 10.0,
    "identity": 0.05,
    "expression": 0.03,
    "reflectance": 0.03,
    "illumination": 0.5,
    "translation": 0.5,
}
_BETAS = (0.8, 0.9)

Misfit = Callable[[Code], Tensor]


def descend(config: DescentConfig, start: Code, misfit: Misfit, share: float = 0.0) -> Code:
    """Where B pictures' numbers come to from `start`, down on `misfit`, which gives each one's loss (B,).

    Steps become shorter as more of the training, `share`, is done: to `config.final` of their length.
    """
    groups = {field.name: getattr(start, field.name).detach().clone() for field in fields(start)}
    for numbers in groups.values():
        numbers.requires_grad_(True)
    length = config.rate * (1.0 - (1.0 - config.final) * share)
    optimiser = torch.optim.Adam(
        [{"params": [numbers], "lr": length * _UNITS[name]} for name, numbers in groups.items()], betas=_BETAS
    )
    for _ in range(config.steps):
        loss = misfit(Code(**groups))
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimiser.step()
    return Code(**groups).detach()


def distance(code: Code, target: Code) -> Tensor:
    """How far the encoder's codes are from where the pictures would have them, () weighted squares."""
    parts = []
    for name, unit in _UNITS.items():
        away = ((getattr(code, name) - getattr(target, name)) / unit).flatten(1)
        parts.append(_WEIGHTS[name] * away.square().sum(1))
    return torch.stack(parts).sum(0).mean()
