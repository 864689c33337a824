"""Networks of the recipes `inverse` and `mofa` as the product runs them: a crop in, coefficients and light out.

What the product asks for in other terms than the papers' is worked out in the network itself: ARKit weights from
expression columns, light in head space from light in the viewer's frame, landmarks by the image formation model.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.formation import illumination
from training.formation.code import Code
from training.formation.face_model import FaceModel
from training.formation.geometry import FRONTAL, project, rotation_matrices
from training.formation.picture import HOLES, OUTLINE
from training.recipes.inverse.run import Trained as InverseRun
from training.recipes.mofa.run import Trained as MofaRun

OPSET = 17
_OUTSIDE = 0.1
_RIDGE = 1e-3
_ROUNDS = 80
_TOLERANCE = 1e-3


class ActionWeights(nn.Module):
    """Expression coefficients (B,E) -> weights (B,52) of the template's ARKit actions, each 0..1.

    The weights are those whose actions move the vertices most nearly as the columns do: least squares with bounds, by
    accelerated projected gradients (Beck & Teboulle 2009, FISTA) in a fixed number of rounds. What no actions within
    their bounds can do is lost.
    """

    gram: Tensor
    across: Tensor

    def __init__(self, model: FaceModel) -> None:
        super().__init__()
        weights = np.full(len(model.mean), _OUTSIDE)
        weights[model.region("face")] = 1.0
        root = np.sqrt(weights)[:, None]
        actions, columns = (
            (np.asarray(vectors, np.float64) * root).reshape(len(vectors), -1)
            for vectors in (model.actions, model.expression)
        )
        gram, across = actions @ actions.T, actions @ columns.T
        gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        step = 1 / np.linalg.eigvalsh(gram)[-1]
        self.register_buffer("gram", torch.from_numpy(step * gram).float())
        self.register_buffer("across", torch.from_numpy(step * across).float())

    def forward(self, expression: Tensor) -> Tensor:
        """The weights."""
        target = expression @ self.across.T
        weights = ahead = torch.zeros_like(target)
        momentum = 1.0
        for _ in range(_ROUNDS):
            moved = (ahead - ahead @ self.gram + target).clamp(0, 1)
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = moved + (momentum - 1) / following * (moved - weights)
            weights, momentum = moved, following
        return weights


def head_light(code: Code) -> Tensor:
    """Radiance coefficients (B,9,3) in head space, as bundles tell light, of a code's shading in the viewer's frame."""
    turn = rotation_matrices(code.rotation) * code.rotation.new_tensor(FRONTAL)[:, None]
    return illumination.to_radiance(illumination.turned(code.illumination, turn))


class Exported(nn.Module):
    """A network whose answer is the tensors that `outputs` names, for pictures of `size` pixels."""

    outputs: tuple[str, ...]
    size: int


class MofaRegressor(Exported):
    """Crop (B,3,S,S) RGB 0..1 -> identity, reflectance, expression, landmarks (B,68,2) in crop pixels, illumination."""

    outputs = ("identity", "reflectance", "expression", "landmarks", "illumination")
    mean: Tensor
    identity: Tensor
    expression: Tensor

    def __init__(self, run: MofaRun) -> None:
        super().__init__()
        self.encoder, self.size, self.focal = run.encoder, run.config.size, run.camera.focal
        self.actions = ActionWeights(run.model)
        marks = np.asarray(run.model.template["landmarks68"])
        for name in ("mean", "identity", "expression"):
            values = np.asarray(getattr(run.model, name))[..., marks, :]
            self.register_buffer(name, torch.from_numpy(values.reshape(*values.shape[:-2], -1)))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Crops -> the tensors that `outputs` names."""
        code = self.encoder(image - 0.5)
        flat = self.mean + code.identity @ self.identity + code.expression @ self.expression
        placed = flat.reshape(-1, 68, 3) @ rotation_matrices(code.rotation).transpose(1, 2) + code.translation[:, None]
        landmarks = project(placed, self.focal * torch.ones_like(placed[:, 0, 0]), self.size)
        return code.identity, code.reflectance, self.actions(code.expression), landmarks, head_light(code)


