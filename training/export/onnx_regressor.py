"""The trained network as `regressor.onnx`."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.augmentation import luminance
from training.dataset import MIRROR_68, mirror_vertices
from training.export.linear_basis import LinearBasis
from training.recipes.joint.run import Trained

Floats = NDArray[np.float32]

OPSET = 17
_IN_PIXELS = ("landmarks", "dense", "sigma")


class Exported(nn.Module):
    """What can be written: it takes pictures of `size` pixels and answers with the tensors that `outputs` names."""

    size: int

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in order."""
        raise NotImplementedError


class Regressor(Exported):
    """Crop (B,3,S,S) RGB 0..1 -> identity (B,K), then reflectance (B,R) and landmarks (B,68,2) in crop pixels, if any.

    The basis' linear map is multiplied into the network's last layer. The network looks at the crop and at its mirror
    image, and the two answers are averaged: a face is about as hard either way, and their errors differ. `mirror` (N,)
    is the template's symmetry map.
    """

    def __init__(self, run: Trained, basis: LinearBasis, mirror: NDArray[np.integer]) -> None:
        super().__init__()
        self.size, self.grey = run.config.size, run.config.grey
        self.network = run.model.network
        last = self.network.last
        change = torch.from_numpy(basis.to_identity).double()
        self.identity = nn.Linear(last.in_features, len(change))
        with torch.no_grad():
            self.identity.weight.copy_(change @ last.weight.double())
            self.identity.bias.copy_(change @ last.bias.double())
        turn, shift = mirrored_coefficients(run.space.mean, basis.columns, mirror)
        self.register_buffer("turn", torch.from_numpy(turn))
        self.register_buffer("shift", torch.from_numpy(shift))
        self.register_buffer("other_side", torch.from_numpy(MIRROR_68))

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in order."""
        names = ["identity"]
        if getattr(self.network, "reflectance", None) is not None:
            names.append("reflectance")
        if getattr(self.network, "points", None) is not None:
            names.append("landmarks")
        return names

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops -> the tensors that `outputs` names."""
        image = luminance(image) if self.grey else image
        one = self.network(image, last=self.identity)
        other = self.network(image.flip(3), last=self.identity)
        found = [(one.code + other.code @ self.turn.T + self.shift) / 2]
        if one.reflectance is not None:
            found.append((one.reflectance + other.reflectance) / 2)
        if one.points is not None:
            back = other.points[:, self.other_side] * torch.tensor([-1.0, 1.0])
            found.append(((one.points[:, :68] + back) / 2 + 0.5) * self.size)
        return tuple(found)


def mirrored_coefficients(mean: Floats, columns: Floats, mirror: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Matrix (K,K) and offset (K,) that turn a head's coefficients into those of its mirror image.

    mean (N,3) and orthogonal columns (K,N,3); what of the mirror image lies outside their span is lost.
    """
    flat = columns.reshape(len(columns), -1).astype(np.float64)
    project = flat / (flat**2).sum(1, keepdims=True)
    turned = mirror_vertices(columns, mirror).reshape(flat.shape)
    moved = (mirror_vertices(mean, mirror) - mean).ravel()
    return (project @ turned.T).astype(np.float32), (project @ moved).astype(np.float32)


def write_onnx(regressor: Exported, path: Path, metadata: dict[str, str]) -> None:
    """Writes the network with a batch of any size, opset 17, and its metadata."""
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
            output_names=regressor.outputs,
            dynamic_axes={name: {0: "batch"} for name in ["image", *regressor.outputs]},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def check_onnx(regressor: Exported, path: Path, crops: np.ndarray, columns: np.ndarray) -> tuple[float, float]:
    """Largest differences between ONNX Runtime and PyTorch on crops (n,S,S,3) uint8: coefficients, and vertices in mm.

    Every output counts among the coefficients but points and their sigmas, which count as vertices do, in pixels.
    Raises `ValueError` when the differences are above 1e-4 or 0.01 mm.
    """
    import onnxruntime

    images = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    with torch.no_grad():
        expected = dict(zip(regressor.outputs, (t.numpy() for t in regressor(torch.from_numpy(images))), strict=True))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = dict(zip(regressor.outputs, session.run(regressor.outputs, {"image": images}), strict=True))
    apart = {name: float(np.abs(found[name] - expected[name]).max()) for name in found}
    moved = np.einsum("nk,kvc->nvc", found["identity"] - expected["identity"], columns)
    coefficients = max(apart[name] for name in apart if name not in _IN_PIXELS)
    vertices = float(np.linalg.norm(moved, axis=-1).max())
    pixels = max((apart[name] for name in apart if name in _IN_PIXELS), default=0.0)
    if coefficients > 1e-4 or vertices > 0.01 or pixels > 0.01:
        raise ValueError(
            f"ONNX and PyTorch differ: coefficients by {coefficients:.2g} (at most 1e-4), vertices by "
            f"{vertices:.2g} mm (at most 0.01), points by {pixels:.2g} px; nothing was written"
        )
    return coefficients, vertices
