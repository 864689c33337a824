"""What makes training on processors fast: each of three means switched off, milliseconds a batch and ratios in one run.

    python benchmarks/training.py [--threads N]

A batch of 32 through the recipe `inverse`'s network of the configuration `trial`, forwards and backwards; 64 pictures
through the way back of the recipe `components`, many small arrays; a step of AdamW on a layer of 27,000 x 400. Every
figure is the median of a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROWS = (
    ("network, single precision", "network"),
    ("network, bfloat16", "network bfloat16"),
    ("pictures from codes, freed memory given back", "pictures give"),
    ("pictures from codes, freed memory kept", "pictures"),
    ("AdamW, one operation after the other", "adam"),
    ("AdamW, fused", "adam fused"),
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(measured(options.only.split(), options.threads))
        return 0
    print(f"{options.threads} threads\n\n| | ms | times as fast as the row before |\n|---|---|---|")
    before = 0.0
    for number, (title, what) in enumerate(ROWS):
        command = [sys.executable, __file__, "--threads", str(options.threads), "--only", what]
        took = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"| {title} | {1000 * took:.1f} | {f'{before / took:.1f}' if number % 2 else ''} |", flush=True)
        before = took
    return 0


def measured(what: list[str], threads: int) -> float:
    """Median seconds of what is named."""
    import torch

    from training.memory import keep_freed_memory

    torch.set_num_threads(threads)
    if "give" not in what:
        keep_freed_memory()
    if "adam" in what:
        weights = torch.nn.Parameter(torch.zeros(27_000, 400))
        weights.grad = torch.full_like(weights, 1e-3)
        return median(torch.optim.AdamW([weights], fused=True if "fused" in what else None).step)
    if "pictures" in what:
        from training.recipes.components.config import ENCODERS
        from training.recipes.components.encoders import ImageDecoder

        decoder = ImageDecoder(64, ENCODERS["convolutional"])
        codes = torch.randn(64, 60)
        return median(lambda: decoder(codes).square().mean().backward())
    from training.recipes.inverse.config import trial
    from training.recipes.inverse.network import InverseNetwork

    config = trial()
    config = replace(config, backbone=replace(config.backbone, bfloat16="bfloat16" in what))
    network = InverseNetwork(config).to(memory_format=torch.channels_last).train()
    images = torch.rand(32, 3, config.size, config.size).contiguous(memory_format=torch.channels_last)
    return median(lambda: network(images).square().mean().backward())


def median(work: Callable[[], object], times: int = 15) -> float:
    """Seconds of some calls, after three that are not counted."""
    taken = []
    for number in range(times + 3):
        started = time.perf_counter()
        work()
        if number >= 3:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
