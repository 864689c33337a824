"""Opens ONNX networks: on CUDA where this Python has it and it was asked for, on the CPU otherwise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from .failures import Failure

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
THREADS: Final = min(4, os.cpu_count() or 1)
"""More threads than this gain nothing on networks of this size and take the cores from Blender."""

_FATAL = 4


def open_session(content: bytes, *, accelerated: bool) -> InferenceSession:
    """A session for the ONNX model `content`. `accelerated` lets it run on CUDA; small networks are faster without.

    Raises Failure `runtime_missing` when onnxruntime cannot be imported, and onnxruntime's own exceptions, all of
    them `Exception`s, when `content` is not a model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise Failure("runtime_missing") from error
    # onnxruntime-gpu without a driver warns about it on every start; the provider in use is reported anyway.
    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = _FATAL
    # Threads that spin while they wait for work would slow Blender down.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    available = onnxruntime.get_available_providers()
    providers = [CUDA, CPU] if accelerated and CUDA in available else [CPU]
    return onnxruntime.InferenceSession(content, options, providers=providers)
