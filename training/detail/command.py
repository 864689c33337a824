"""``likeness train-detail``: the network that finds fine relief in photos, and its file.

likeness train-detail --data DATA/detail/train --output RUNS/detail --model backend/models/detail.onnx
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``likeness train-detail``."""
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="faces of `render-detail`; repeatable"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint; run again to go on")
    parser.add_argument("--model", type=Path, help="the file to write (default: detail.onnx in the output's folder)")
    parser.add_argument(
        "--population", action="append", default=[], metavar="FILE[:WEIGHT]",
        help="whom to simulate: a population file, or anny; repeat to mix several (default: anny)",
    )  # fmt: skip
    parser.add_argument("--simulated", type=int, default=160, help="simulated faces (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=5200, help="batches of 6 pieces (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="default: one per core")


def run(args: argparse.Namespace) -> int:
    """Trains and exports; 0 when the file is there, 2 on wrong use."""
    from training.detail.export import export
    from training.detail.faces import DetailDataError
    from training.detail.train import DetailRun, train
    from training.populations.files import ANNY, found, load_populations

    try:
        population = load_populations(tuple(found(one, args.output) for one in args.population or (ANNY,)))
        settings = DetailRun(batches=args.batches, seed=args.seed, simulated=args.simulated, threads=args.threads)
        network = train(args.data, population, settings, args.output)
        export(network, args.model or args.output / "detail.onnx")
    except (DetailDataError, ValueError, OSError) as error:
        sys.stderr.write(f"likeness train-detail: {error}\n")
        return 2
    return 0
