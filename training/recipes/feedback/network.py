"""The network of the paper's figure 4, and the layer that makes a correction of its output (section 5.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.recipes.feedback.config import FeedbackConfig
from training.recipes.networks import Residual, in_precision

CHANNELS = 2
"""The masked picture in grey, and the shading of the geometry so far."""


class FeedbackNetwork(nn.Module):
    """Pictures (B,2,S,S) 0..1 and the coefficients so far (B,m) -> better coefficients (B,m)."""

    def __init__(self, config: FeedbackConfig) -> None:
        super().__init__()
        widths, count = config.widths, config.count
        self.bfloat16 = config.bfloat16
        layers: list[nn.Module] = [
            nn.Conv2d(CHANNELS, widths[0], 7, 2, 3, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        before = widths[0]
        for number, width in enumerate(widths):
            for block in range(config.blocks):
                layers.append(Residual(before, width, 2 if block == 0 and number > 0 else 1))
                before = width
        layers.append(nn.Conv2d(before, count, 3, 1, 1))
        self.maps = nn.Sequential(*layers)
        self.correction = nn.Linear(2 * count, count)
        # It begins as what it corrects: the output is added to the coefficients so far.
        with torch.no_grad():
            self.correction.weight.zero_()
            self.correction.weight[:, :count] = torch.eye(count)
            self.correction.bias.zero_()

    def forward(self, pictures: Tensor, before: Tensor) -> Tensor:
        """Better coefficients (B,m)."""
        output = in_precision(self.maps, pictures, self.bfloat16 and self.training).mean((2, 3))
        corrected: Tensor = before + self.correction(torch.cat([output, before], 1))
        return corrected
