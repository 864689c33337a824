"""The weights of a bundle's network, which has its normalisations folded into its convolutions, as a trunk again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.recipes.default.network import DefaultNetwork
from training.recipes.joint.network import FaceNetwork


def read_weights(path: Path) -> dict[str, Tensor]:
    """The initialisers of an ONNX file by name, in the file's order."""
    import onnx

    model = onnx.load(str(path))
    return {entry.name: torch.from_numpy(onnx.numpy_helper.to_array(entry).copy()) for entry in model.graph.initializer}


@torch.no_grad()
def unfold(trunk: FaceNetwork, weights: dict[str, Tensor]) -> None:
    """Copies the weights that `training.export.onnx_regressor` wrote into a trunk, which then answers as the file does.

    Its normalisations do nothing yet. Raises `ValueError` where the file's network is another one.
    """
    folded = [(name, value) for name, value in weights.items() if name.startswith("onnx::Conv")]
    convolutions = list(_normalised(trunk))
    if len(folded) != 2 * len(convolutions):
        raise ValueError("the bundle's network is not that of this configuration: it has other stages")
    for (convolution, norm), (name, weight), (_, bias) in zip(convolutions, folded[::2], folded[1::2], strict=True):
        if weight.shape != convolution.weight.shape:
            raise ValueError(f"the bundle's network is not that of this configuration: {name} has another shape")
        convolution.weight.copy_(weight)
        norm.weight.fill_(float(np.sqrt(1.0 + norm.eps)))
        norm.bias.copy_(bias)
    kept = {name.removeprefix("network."): value for name, value in weights.items()}
    kept |= {"code.weight": weights["identity.weight"], "code.bias": weights["identity.bias"]}
    mine = dict(trunk.named_parameters()) | dict(trunk.named_buffers())
    for name in _plain(trunk):
        if name not in kept or kept[name].shape != mine[name].shape:
            raise ValueError(f"the bundle's network is not that of this configuration: {name} differs")
        mine[name].copy_(kept[name])


@torch.no_grad()
def settle(network: DefaultNetwork, pictures: Iterable[Tensor]) -> None:
    """Lets every normalisation of an unfolded trunk normalise what `pictures` (B,3,S,S) give, and answer as before."""
    pairs = list(_normalised(network.trunk))
    sums = {norm: [torch.zeros(norm.num_features, dtype=torch.float64) for _ in range(2)] for _, norm in pairs}
    counts = dict.fromkeys(sums, 0)

    def look(norm: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        flat = inputs[0].double().transpose(0, 1).flatten(1)
        sums[norm][0] += flat.sum(1)
        sums[norm][1] += flat.square().sum(1)
        counts[norm] += flat.shape[1]

    hooks = [norm.register_forward_hook(look) for norm in sums]
    was = network.training
    network.eval()
    for images in pictures:
        network(images)
    for hook in hooks:
        hook.remove()
    network.train(was)
    for norm, (total, squares) in sums.items():
        mean = total / counts[norm]
        variance = (squares / counts[norm] - mean.square()).clamp(min=1e-8)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)


def _plain(trunk: FaceNetwork) -> Iterator[str]:
    """Names of what has no normalisation to be folded into it."""
    kinds = ("weight", "bias")
    yield from (f"laterals.{number}.{kind}" for number in range(len(trunk.laterals)) for kind in kinds)
    for layer in ("points.maps", "spread", "spread_norm", "reflectance", "code"):
        yield from (f"{layer}.{kind}" for kind in kinds)
    yield from ("spread_norm.running_mean", "spread_norm.running_var")


def _normalised(trunk: FaceNetwork) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Convolutions and their normalisations, in the order in which the network goes through them."""
    stem, merge, reduce = trunk.backbone.stem, trunk.merge, trunk.reduce
    yield stem[1], stem[2]
    for stage in trunk.backbone.stages:
        for block in stage:
            yield block.first, block.first_norm
            yield block.second, block.second_norm
            if isinstance(block.shortcut, nn.Sequential):
                yield block.shortcut[0], block.shortcut[1]
    yield merge[1], merge[2]
    yield reduce[0], reduce[1]
