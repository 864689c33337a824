"""The network of the recipe `default` as `regressor.onnx`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.dataset import mirror_vertices
from training.export.onnx_regressor import Exported, write_onnx
from training.recipes.default.data import MIRRORED_LIGHT, Basis, other_side
from training.recipes.default.network import Corrector
from training.recipes.default.run import Trained
from training.recipes.joint.data import landmark_swap

_LARGE = 10_000

OUTPUTS = ("identity", "expression", "reflectance", "landmarks", "dense", "sigma", "illumination", "distance")


class DefaultRegressor(Exported):
    """Crop (B,3,S,S) RGB 0..1 -> what `OUTPUTS` names, in the product's units.

    identity (B,K), reflectance (B,R) in standard deviations; expression (B,52) 0..1; landmarks (B,68,2) and dense
    (B,D,2) crop pixels, sigma (B,68+D) crop pixels in each direction; illumination (B,9,3); distance (B,), the
    logarithm of millimetres. The network looks at the crop and at its mirror image, and the two answers are averaged:
    a face is about as hard either way, and their errors differ. Dense layers' weights are rounded to half precision,
    in which the file has them. `template` are a dataset's arrays.
    """

    def __init__(self, run: Trained, template: dict[str, NDArray], weights: NDArray[np.float32]) -> None:
        super().__init__()
        self.size, self.network = run.config.size, copy.deepcopy(run.network)
        with torch.no_grad():
            for layer in self.network.modules():
                if isinstance(layer, nn.Linear):
                    layer.weight.copy_(layer.weight.half().float())
                if isinstance(layer, Corrector):
                    layer.each.copy_(layer.each.half().float())
        turn, shift = mirrored_identity(run.basis, template["mirror"], weights)
        swap = landmark_swap(template)
        # Of points without another one on the other side only the plain look tells.
        alone = swap < 0
        known = run.known
        self.register_buffer("turn", torch.from_numpy(turn))
        self.register_buffer("shift", torch.from_numpy(shift))
        self.register_buffer("swap", torch.from_numpy(np.where(alone, np.arange(len(swap)), swap)))
        self.register_buffer("alone", torch.from_numpy(alone.astype(np.float32)))
        self.register_buffer("actions", torch.from_numpy(other_side([str(n) for n in template["expression_names"]])))
        self.register_buffer("light_signs", torch.from_numpy(MIRRORED_LIGHT))
        self.register_buffer("light_mean", torch.from_numpy(known.light_mean))
        self.register_buffer("light_spread", torch.from_numpy(known.light_spread))
        self.distance_mean, self.distance_spread = known.distance_mean, known.distance_spread

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in order."""
        return list(OUTPUTS)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops -> the tensors that `OUTPUTS` names."""
        one, other = self.network(image), self.network(image.flip(3))
        other_share = 0.5 * (1 - self.alone)
        back = other.points[:, self.swap] * torch.tensor([-1.0, 1.0])
        points = one.points + (back - one.points) * other_share[:, None]
        sigma = one.sigma + (other.sigma[:, self.swap] - one.sigma) * other_share
        light = (one.illumination + other.illumination * self.light_signs) / 2
        pixels = (points + 0.5) * self.size
        return (
            (one.identity + other.identity @ self.turn.T + self.shift) / 2,
            (one.expression + other.expression[:, self.actions]) / 2,
            (one.reflectance + other.reflectance) / 2,
            pixels[:, :68],
            pixels[:, 68:],
            sigma * self.size,
            (light * self.light_spread + self.light_mean).reshape(-1, 9, 3),
            (one.distance + other.distance) / 2 * self.distance_spread + self.distance_mean,
        )


def mirrored_identity(
    basis: Basis, mirror: NDArray[np.integer], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Matrix (K,K) and offset (K,) that turn a head's coefficients into those of its mirror image.

    By least squares with vertices counting by `weights` (N,).
    """
    moved = mirror_vertices(basis.mean, mirror)
    shift = basis.coefficients(moved[None], weights)[0]
    turned = basis.coefficients(moved + mirror_vertices(basis.identity, mirror), weights)
    return np.ascontiguousarray((turned - shift).T), shift


def write_default(regressor: DefaultRegressor, path: Path, metadata: dict[str, str]) -> None:
    """Writes the network as `write_onnx` does, its dense layers in half precision."""
    import onnx

    write_onnx(regressor, path, metadata)
    model = onnx.load(str(path))
    _store_halves(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _store_halves(model: Any) -> None:
    """Stores large weights that half precision holds exactly in it; they are cast back when the file is loaded."""
    import onnx

    for entry in list(model.graph.initializer):
        if entry.data_type != onnx.TensorProto.FLOAT or np.prod(entry.dims) < _LARGE:
            continue
        values = onnx.numpy_helper.to_array(entry)
        halves = values.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), values):
            name = entry.name
            entry.CopyFrom(onnx.numpy_helper.from_array(halves, f"{name}.half"))
            cast = onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
            model.graph.node.insert(0, cast)
