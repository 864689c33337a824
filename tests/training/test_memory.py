from __future__ import annotations

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import numpy as np
from training.memory import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(3)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2_000_000)
before = faults()
for _ in range(40):
    np.ones(2_000_000)
print(faults() - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _FAULTS, how], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this system's allocator takes no advice")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_freed_arrays_are_not_mapped_anew() -> None:
    kept = page_faults("keep")
    # 40 arrays of 16 MB are 160,000 pages.
    assert kept < 10_000
