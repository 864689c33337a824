"""A small bundle for objects whose network needs no training: the grid is the picture's silhouette, 8 voxels deep."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

SIZE, RESOLUTION = 32, 16


def write_objects_bundle(folder: Path) -> Path:
    """Write the bundle into `folder` (made if absent) and return it; needs `onnx`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    depth = np.zeros((1, 1, RESOLUTION, 1), np.float32)
    depth[:, :, 4:12] = 1
    nodes = [
        # Darkness averaged over 2 x 2 pixels, rows (downwards) and columns (to the right).
        helper.make_node("AveragePool", ["image"], ["grey"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Sub", ["one", "grey"], ["dark"]),
        helper.make_node("Mul", ["dark", "three"], ["strong"]),
        helper.make_node("Clip", ["strong", "zero", "one"], ["face"]),
        # Upwards is z, to the right is x: (B,1,z,x) turned over and moved to (B,x,1,z).
        helper.make_node("Slice", ["face", "last", "before", "axis", "back"], ["upright"]),
        helper.make_node("Transpose", ["upright"], ["plane"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["plane", "depth"], ["occupancy"]),
    ]
    constants = {
        "one": np.float32(1),
        "zero": np.float32(0),
        "three": np.float32(3),
        "last": np.array([-1]),
        "before": np.array([-1000]),
        "axis": np.array([2]),
        "back": np.array([-1]),
        "depth": depth,
    }
    graph = helper.make_graph(
        nodes,
        "objects",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["B", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("occupancy", TensorProto.FLOAT, ["B", *(RESOLUTION,) * 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    (folder / "objects.onnx").write_bytes(content)
    description = {
        "schema": 1,
        "name": "silhouette",
        "method": "components-objects",
        "recipe": "synthetic",
        "commit": "0" * 40,
        "resolution": RESOLUTION,
        "threshold": 0.5,
        "classes": ["chair"],
        "regressor": {"file": "objects.onnx", "size": SIZE, "outputs": ["occupancy"]},
        "licences": [],
        "files": {"objects.onnx": hashlib.sha256(content).hexdigest()},
    }
    (folder / "bundle.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    return folder