class InverseRegressor(Exported):
    """Crop (B,3,T,T) RGB 0..1 and its landmarks (B,68,2) in crop pixels -> identity, reflectance, expression, light.

    The face is cut out by its landmarks and masked as the pictures are that the network learned from (paper, section
    6.1). T is `size`.
    """

    outputs = ("identity", "reflectance", "expression", "illumination")

    def __init__(self, run: InverseRun, size: int) -> None:
        super().__init__()
        self.network, self.codes, self.size = run.network, run.config.codes, size
        self.side, self.fill = run.config.size, run.config.fill
        self.actions = ActionWeights(run.model)

    def forward(self, image: Tensor, marks: Tensor) -> tuple[Tensor, ...]:
        """Crops and landmarks -> the tensors that `outputs` names."""
        code = self.codes.split(self.network(self.masked(image, marks) - 0.5))
        return code.identity, code.reflectance, self.actions(code.expression), head_light(code)

    def masked(self, image: Tensor, marks: Tensor) -> Tensor:
        """The network's pictures (B,3,S,S): the face that the landmarks outline, black around it."""
        low, high = marks.amin(1), marks.amax(1)
        middle, extent = (low + high) / 2, (high - low).amax(1) / self.fill
        line = (torch.arange(self.side, dtype=image.dtype) + 0.5) / self.side - 0.5
        grid = torch.stack([line[None].expand(self.side, -1), line[:, None].expand(-1, self.side)], -1)
        at = middle[:, None, None] + grid * extent[:, None, None, None]
        cut = nn.functional.grid_sample(image, at * (2 / self.size) - 1, align_corners=False)
        points = (marks - middle[:, None]) / extent[:, None, None] * self.side + self.side / 2
        mask = inside(points[:, list(OUTLINE)], self.side)
        for hole in HOLES:
            mask = mask & ~inside(points[:, list(hole)], self.side)
        return cut * mask[:, None].to(cut.dtype)


def inside(corners: Tensor, size: int) -> Tensor:
    """As `training.formation.picture.inside_polygon`, in operations that ONNX has."""
    line = torch.arange(size, dtype=corners.dtype) + 0.5
    x, y = corners.unbind(-1)
    x2, y2 = (torch.cat([values[:, 1:], values[:, :1]], 1) for values in (x, y))
    crosses = (y[:, :, None] > line) != (y2[:, :, None] > line)
    rise = torch.where(y2 == y, torch.ones_like(y), y2 - y)
    at = x[:, :, None] + (line - y[:, :, None]) * ((x2 - x) / rise)[:, :, None]
    left = (crosses[..., None] & (at[..., None] <= line)).to(corners.dtype)
    return left.sum(1) % 2 > 0.5


def write_network(network: Exported, inputs: dict[str, Tensor], path: Path) -> None:
    """Writes a network with a batch of any size; `inputs` are examples by name."""
    outputs = list(network.outputs)
    with warnings.catch_warnings():
        # The exporter that needs no further package says that it is the old one.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            network.eval().to(memory_format=torch.contiguous_format),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in [*inputs, *outputs]},
            opset_version=OPSET,
            dynamo=False,
        )


def with_detector(path: Path, detector: bytes, size: int) -> None:
    """Puts a bundle's network before the one in `path`, which then takes the crop alone and tells its landmarks too.

    Crops of `size` pixels are a whole multiple of the detector's. Raises `ValueError` when it finds no landmarks.
    """
    import onnx
    from onnx import TensorProto, compose, helper, numpy_helper

    before, after = compose.add_prefix(onnx.load_from_string(detector), "detector/"), onnx.load(str(path))
    versions = {entry.version for model in (before, after) for entry in model.opset_import if not entry.domain}
    if versions != {OPSET}:
        raise ValueError(f"the detector's network is not of ONNX opset {OPSET}: export that bundle anew")
    names = [output.name for output in before.graph.output]
    if "detector/landmarks" not in names:
        raise ValueError("this bundle finds no landmarks: name one that does with --detector")
    factor = size // before.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    scale = numpy_helper.from_array(np.array(factor, np.float32), "detector/factor")
    reduce = helper.make_node(
        "AveragePool", ["image"], ["detector/image"], kernel_shape=[factor, factor], strides=[factor, factor]
    )
    enlarge = helper.make_node("Mul", ["detector/landmarks", "detector/factor"], ["landmarks"])
    same = helper.make_node("Identity", ["landmarks"], ["marks"])
    graph = helper.make_graph(
        [reduce, *before.graph.node, enlarge, same, *after.graph.node],
        "inverse",
        [entry for entry in after.graph.input if entry.name == "image"],
        [*after.graph.output, helper.make_tensor_value_info("landmarks", TensorProto.FLOAT, ["batch", 68, 2])],
        [*before.graph.initializer, *after.graph.initializer, scale],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=after.ir_version)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def set_metadata(path: Path, metadata: dict[str, str]) -> None:
    """Writes metadata into a network's file."""
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def check_network(path: Path, images: NDArray[np.float32], expected: dict[str, NDArray[Any]]) -> float:
    """Largest difference of an output from what PyTorch says. Raises `ValueError` when it is above 1e-3.

    Landmarks are in pixels; all else is of the order of one.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = dict(zip(expected, session.run(list(expected), {"image": images}), strict=True))
    apart = {name: float(np.abs(found[name] - expected[name]).max()) for name in expected}
    name = max(apart, key=lambda key: apart[key])
    if not apart[name] <= _TOLERANCE:
        raise ValueError(
            f"ONNX and PyTorch differ: {name} by {apart[name]:.2g} (at most {_TOLERANCE}); nothing written"
        )
    return apart[name]
