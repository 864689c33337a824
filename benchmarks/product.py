"""How long a photo takes, stage by stage, once everything is loaded: localiser, network (two looks), fit, tone.

    python benchmarks/product.py [PHOTO] [--bundle DIR] [--threads 2] [--rounds 30]

Medians in milliseconds of a warm reconstructor in this process. The photo is decoded each time, because a user's photo
is a new one each time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Print a line for each stage, and their sum without decoding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=ROOT / "docs" / "samples" / "eileen_collins.jpg")
    parser.add_argument("--bundle", type=Path, metavar="DIR")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    import numpy as np

    from backend.pipeline import Reconstructor

    reconstructor, content = Reconstructor.open(options.bundle), options.photo.read_bytes()
    stages: dict[str, list[float]] = {}
    for number in range(options.rounds + 3):
        started = time.perf_counter()
        answer = reconstructor.reconstruct(content)
        whole = time.perf_counter() - started
        if number >= 3:
            for name, seconds in (*answer.seconds.items(), ("all", whole)):
                stages.setdefault(name, []).append(seconds)
    medians = {name: 1000 * float(np.median(seconds)) for name, seconds in stages.items()}
    for name, median in medians.items():
        print(f"{name:12} {median:7.1f} ms")
    print(f"{'without decoding':12} {medians['all'] - medians['decode']:.1f} ms on {options.threads} cores")
    return 0


if __name__ == "__main__":
    sys.exit(main())
