"""Installs the CPU build of PyTorch that constraints.txt pins into the Python that runs this file.

On Linux PyPI's own build of torch drags in some gigabytes of CUDA libraries; the CPU build lies on PyTorch's index.
That index is asked first, with a short time limit, and left aside where it cannot be reached. A build that needs CUDA
is never installed unasked: set LIKENESS_TORCH=cuda to have it. LIKENESS_TORCH_INDEX names another index.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

INDEX = os.environ.get("LIKENESS_TORCH_INDEX", "https://download.pytorch.org/whl/cpu")
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
SECONDS = 10


def pinned() -> str:
    """Return the version of torch that constraints.txt pins."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("torch==") for line in lines if line.startswith("torch=="))


def installed() -> str | None:
    """Return the installed version of torch without its build tag, or None."""
    try:
        return version("torch").split("+")[0]
    except PackageNotFoundError:
        return None


def reachable(index: str) -> bool:
    """Tell whether the index answers within some seconds."""
    try:
        with urllib.request.urlopen(f"{index.rstrip('/')}/torch/", timeout=SECONDS):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


def pip(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run pip of this Python."""
    command = [sys.executable, "-m", "pip", "install", "--no-compile", "--constraint", str(CONSTRAINTS), *arguments]
    return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if capture else None)


def needs_cuda(arguments: list[str]) -> bool | None:
    """Tell whether the torch that pip would choose needs CUDA's packages; None if pip finds no torch at all."""
    dry = pip("--quiet", "--dry-run", "--no-deps", "--ignore-installed", "--report", "-", *arguments, capture=True)
    if dry.returncode:
        return None
    requires = json.loads(dry.stdout)["install"][0]["metadata"].get("requires_dist", [])
    return any(name.startswith(("nvidia-", "cuda-", "triton")) and "extra ==" not in name for name in requires)


def main() -> int:
    """Install torch; return 0 if it is there, 1 otherwise."""
    if installed() == pinned():
        return 0
    arguments = [f"torch=={pinned()}"]
    if os.environ.get("LIKENESS_TORCH") == "cuda":
        return pip(*arguments).returncode
    if sys.platform == "linux":
        if reachable(INDEX):
            arguments += ["--extra-index-url", INDEX]  # there the version ends in +cpu, which pip ranks above none
        else:
            print(
                f"PyTorch's index of CPU builds, {INDEX}, does not answer; trying pip's own indexes.", file=sys.stderr
            )
        match needs_cuda(arguments):
            case None:
                return 1  # pip has said why
            case True:
                print(
                    f"The only build of torch {pinned()} in reach needs CUDA's packages (some gigabytes), so it was "
                    f"not installed.\nRun this again when {INDEX} can be reached, name a mirror of it in "
                    "LIKENESS_TORCH_INDEX,\nor accept the CUDA build with LIKENESS_TORCH=cuda.",
                    file=sys.stderr,
                )
                return 1
    return pip(*arguments).returncode


if __name__ == "__main__":
    raise SystemExit(main())
