"""How much memory this process uses."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def memory_in_use() -> int | None:
    """Bytes that the process has in memory; None where the system does not tell."""
    if sys.platform == "win32":
        return _on_windows()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource  # which Windows has not

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes, and the most that it ever was


def _on_windows() -> int | None:
    """`WorkingSetSize` of PROCESS_MEMORY_COUNTERS (Windows API, psapi.h)."""

    class Counters(ctypes.Structure):
        _fields_ = (
            *(("cb", ctypes.c_ulong), ("PageFaultCount", ctypes.c_ulong)),
            *((name, ctypes.c_size_t) for name in ("PeakWorkingSetSize", "WorkingSetSize")),
            *((f"quota{index}", ctypes.c_size_t) for index in range(6)),
        )

    counters = Counters(ctypes.sizeof(Counters))
    kernel = ctypes.CDLL("kernel32")
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    known = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    return int(counters.WorkingSetSize) if known else None
