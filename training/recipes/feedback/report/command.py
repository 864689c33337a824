"""`likeness evaluate feedback`: the recipe's tables and pictures, by one command.

likeness evaluate feedback --output REPORT --populations ANNY:0.3 ICT:0.7 --study quick
"""

from __future__ import annotations

import argparse
from pathlib import Path

_STUDIES = ("quick", "product", "full", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report.md and the rest")
    parser.add_argument("--study", choices=_STUDIES, default="quick", help="how long runs are (default: %(default)s)")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (default: OUTPUT/runs)")
    parser.add_argument(
        "--populations", nargs="+", default=[], metavar="FILE[:WEIGHT]", help="make the face model of these"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="a face model that is made already (model.npz)")
    parser.add_argument("--heads", type=int, default=1500, metavar="N", help="heads that it is made of (default: 1500)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run(args: argparse.Namespace) -> int:
    """Writes the report; returns 0. Raises `ValueError` for wrong options or data, `OSError`."""
    import torch

    from training.recipes.feedback.report.build import build
    from training.recipes.feedback.report.study import STUDIES
    from training.recipes.parametric import face_model

    if args.threads:
        torch.set_num_threads(args.threads)
    figures = build(STUDIES[args.study](), face_model(args, args.output / "model.npz"), args.output, args.runs)
    print(f"{args.output / 'report.md'}:")
    for bar in figures["bars"]:
        print(f"  {bar['bar']}: {bar['figure']:.3f} (limit {bar['limit']:.3f}){'' if bar['met'] else ', NOT MET'}")
    return 0
