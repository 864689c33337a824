"""Convert a BlazeFace face detector from TensorFlow Lite to ONNX.

The weights stay float16, as published; a Cast in front of each makes the arithmetic float32. The ONNX graph takes
`image` (B,3,S,S) in -1..1 and gives `boxes` (B,A,16) and `scores` (B,A,1) before the sigmoid, A anchors.

Source: Bazarevsky et al., "BlazeFace: Sub-millisecond neural face detection on mobile GPUs", 2019; the networks are
those of the MediaPipe wheel (Apache-2.0), `mediapipe/modules/face_detection/*.tflite`. Needs `tflite` and `onnx`:

    python training/export/blazeface.py mediapipe-0.10.21-*.whl backend/models/localiser.onnx
    python training/export/blazeface.py WHEEL OUTPUT --verify photo.jpg   # also compares with ai-edge-litert
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MODELS = {
    "short": "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "full": "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
}
TOLERANCE = 1e-4
"""Of an output's largest value: on some photos the logits reach thousands, where TensorFlow Lite's own two sets
of kernels differ by 0.01."""
OPSET = 17
IR_VERSION = 8
_DTYPES = {
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.INT32: np.int32,
}


class UnsupportedModel(Exception):
    """The file uses something that this converter does not know; the message says what."""


class Converter:
    """Walks the one subgraph of a TensorFlow Lite model and emits the same graph in ONNX, NHWC turned to NCHW.

    Every value of rank 4 is NCHW in the ONNX graph; values of other ranks keep their layout.
    """

    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.graph = self.model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.names: dict[int, str] = {int(self.graph.Inputs(0)): "image"}
        self.constants: dict[int, NDArray[Any]] = {}
        self.emitters: dict[int, Callable[[Any], None]] = {
            tflite.BuiltinOperator.DEQUANTIZE: self._constant,
            tflite.BuiltinOperator.DENSIFY: self._constant,
            tflite.BuiltinOperator.CONV_2D: self._convolution,
            tflite.BuiltinOperator.DEPTHWISE_CONV_2D: self._convolution,
            tflite.BuiltinOperator.ADD: self._add,
            tflite.BuiltinOperator.RELU: self._relu,
            tflite.BuiltinOperator.PAD: self._pad,
            tflite.BuiltinOperator.MAX_POOL_2D: self._max_pool,
            tflite.BuiltinOperator.RESHAPE: self._reshape,
            tflite.BuiltinOperator.CONCATENATION: self._concatenation,
            tflite.BuiltinOperator.RESIZE_BILINEAR: self._resize,
            tflite.BuiltinOperator.DEPTH_TO_SPACE: self._depth_to_space,
        }

    def convert(self) -> onnx.ModelProto:
        """The ONNX model. Raises `UnsupportedModel` for an operator or option that the detectors do not use."""
        for index in range(self.graph.OperatorsLength()):
            operator = self.graph.Operators(index)
            code = self.model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()
            if code not in self.emitters:
                raise UnsupportedModel(f"operator {code} of the TensorFlow Lite schema is not one that is converted")
            self.emitters[code](operator)
        size = self._shape(self.graph.Inputs(0))[1]
        outputs = sorted(self.graph.OutputsAsNumpy().tolist(), key=lambda tensor: self._shape(tensor)[2])
        finals = []
        for tensor, name in zip(outputs, ("scores", "boxes"), strict=True):
            self.nodes.append(helper.make_node("Identity", [self.names[tensor]], [name]))
            finals.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *self._shape(tensor)[1:]]))
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size, size])
        graph = helper.make_graph(self.nodes, "blazeface", [image], finals[::-1], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _shape(self, tensor: int) -> list[int]:
        return [int(n) for n in self.graph.Tensors(tensor).ShapeAsNumpy()]

    def _value(self, tensor: int) -> NDArray[Any] | None:
        """The constant that a tensor holds, densified if it is stored by rows of non-zeros; None if it is computed."""
        if tensor in self.constants:
            return self.constants[tensor]
        description = self.graph.Tensors(tensor)
        buffer = self.model.Buffers(description.Buffer())
        if not buffer.DataLength():
            return None
        if description.Type() not in _DTYPES:
            raise UnsupportedModel(f"tensor {tensor} has type {description.Type()}")
        stored = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[description.Type()])
        shape = self._shape(tensor)
        sparsity = description.Sparsity()
        value = stored.reshape(shape) if sparsity is None else _densify(stored, shape, sparsity)
        self.constants[tensor] = value
        return value

    def _emit(self, kind: str, inputs: list[str], operator: Any, **attributes: Any) -> str:
        tensor = int(operator.Outputs(0))
        name = f"t{tensor}"
        activation = attributes.pop("activation", tflite.ActivationFunctionType.NONE)
        before = name if activation == tflite.ActivationFunctionType.NONE else f"{name}_linear"
        self.nodes.append(helper.make_node(kind, inputs, [before], **attributes))
        if activation == tflite.ActivationFunctionType.RELU:
            self.nodes.append(helper.make_node("Relu", [before], [name]))
        elif activation != tflite.ActivationFunctionType.NONE:
            raise UnsupportedModel(f"fused activation {activation}")
        self.names[tensor] = name
        return name

    def _weight(self, name: str, value: NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        if value.dtype != np.float16:
            return name
        self.nodes.append(helper.make_node("Cast", [name], [f"{name}_f32"], to=TensorProto.FLOAT))
        return f"{name}_f32"

    def _constant(self, operator: Any) -> None:
        value = self._value(int(operator.Inputs(0)))
        if value is None:
            raise UnsupportedModel("a computed tensor is dequantised or densified")
        self.constants[int(operator.Outputs(0))] = value

    def _convolution(self, operator: Any) -> None:
        source, kernel, bias = (int(tensor) for tensor in operator.InputsAsNumpy())
        depthwise = operator.BuiltinOptionsType() == tflite.BuiltinOptions.DepthwiseConv2DOptions
        options = _options(operator, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
        weight, offset = self._value(kernel), self._value(bias)
        if weight is None or offset is None:
            raise UnsupportedModel("a convolution whose weights are computed")
        if depthwise and options.DepthMultiplier() != 1:
            raise UnsupportedModel("a depthwise convolution with a multiplier")
        # (1,h,w,C) -> (C,1,h,w) for depthwise, (O,h,w,I) -> (O,I,h,w) otherwise.
        weight = weight.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        strides = [options.StrideH(), options.StrideW()]
        out = int(operator.Outputs(0))
        self._emit(
            "Conv",
            [self.names[source], self._weight(f"w{out}", weight), self._weight(f"b{out}", offset)],
            operator,
            strides=strides,
            pads=self._pads(source, weight.shape[2:], strides, options.Padding()),
            group=weight.shape[0] if depthwise else 1,
            activation=options.FusedActivationFunction(),
        )

    def _pads(self, source: int, window: tuple[int, ...], strides: list[int], padding: int) -> list[int]:
        """ONNX pads for TensorFlow's padding: SAME puts the odd pixel at the end, which auto_pad=SAME_UPPER does too,
        but explicit pads keep the graph free of it."""
        if padding == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        before, after = [], []
        for length, size, stride in zip(self._shape(source)[1:3], window, strides, strict=True):
            total = max((-(-length // stride) - 1) * stride + size - length, 0)
            before.append(total // 2)
            after.append(total - total // 2)
        return before + after

    def _add(self, operator: Any) -> None:
        activation = _options(operator, tflite.AddOptions).FusedActivationFunction()
        self._emit("Add", [self.names[int(t)] for t in operator.InputsAsNumpy()], operator, activation=activation)

    def _relu(self, operator: Any) -> None:
        self._emit("Relu", [self.names[int(operator.Inputs(0))]], operator)

    def _pad(self, operator: Any) -> None:
        source, amounts = (int(tensor) for tensor in operator.InputsAsNumpy())
        value = self._value(amounts)
        if value is None:
            raise UnsupportedModel("a padding that is computed")
        pads = self._weight(f"p{int(operator.Outputs(0))}", value[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64))
        self._emit("Pad", [self.names[source], pads], operator)

    def _max_pool(self, operator: Any) -> None:
        options = _options(operator, tflite.Pool2DOptions)
        source = int(operator.Inputs(0))
        window = (options.FilterHeight(), options.FilterWidth())
        strides = [options.StrideH(), options.StrideW()]
        pads = self._pads(source, window, strides, options.Padding())
        self._emit("MaxPool", [self.names[source]], operator, kernel_shape=list(window), strides=strides, pads=pads)

    def _reshape(self, operator: Any) -> None:
        source, out = int(operator.Inputs(0)), int(operator.Outputs(0))
        name = self.names[source]
        if len(self._shape(source)) == 4:
            self.nodes.append(helper.make_node("Transpose", [name], [f"{name}_nhwc"], perm=[0, 2, 3, 1]))
            name = f"{name}_nhwc"
        shape = self._weight(f"s{out}", np.array([0, *self._shape(out)[1:]], np.int64))
        self._emit("Reshape", [name, shape], operator)

    def _concatenation(self, operator: Any) -> None:
        axis = _options(operator, tflite.ConcatenationOptions).Axis()
        if len(self._shape(int(operator.Outputs(0)))) == 4:
            raise UnsupportedModel("a concatenation of images")
        self._emit("Concat", [self.names[int(t)] for t in operator.InputsAsNumpy()], operator, axis=axis)

    def _resize(self, operator: Any) -> None:
        options = _options(operator, tflite.ResizeBilinearOptions)
        if options.AlignCorners() or not options.HalfPixelCenters():
            raise UnsupportedModel("a resize without half-pixel centres")
        source, out = int(operator.Inputs(0)), int(operator.Outputs(0))
        before, after = self._shape(source), self._shape(out)
        scales = self._weight(f"r{out}", np.array([1, 1, after[1] / before[1], after[2] / before[2]], np.float32))
        self._emit(
            "Resize",
            [self.names[source], "", scales],
            operator,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )

    def _depth_to_space(self, operator: Any) -> None:
        block = _options(operator, tflite.DepthToSpaceOptions).BlockSize()
        self._emit("DepthToSpace", [self.names[int(operator.Inputs(0))]], operator, blocksize=block, mode="DCR")


def _options(operator: Any, kind: Any) -> Any:
    options = kind()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _densify(stored: NDArray[Any], shape: list[int], sparsity: Any) -> NDArray[Any]:
    """A dense array from compressed rows over the last axis, the one sparse layout that the detectors use."""
    formats = [sparsity.DimMetadata(axis).Format() for axis in range(sparsity.DimMetadataLength())]
    dense, compressed = tflite.DimensionType.DENSE, tflite.DimensionType.SPARSE_CSR
    if formats != [dense, dense, dense, compressed] or sparsity.BlockMapLength():
        raise UnsupportedModel("a sparse tensor that is not in compressed rows over its last axis")
    last = sparsity.DimMetadata(3)
    segments = _index_vector(last.ArraySegmentsType(), last.ArraySegments())
    indices = _index_vector(last.ArrayIndicesType(), last.ArrayIndices())
    rows = np.zeros((int(np.prod(shape[:3])), shape[3]), stored.dtype)
    rows[np.repeat(np.arange(len(rows)), np.diff(segments)), indices] = stored
    return rows.reshape(shape)


def _index_vector(kind: int, table: Any) -> NDArray[np.int64]:
    kinds = {
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
    }
    vector = kinds[kind]()
    vector.Init(table.Bytes, table.Pos)
    values: NDArray[np.int64] = vector.ValuesAsNumpy().astype(np.int64)
    return values


def convert(content: bytes, source: str) -> onnx.ModelProto:
    """`content` of a .tflite file -> ONNX model whose metadata name the source, its sha256 and its licence."""
    model = Converter(content).convert()
    digest = hashlib.sha256(content).hexdigest()
    helper.set_model_props(model, {"source": source, "source_sha256": digest, "licence": "Apache-2.0"})
    return model


def largest_difference(content: bytes, model: onnx.ModelProto, photos: list[Path]) -> float:
    """Largest difference between the TensorFlow Lite interpreter and onnxruntime on `photos`, over all outputs, as a
    share of the output's largest value.

    Needs `ai-edge-litert`, `onnxruntime` and `pillow`.
    """
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter
    from PIL import Image

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    entrance = interpreter.get_input_details()[0]
    exits = {int(detail["shape"][2]): detail["index"] for detail in interpreter.get_output_details()}
    size = int(entrance["shape"][1])
    worst = 0.0
    for photo in photos:
        pixels = np.asarray(Image.open(photo).convert("RGB").resize((size, size)), np.float32)[None] / 127.5 - 1
        interpreter.set_tensor(entrance["index"], pixels)
        interpreter.invoke()
        results = session.run(["boxes", "scores"], {"image": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))})
        for result in results:
            expected = interpreter.get_tensor(exits[result.shape[2]])
            worst = max(worst, float(np.max(np.abs(result - expected)) / np.max(np.abs(expected))))
    return worst


def main(arguments: list[str] | None = None) -> int:
    """Convert, optionally verify; the exit status is 1 when the outputs differ by more than `TOLERANCE`."""
    parser = argparse.ArgumentParser(description="Convert MediaPipe's face detector to ONNX.")
    parser.add_argument("wheel", type=Path, help="a mediapipe wheel (or the .tflite file itself)")
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    parser.add_argument("--range", choices=sorted(MODELS), default="short", help="which of the two detectors")
    parser.add_argument("--verify", type=Path, nargs="+", default=[], metavar="PHOTO", help="compare on these photos")
    options = parser.parse_args(arguments)
    member = MODELS[options.range]
    if options.wheel.suffix == ".tflite":
        content, source = options.wheel.read_bytes(), options.wheel.name
    else:
        with zipfile.ZipFile(options.wheel) as wheel:
            content, source = wheel.read(member), f"{options.wheel.name}: {member}"
    model = convert(content, source)
    options.output.write_bytes(model.SerializeToString())
    print(f"{options.output}: {options.output.stat().st_size} bytes")
    if options.verify:
        worst = largest_difference(content, model, options.verify)
        print(f"largest difference from TensorFlow Lite on {len(options.verify)} photos: {worst:.2e}")
        return int(worst > TOLERANCE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
