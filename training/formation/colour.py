"""The sRGB transfer curve with gradients (IEC 61966-2-1)."""

from __future__ import annotations

import torch
from torch import Tensor

_KNEE = 0.0031308


def encode(linear: Tensor) -> Tensor:
    """Linear light -> sRGB; monotone above 1 too, so that what is too bright has a gradient back."""
    curved = 1.055 * linear.clamp(min=_KNEE) ** (1 / 2.4) - 0.055
    return torch.where(linear > _KNEE, curved, 12.92 * linear)


def decode(encoded: Tensor) -> Tensor:
    """sRGB -> linear light."""
    curved = ((encoded.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(encoded > 0.04045, curved, encoded / 12.92)
