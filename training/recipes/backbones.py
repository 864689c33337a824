"""The convolutional networks that papers 4 and 5 try, at any width, and one that is quick on a CPU.

Pictures in, features out; what the features mean is the recipes' business. The papers start from ImageNet or VGG-Face
weights, whose terms do not allow to ship what is made from them; trained from nothing, the two without shortcuts need
batch normalisation, which `norm` adds. Whoever has weights in torchvision's order puts them in with `take_weights`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from training.recipes.networks import Backbone, in_precision

Kind = Literal["alexnet", "vgg", "resnet", "fast"]


@dataclass(frozen=True)
class BackboneConfig:
    """kind of network; `width` scales its channels; `norm` adds batch normalisation where the original has none.

    `depths` are the blocks of the four stages of "resnet" ((3, 4, 23, 3) is ResNet-101) and of "fast", whose stages
    have `widths` channels; `features` neurons follow "fast"; `dropout` is that of the dense layers. `bfloat16` trains
    in that precision, faster on processors that have it; answers are always given in single precision.
    """

    kind: Kind = "fast"
    width: float = 1.0
    norm: bool = True
    depths: tuple[int, ...] = (1, 1, 2, 2)
    widths: tuple[int, ...] = (24, 48, 96, 160)
    features: int = 512
    dropout: float = 0.0
    bfloat16: bool = False


class Features(nn.Module):
    """Pictures (B,3,S,S), -0.5..0.5 -> features (B, `count`)."""

    def __init__(self, maps: nn.Module, dense: nn.Module, count: int, bfloat16: bool = False) -> None:
        super().__init__()
        self.maps, self.dense, self.count, self.bfloat16 = maps, dense, count, bfloat16

    def forward(self, images: Tensor) -> Tensor:
        """Features (B,count)."""
        return in_precision(self._features, images, self.bfloat16 and self.training)

    def _features(self, images: Tensor) -> Tensor:
        features: Tensor = self.dense(torch.flatten(self.maps(images), 1))
        return features


def make_backbone(config: BackboneConfig, size: int) -> Features:
    """The network of `config` for pictures of `size` pixels. Raises `ValueError` for pictures too small for it."""
    maps = {"alexnet": _alexnet, "vgg": _vgg, "resnet": _resnet, "fast": _fast}[config.kind](config)
    try:
        with torch.no_grad():
            count = maps.eval()(torch.zeros(1, 3, size, size)).flatten(1).shape[1]
    except RuntimeError as error:
        raise ValueError(f"pictures of {size} pixels are too small for {config.kind}: take larger ones") from error
    maps.train()
    if config.kind == "resnet":
        return Features(maps, nn.Identity(), count, config.bfloat16)
    if config.kind == "fast":
        dense = nn.Sequential(
            nn.Linear(count, config.features), nn.BatchNorm1d(config.features), nn.ReLU(), nn.Dropout(config.dropout)
        )
        return Features(maps, dense, config.features, config.bfloat16)
    wide = _channels(4096, config)
    layers: list[nn.Module] = []
    for inputs in (count, wide):
        layers += [nn.Linear(inputs, wide), *_norm1d(wide, config), nn.ReLU(), nn.Dropout(config.dropout)]
    return Features(maps, nn.Sequential(*layers), wide, config.bfloat16)


def take_weights(backbone: Features, weights: Mapping[str, Tensor]) -> int:
    """Copies weights of convolutions and dense layers from a state dict in torchvision's order; returns how many.

    Layers count in order; one that has another shape here stays as it is. Batch normalisation is taken by name where
    the names agree.
    """
    theirs = [(name.rpartition(".")[0], value) for name, value in weights.items() if value.ndim in (2, 4)]
    ours = [module for module in backbone.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    taken = 0
    with torch.no_grad():
        for module, (name, value) in zip(ours, theirs, strict=False):
            if module.weight.shape != value.shape:
                continue
            module.weight.copy_(value)
            bias = weights.get(f"{name}.bias")
            if module.bias is not None and bias is not None:
                module.bias.copy_(bias)
            taken += 1
    return taken


def _channels(count: int, config: BackboneConfig) -> int:
    return max(8, round(count * config.width / 8) * 8)


def _norm1d(count: int, config: BackboneConfig) -> list[nn.Module]:
    return [nn.BatchNorm1d(count)] if config.norm else []


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: int, config: BackboneConfig
) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not config.norm)]
    if config.norm:
        layers.append(nn.BatchNorm2d(outputs))
    return [*layers, nn.ReLU()]


def _alexnet(config: BackboneConfig) -> nn.Module:
    """Krizhevsky et al. 2012, in one column (Krizhevsky 2014)."""
    a, b, c, d, e = (_channels(count, config) for count in (64, 192, 384, 256, 256))
    return nn.Sequential(
        *_convolution(3, a, 11, 4, 2, config),
        nn.MaxPool2d(3, 2),
        *_convolution(a, b, 5, 1, 2, config),
        nn.MaxPool2d(3, 2),
        *_convolution(b, c, 3, 1, 1, config),
        *_convolution(c, d, 3, 1, 1, config),
        *_convolution(d, e, 3, 1, 1, config),
        nn.MaxPool2d(3, 2, ceil_mode=True),
    )


def _vgg(config: BackboneConfig) -> nn.Module:
    """VGG-16, the network of VGG-Face (Simonyan & Zisserman 2015; Parkhi et al. 2015)."""
    layers: list[nn.Module] = []
    inputs = 3
    for count, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        outputs = _channels(count, config)
        for _ in range(depth):
            layers += _convolution(inputs, outputs, 3, 1, 1, config)
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class _Bottleneck(nn.Module):
    """He et al. 2016, figure 5 (right), stride in the 3 x 3 convolution."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * inner
        self.body = nn.Sequential(
            nn.Conv2d(inputs, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.body(maps) + self.shortcut(maps))


def _resnet(config: BackboneConfig) -> nn.Module:
    inputs = _channels(64, config)
    stem = nn.Conv2d(3, inputs, 7, 2, 3, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(inputs), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    for number, (inner, depth) in enumerate(zip((64, 128, 256, 512), config.depths, strict=True)):
        inner = _channels(inner, config)
        for block in range(depth):
            layers.append(_Bottleneck(inputs, inner, 2 if block == 0 and number > 0 else 1))
            inputs = 4 * inner
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))


class _Fast(nn.Module):
    """The project's own: full resolution is folded away at once, and the last maps keep where things are."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.stages = Backbone(3, config.widths, config.depths)
        last = config.widths[-1]
        self.reduce = nn.Sequential(nn.Conv2d(last, last // 2, 1, bias=False), nn.BatchNorm2d(last // 2), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.reduce(self.stages(images)[-1])
        return maps


def _fast(config: BackboneConfig) -> nn.Module:
    return _Fast(config)
