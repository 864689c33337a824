"""The network: a backbone and one linear layer that gives all numbers (paper, section 6.1)."""

from __future__ import annotations

from torch import Tensor, nn

from training.recipes.backbones import make_backbone
from training.recipes.inverse.config import InverseConfig

_SPREAD = 0.01


class InverseNetwork(nn.Module):
    """Masked pictures (B,3,S,S), -0.5..0.5 -> theta (B,m)."""

    def __init__(self, config: InverseConfig) -> None:
        super().__init__()
        self.backbone = make_backbone(config.backbone, config.size)
        self.last = nn.Linear(self.backbone.count, config.codes.total)
        nn.init.normal_(self.last.weight, 0.0, _SPREAD)
        nn.init.zeros_(self.last.bias)

    def forward(self, images: Tensor) -> Tensor:
        """theta (B,m)."""
        theta: Tensor = self.last(self.backbone(images))
        return theta
