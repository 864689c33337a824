"""Memory that stays with the process: what a training frees it asks for again a moment later."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# malloc.h of glibc.
_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_MAX: Final = -4

_AHEAD: Final = 256 * 2**20


def keep_freed_memory() -> bool:
    """Tells glibc's allocator not to give freed arrays back to the system; whether it could be told.

    It maps arrays of some megabytes anew each time they are made, and the kernel fills every page with zeros: a quarter
    of a processor's time in networks of many small layers.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, _AHEAD))
    return all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in settings)
