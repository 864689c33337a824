"""What holds for all tests."""

from __future__ import annotations

import sys

# PyTorch looks for triton when a first optimiser is made. Triton and the software OpenGL that Blender draws with both
# carry LLVM, and whichever comes second into a process crashes it. Nothing here needs triton.
sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
