"""How long a network takes for one picture, as the product runs it."""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

_WARM = 3


def milliseconds(network: nn.Module, size: int, threads: int = 2, repeats: int = 40) -> float:
    """Median time of one picture (1,3,size,size) through the network in ONNX Runtime on so many threads."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        plain = network.eval().to(memory_format=torch.contiguous_format)
        torch.onnx.export(plain, (torch.zeros(1, 3, size, size),), str(path), input_names=["image"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    image = np.zeros((1, 3, size, size), np.float32)
    times = []
    for _ in range(repeats + _WARM):
        started = time.perf_counter()
        session.run(None, {"image": image})
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[_WARM:])
