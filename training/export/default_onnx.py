"""The network of the recipe `default` as `regressor.onnx`."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.dataset import mirror_vertices
from training.export.onnx_regressor import OPSET
from training.recipes.default.data import MIRRORED_LIGHT, Basis, other_side
from training.recipes.default.run import Trained
from training.recipes.joint.data import landmark_swap

_LARGE = 10_000

OUTPUTS = ("identity", "expression", "reflectance", "landmarks", "dense", "sigma", "illumination", "distance")


class DefaultRegressor(nn.Module):
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
    """Writes the network with a batch of any size and its metadata."""
    import onnx

    example = torch.zeros(2, 3, regressor.size, regressor.size)
    regressor = regressor.eval().to(memory_format=torch.contiguous_format)
    with warnings.catch_warnings():
        # The exporter that needs no further package says that it is the old one.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            regressor,
            (example,),
            str(path),
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: "batch"} for name in ["image", *OUTPUTS]},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    _store_halves(model)
    onnx.helper.set_model_props(model, metadata)
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


def check_default(
    regressor: DefaultRegressor, path: Path, crops: NDArray[np.uint8], columns: NDArray[np.float32]
) -> tuple[float, float]:
    """Largest differences between ONNX Runtime and PyTorch on crops (n,S,S,3): coefficients, and vertices in mm.

    Raises `ValueError` when they are above 2e-4 or 0.01 mm, or points differ by more than 0.01 pixels.
    """
    import onnxruntime

    images = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    with torch.no_grad():
        expected = dict(zip(OUTPUTS, (t.numpy() for t in regressor(torch.from_numpy(images))), strict=True))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"image": images}), strict=True))
    apart = {name: float(np.abs(found[name] - expected[name]).max()) for name in OUTPUTS}
    coefficients = max(apart[name] for name in ("identity", "expression", "reflectance", "distance"))
    moved = np.einsum("nk,kvc->nvc", found["identity"] - expected["identity"], columns)
    vertices = float(np.linalg.norm(moved, axis=-1).max())
    pixels = max(apart[name] for name in ("landmarks", "dense", "sigma"))
    if coefficients > 2e-4 or vertices > 0.01 or pixels > 0.01:
        raise ValueError(
            f"ONNX and PyTorch differ: coefficients by {coefficients:.2g} (at most 2e-4), vertices by "
            f"{vertices:.2g} mm (at most 0.01), points by {pixels:.2g} px (at most 0.01); nothing was written"
        )
    return coefficients, vertices
