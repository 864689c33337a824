"""Decoders: a code to a shape as a vector, and the shape encoders that train them without labels."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.recipes.components.config import DecoderConfig, Kind
from training.recipes.components.encoders import dense, set_rows
from training.recipes.networks import in_precision

# A last layer's weight (d,k) and bias (d,) -> those of one that gives other numbers.
Turn = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

# Occupancies nearer than this to 0 or 1 are taken for this, before the logarithm of their odds.
_CERTAIN = 1e-3


class LinearDecoder(nn.Module):
    """Eq. 9's z = U b + mean: what a 3D morphable model is, its basis learned from the training shapes.

    Weights are kept at about 1 and multiplied by `scale`: Adam moves all weights alike, however small they are.
    """

    def __init__(self, config: DecoderConfig, length: int) -> None:
        super().__init__()
        self.layer = nn.Linear(config.code, length)
        self.scale = length**-0.5
        # From scratch codes are about 1, and each number of a shape the sum of many.
        nn.init.normal_(self.layer.weight, std=config.code**-0.5)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> shapes (B,p)."""
        return self.layer(codes) * self.scale

    @torch.no_grad()
    def set(self, directions: Tensor, mean: Tensor) -> None:
        """Takes U (p,k'), k' at most k, and the mean shape (p,)."""
        self.layer.weight.zero_()
        self.layer.weight[:, : directions.shape[1]] = directions / self.scale
        self.set_mean(mean)

    @torch.no_grad()
    def set_mean(self, mean: Tensor) -> None:
        """Takes the mean shape (p,) alone."""
        self.layer.bias.copy_(mean / self.scale)

    def turn_into(self, other: LinearDecoder, turn: Turn) -> None:
        """Sets a decoder of other numbers to this one, its last layer turned."""
        weight, bias = turn(self.layer.weight * self.scale, self.layer.bias * self.scale)
        other.set(weight, bias)


class FeedForwardDecoder(nn.Module):
    """400 - 800 - 27000 or 98 - 200 - p (Table 1); occupancies end in a sigmoid."""

    def __init__(self, config: DecoderConfig, length: int, occupancy: bool) -> None:
        super().__init__()
        self.layers = dense((config.code, *config.widths, length))
        self.occupancy = occupancy
        self.register_buffer("spread", torch.ones(()))

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> shapes (B,p)."""
        values = self.layers(codes)
        return torch.sigmoid(values) if self.occupancy else values * self.spread

    @torch.no_grad()
    def measure(self, shapes: Tensor) -> None:
        """Begins at the mean of shapes (n,p), with their spread: nobody would let it learn that step by step."""
        mean = shapes.mean(0)
        if not self.occupancy:
            self.spread.copy_((shapes - mean).square().mean().sqrt())
        start = torch.logit(mean, _CERTAIN) if self.occupancy else mean / self.spread
        self.layers[-1].bias.copy_(start)

    @torch.no_grad()
    def turn_into(self, other: FeedForwardDecoder, turn: Turn) -> None:
        """Sets a decoder of other numbers to this one, its last layer turned."""
        other.layers[:-1].load_state_dict(self.layers[:-1].state_dict())
        weight, bias = turn(self.layers[-1].weight * self.spread, self.layers[-1].bias * self.spread)
        other.layers[-1].weight.copy_(weight)
        other.layers[-1].bias.copy_(bias)
        other.spread.fill_(1.0)


class DoubledConvolution(nn.Conv3d):
    """A 3 x 3 x 3 convolution of maps that were doubled before, each voxel becoming eight alike.

    Of its 27 weights those that fall on the same old voxel are summed first, which makes it a transposed convolution of
    4 x 4 x 4 with stride 2: the same answer from a third of the products, and without the doubled maps.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B,inputs,R,R,R) -> (B,outputs,2R,2R,2R)."""
        return nn.functional.conv_transpose3d(maps, self._summed(), self.bias, stride=2, padding=1)

    @torch.no_grad()
    def fixed(self) -> nn.ConvTranspose3d:
        """The same layer with its sums made, which ONNX knows."""
        made = nn.ConvTranspose3d(self.in_channels, self.out_channels, 4, 2, 1, bias=self.bias is not None)
        made.weight.copy_(self._summed())
        if self.bias is not None and made.bias is not None:
            made.bias.copy_(self.bias)
        return made

    def _summed(self) -> Tensor:
        weight = self.weight
        for axis in range(3):
            before, after = [0] * 6, [0] * 6
            before[2 * axis], after[2 * axis + 1] = 1, 1
            weight = nn.functional.pad(weight, before) + nn.functional.pad(weight, after)
        return weight.flip(2, 3, 4).transpose(0, 1)


class ConvolutionalDecoder(nn.Module):
    """Code -> maps at a quarter of the side -> twice doubled, 3 x 3 x 3 convolutions of `widths` -> occupancies.

    A number for each voxel is added before the sigmoid, as a dense last layer's bias is. With one number for all voxels
    the first thing that training finds is the empty grid, where the sigmoid has no slope left and all learning ends.
    Its convolutions train in bfloat16 where the processor has it.
    """

    def __init__(self, config: DecoderConfig, side: int) -> None:
        super().__init__()
        self.side, self.coarse = side, (side + 3) // 4
        first, second = config.widths
        self.maps = first
        self.spread = nn.Linear(config.code, first * self.coarse**3)
        self.layers = nn.Sequential(
            nn.ReLU(), DoubledConvolution(first, second), nn.ReLU(), DoubledConvolution(second, 1, bias=False)
        )
        self.bias = nn.Parameter(torch.zeros(side**3))

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B,k) -> occupancies (B,R^3), 0..1."""
        coarse = self.spread(codes).reshape(-1, self.maps, *(self.coarse,) * 3)
        side = self.side
        values = in_precision(self.layers, coarse, self.training)[:, 0, :side, :side, :side]
        return torch.sigmoid(values.flatten(1) + self.bias)

    @torch.no_grad()
    def measure(self, shapes: Tensor) -> None:
        """Begins at the mean of shapes (n,R^3)."""
        self.bias.copy_(torch.logit(shapes.mean(0), _CERTAIN))


