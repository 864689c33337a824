"""The trained network as the ONNX file that the backend runs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from backend.closeup import CHANNELS, PIXEL_MM
from training.detail.network import DetailNetwork

LICENCE = "CC0-1.0"

_DIFFERENCE_MM = 1e-4


def export(network: DetailNetwork, path: Path) -> None:
    """Writes the file: ``channels`` (1,C,h,w) -> ``height`` (1,h,w) mm. Raises ``ValueError`` when it computes anything
    else than the network.
    """
    import onnx

    network = network.eval().to(memory_format=torch.contiguous_format)
    example = torch.zeros(1, len(CHANNELS), 64, 96)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=["channels"],
            output_names=["height"],
            dynamic_axes={"channels": {2: "rows", 3: "columns"}, "height": {1: "rows", 2: "columns"}},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(path))
    for name, value in {"channels": ",".join(CHANNELS), "pixel_mm": str(PIXEL_MM), "licence": LICENCE}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    model.doc_string = "Fine relief of a face's skin from its shading. Trained on renders of Likeness' own."
    onnx.save(model, str(path))
    _check(network, path)


def _check(network: DetailNetwork, path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    channels = np.random.default_rng(0).standard_normal((1, len(CHANNELS), 72, 104)).astype(np.float32)
    (found,) = session.run(["height"], {"channels": channels})
    with torch.no_grad():
        expected = network(torch.from_numpy(channels)).numpy()
    if np.abs(found - expected).max() > _DIFFERENCE_MM:
        raise ValueError(f"{path} gives other heights than the network: try another version of onnx.")
