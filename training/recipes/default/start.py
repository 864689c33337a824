"""The weights of a bundle's network, which has its normalisations folded into its convolutions, to be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.recipes.default.network import DefaultNetwork

_HALF = ".half"
_Pair = tuple[nn.Conv2d, nn.BatchNorm2d]


def read_weights(path: Path) -> dict[str, Tensor]:
    """The initialisers of an ONNX file by name, in the file's order, all in single precision."""
    import onnx

    weights = {}
    for entry in onnx.load(str(path)).graph.initializer:
        value = torch.from_numpy(onnx.numpy_helper.to_array(entry).copy())
        weights[entry.name.removesuffix(_HALF)] = value.float() if value.is_floating_point() else value
    return weights


def begin_with(network: DefaultNetwork, other: DefaultNetwork) -> None:
    """Copies what another network learned; where that corrects no points, they are not corrected yet.

    Raises `ValueError` where it is another kind of network.
    """
    theirs, ours = other.state_dict(), network.state_dict()
    new = {name for name in ours if name.startswith("correct.") and name not in theirs}
    if set(theirs) | new != set(ours) or any(theirs[name].shape != ours[name].shape for name in theirs):
        raise ValueError("the run's network is not that of this configuration")
    network.load_state_dict(theirs, strict=False)


@torch.no_grad()
def unfold(network: DefaultNetwork, weights: Mapping[str, Tensor]) -> list[_Pair]:
    """Copies the weights of a file of `joint` or of this recipe into a network, which then answers as the file does.

    Of `joint` there is a trunk alone. Returns the convolutions with their normalisations, which do nothing yet, for
    `settle`. Raises `ValueError` where the file's network is another one.
    """
    whole = any(name.startswith("network.trunk.") for name in weights)
    corrected = any(name.startswith("network.correct.") for name in weights)
    pairs = list(_normalised(network, whole, corrected))
    folded = [value for name, value in weights.items() if name.startswith("onnx::Conv")]
    if len(folded) != 2 * len(pairs):
        raise ValueError("the bundle's network is not that of this configuration: it has other stages")
    for (convolution, norm), weight, bias in zip(pairs, folded[::2], folded[1::2], strict=True):
        if weight.shape != convolution.weight.shape:
            raise ValueError("the bundle's network is not that of this configuration: its convolutions differ")
        convolution.weight.copy_(weight)
        norm.weight.fill_(float(np.sqrt(1.0 + norm.eps)))
        norm.bias.copy_(bias)
    named = _named(weights, whole)
    inside = {
        tensor.data_ptr() for pair in pairs for layer in pair for tensor in (*layer.parameters(), *layer.buffers())
    }
    for name, tensor in (network if whole else network.trunk).state_dict().items():
        if tensor.data_ptr() in inside or name.endswith("num_batches_tracked"):
            continue
        if name.startswith("correct.") and not corrected:  # it begins by correcting nothing
            continue
        if name not in named or named[name].shape != tensor.shape:
            raise ValueError(f"the bundle's network is not that of this configuration: {name} differs")
        tensor.copy_(named[name])
    return pairs


@torch.no_grad()
def settle(network: DefaultNetwork, pairs: Iterable[_Pair], pictures: Iterable[Tensor]) -> None:
    """Lets the unfolded normalisations normalise what `pictures` (B,3,S,S) give, and answer as before."""
    norms = [norm for _, norm in pairs]
    sums = {norm: [torch.zeros(norm.num_features, dtype=torch.float64) for _ in range(2)] for norm in norms}
    counts = dict.fromkeys(norms, 0)

    def look(norm: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        flat = inputs[0].double().transpose(0, 1).flatten(1)
        sums[norm][0] += flat.sum(1)
        sums[norm][1] += flat.square().sum(1)
        counts[norm] += flat.shape[1]

    hooks = [norm.register_forward_hook(look) for norm in norms]
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


def _named(weights: Mapping[str, Tensor], whole: bool) -> dict[str, Tensor]:
    """The weights by their names in the network, or, where there is no more, in its trunk."""
    named = {name.removeprefix("network."): value for name, value in weights.items()}
    if whole:
        # A dense layer without a bias is a product, whose matrix has no name and is turned over.
        (product,) = (value for name, value in weights.items() if name.startswith("onnx::MatMul") and _wide(value))
        named["expression.0.weight"] = product.T
    else:
        # The basis is multiplied into the last layer of `joint`.
        named |= {f"code.{kind}": weights[f"identity.{kind}"] for kind in ("weight", "bias")}
    return named


def _wide(matrix: Tensor) -> bool:
    """Whether it is not the square one that turns coefficients into those of the mirror image."""
    return matrix.ndim == 2 and matrix.shape[0] != matrix.shape[1]


def _normalised(network: DefaultNetwork, whole: bool, corrected: bool) -> Iterator[_Pair]:
    """Convolutions and their normalisations, in the order in which the network goes through them."""
    trunk = network.trunk
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
    for local in (network.correct.maps if corrected and network.correct else None, network.local if whole else None):
        for part in () if local is None else local.reduce:
            yield part[0], part[1]