def fixed(network: nn.Module) -> nn.Module:
    """A copy of a network for export, its doubled convolutions with their sums made."""
    copied = copy.deepcopy(network)
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, DoubledConvolution):
                setattr(module, name, child.fixed())
    return copied


class DenseShapeEncoder(nn.Module):
    """The mirror image of a linear or feed-forward decoder; it sees shapes less their mean, by their spread."""

    def __init__(self, config: DecoderConfig, length: int) -> None:
        super().__init__()
        self.layers = dense((length, *reversed(config.widths), config.code))
        self.register_buffer("mean", torch.zeros(length))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, shapes: Tensor) -> Tensor:
        """Shapes (B,p) -> codes (B,k)."""
        return self.layers((shapes - self.mean) / self.spread)

    @torch.no_grad()
    def measure(self, shapes: Tensor) -> None:
        """Takes mean and spread from shapes (n,p)."""
        self.mean.copy_(shapes.mean(0))
        self.spread.copy_((shapes - self.mean).square().mean().sqrt())

    @torch.no_grad()
    def set(self, directions: Tensor, mean: Tensor) -> None:
        """Takes U^T (k',p), k' at most k, and the mean shape (p,): eq. 7."""
        self.mean.copy_(mean)
        set_rows(self.layers[0], directions, torch.zeros(len(directions)))


class ConvolutionalShapeEncoder(nn.Module):
    """The mirror image of the convolutional decoder."""

    def __init__(self, config: DecoderConfig, side: int) -> None:
        super().__init__()
        first, second = config.widths
        self.side = side
        self.layers = nn.Sequential(
            nn.Conv3d(1, second, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv3d(second, first, 3, stride=2, padding=1), nn.ReLU(),
        )  # fmt: skip
        coarse = (side + 3) // 4
        self.code = nn.Linear(first * coarse**3, config.code)

    def forward(self, shapes: Tensor) -> Tensor:
        """Occupancies (B,R^3) -> codes (B,k)."""
        return self.code(self.layers(shapes.reshape(-1, 1, *(self.side,) * 3)).flatten(1))


def make_decoder(config: DecoderConfig, kind: Kind, length: int) -> nn.Module:
    """The decoder that `config` describes, for shapes of `length` numbers."""
    if config.kind == "linear":
        return LinearDecoder(config, length)
    if config.kind == "feedforward":
        return FeedForwardDecoder(config, length, kind == "objects")
    return ConvolutionalDecoder(config, round(length ** (1 / 3)))


def make_shape_encoder(config: DecoderConfig, length: int) -> nn.Module:
    """What turns shapes of `length` numbers into the codes that the decoder of `config` takes."""
    if config.kind == "convolutional":
        return ConvolutionalShapeEncoder(config, round(length ** (1 / 3)))
    return DenseShapeEncoder(config, length)
