"""A second way to learn from pictures alone: each picture pulls its own numbers, the encoder follows.

Through an encoder, pictures that pull hard outvote those that pull rightly, and all heads turn the same way long before
any turns its own. Here the gradient stops at the code: from what the encoder says, a few steps of Adam (Kingma & Ba
2015) go down on that picture's loss, and the encoder learns to say what they came to, where they came to less. So
Kolotouros et al. 2019 ("SPIN") put the fitting of a body model into the training loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

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


@dataclass(frozen=True)
class Descended:
    """Where B pictures' numbers came to, `code`, without gradients, and for which of them it is better (B,) 0 or 1."""

    code: Code
    better: Tensor


def descend(config: DescentConfig, start: Code, misfit: Misfit, share: float = 0.0) -> Descended:
    """From `start` down on `misfit`, which gives each picture's loss (B,); `share` of the training is done.

    Steps become shorter on the way of the training, to `config.final` of their length.
    """
    groups = {field.name: getattr(start, field.name).detach().clone() for field in fields(start)}
    for numbers in groups.values():
        numbers.requires_grad_(True)
    length = config.rate * (1.0 - (1.0 - config.final) * share)
    optimiser = torch.optim.Adam(
        [{"params": [numbers], "lr": length * _UNITS[name]} for name, numbers in groups.items()], betas=_BETAS
    )
    first: Tensor | None = None
    for _ in range(config.steps):
        loss = misfit(Code(**groups))
        first = loss.detach() if first is None else first
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimiser.step()
    found = Code(**groups).detach()
    with torch.no_grad():
        last = misfit(found)
    better = torch.ones_like(last) if first is None else (last < first).to(last.dtype)
    return Descended(found, better)


def distance(code: Code, target: Descended) -> Tensor:
    """How far the encoder's codes are from where the pictures would have them, () weighted squares."""
    parts = []
    for name, unit in _UNITS.items():
        away = ((getattr(code, name) - getattr(target.code, name)) / unit).flatten(1)
        parts.append(_WEIGHTS[name] * away.square().sum(1))
    return (torch.stack(parts).sum(0) * target.better).mean()
