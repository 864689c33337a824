"""Encoders: a grey picture to its code, and the way back that trains them without labels."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from training.recipes.components.config import EncoderConfig
from training.recipes.networks import Backbone, in_precision


class LinearEncoder(nn.Module):
    """Eq. 4, y = U^T (x - mean), with the principal components of the pictures for U.

    Weights are kept at about 1 and multiplied by `scale`: Adam moves all weights alike, however small they are.
    """

    def __init__(self, size: int, code: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size * size, code)
        self.scale = 1.0 / size

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S) -> codes (B,k)."""
        return self.layer(images.flatten(1)) * self.scale

    @torch.no_grad()
    def set(self, directions: Tensor, mean: Tensor) -> None:
        """Takes U^T (k',S*S), k' at most k, and the mean picture (S*S,)."""
        set_rows(self.layer, directions / self.scale, -(directions @ mean) / self.scale)


class FeedForwardEncoder(nn.Module):
    """1024 - 100 - 60 (Table 1)."""

    def __init__(self, size: int, config: EncoderConfig) -> None:
        super().__init__()
        self.layers = dense((size * size, *config.widths, config.code))

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S) -> codes (B,k)."""
        return self.layers(images.flatten(1) - 0.5)


class ConvolutionalEncoder(nn.Module):
    """3 x 3 convolutions of 32 and 16 maps (Table 1), each followed by a halving, then a layer to the code."""

    def __init__(self, size: int, config: EncoderConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((1, *config.widths)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers)
        side = size // 2 ** len(config.widths)
        self.code = nn.Linear(config.widths[-1] * side * side, config.code)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S) -> codes (B,k)."""
        return self.code(self.convolutions(images - 0.5).flatten(1))


class AlexNet(nn.Module):
    """Krizhevsky et al. 2012 for a grey picture, given thrice as the paper does; the classes give way to the code.

    The local response normalisation and the two towers of the original, which nobody uses any more, are left out.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, config.code),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,227,227) -> codes (B,k); smaller ones are enlarged first, as the paper enlarges its renders."""
        if images.shape[-1] != 227:
            images = nn.functional.interpolate(images, (227, 227), mode="bilinear", align_corners=False)
        maps = self.features((images - 0.5).expand(-1, 3, -1, -1) * 4.0)
        return self.classifier(maps.flatten(1))


class ResidualEncoder(nn.Module):
    """The project's compact residual network: all places of its last maps lead to the code.

    Its convolutions train in bfloat16 where the processor has it.
    """

    def __init__(self, size: int, config: EncoderConfig) -> None:
        super().__init__()
        self.backbone = Backbone(1, config.widths, (1,) * len(config.widths))
        side = size // 4 // 2 ** (len(config.widths) - 1)
        self.reduce = nn.Sequential(nn.Conv2d(config.widths[-1], 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        self.code = nn.Linear(64 * side * side, config.code)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S) -> codes (B,k)."""
        images = images.contiguous(memory_format=torch.channels_last)
        return self.code(in_precision(self._maps, images, self.training).flatten(1))

    def _maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.reduce(self.backbone(images - 0.5)[-1])
        return maps


class TimmEncoder(nn.Module):
    """A network of the library timm, transfer-learned: its pooled features lead to the code.

    Raises `ModuleNotFoundError` where timm is not installed.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        import timm  # type: ignore[import-not-found,unused-ignore]

        self.network = timm.create_model(config.model, pretrained=config.weights, in_chans=1, num_classes=0)
        self.code = nn.Linear(self.network.num_features, config.code)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B,1,S,S) -> codes (B,k)."""
        return self.code(self.network((images - 0.5) * 4.0))


class ImageDecoder(nn.Module):
    """The way back from a code to a picture, needed while an encoder is trained on pictures alone.

    Layer by layer the mirror image of a feed-forward encoder; for networks of convolutions their mirror image.
    """

    def __init__(self, size: int, config: EncoderConfig) -> None:
        super().__init__()
        self.side, self.bfloat16 = size, config.kind == "residual"
        self.maps: nn.Module | None = None
        if config.kind in ("linear", "feedforward"):
            self.layers = dense((config.code, *reversed(config.widths), size * size))
            return
        self.side = side = size // 4
        self.layers = dense((config.code, 32 * side * side))
        self.maps = nn.Sequential(
            nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> images (B,1,S,S)."""
        flat = self.layers(codes)
        if self.maps is None:
            return flat.reshape(-1, 1, self.side, self.side)
        maps = flat.reshape(-1, 32, self.side, self.side).contiguous(memory_format=torch.channels_last)
        return in_precision(self.maps, maps, self.bfloat16 and self.training)


@torch.no_grad()
def set_rows(layer: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Sets the first outputs of a layer; the others give zero."""
    layer.weight.zero_()
    layer.bias.zero_()
    layer.weight[: len(weight)] = weight
    layer.bias[: len(bias)] = bias


def dense(widths: tuple[int, ...], dropout: float = 0.0) -> nn.Sequential:
    """Feed-forward layers of these widths, rectified between but not behind."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
    return nn.Sequential(*layers[: -2 if dropout else -1])


def make_encoder(config: EncoderConfig, size: int) -> nn.Module:
    """The encoder that `config` describes, for pictures `size` wide."""
    if config.kind == "linear":
        return LinearEncoder(size, config.code)
    if config.kind == "feedforward":
        return FeedForwardEncoder(size, config)
    if config.kind == "convolutional":
        return ConvolutionalEncoder(size, config)
    if config.kind == "alexnet":
        return AlexNet(config)
    if config.kind == "residual":
        return ResidualEncoder(size, config)
    return TimmEncoder(config)
