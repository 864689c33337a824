"""`likeness evaluate inverse`: the recipe's tables and pictures, by one command.

likeness evaluate inverse --output REPORT --populations ANNY:0.3 ICT:0.7 --study quick
likeness evaluate inverse --output REPORT --model MODEL --data PHOTOS --test RENDERED --populations ANNY:0.3 ICT:0.7
"""

from __future__ import annotations

import argparse
from pathlib import Path

_STUDIES = ("quick", "product", "full", "brief", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report.md and the rest")
    parser.add_argument("--study", choices=_STUDIES, default="quick", help="how long runs are (default: %(default)s)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="photos or rendered faces to breed towards (default: a drawn set)"
    )
    parser.add_argument(
        "--test", type=Path, metavar="DIR", help="rendered faces of other people to score on (default: a drawn set)"
    )
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (default: OUTPUT/runs)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many photos and test faces")
    parser.add_argument(
        "--populations", nargs="+", default=[], metavar="FILE[:WEIGHT]", help="make the face model of these"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="a face model that is made already (model.npz)")
    parser.add_argument("--heads", type=int, default=1500, metavar="N", help="heads that it is made of (default: 1500)")
    parser.add_argument(
        "--detector", type=Path, metavar="BUNDLE", help="finds landmarks (default: the product's bundle)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run(args: argparse.Namespace) -> int:
    """Writes the report; returns 0. Raises `ValueError` for wrong options or data, `OSError`."""
    import torch

    from training.populations.files import load_populations
    from training.recipes.inverse.report.build import Inputs, build
    from training.recipes.inverse.report.study import STUDIES
    from training.recipes.parametric import face_model
    from training.recipes.photos import BundleFinder

    if args.threads:
        torch.set_num_threads(args.threads)
    photos = args.data is not None or args.test is not None
    inputs = Inputs(
        model=face_model(args, args.output / "model.npz"),
        photos=args.data,
        test=args.test,
        finder=BundleFinder(args.detector) if photos else None,
        population=load_populations(args.populations) if args.populations and args.test is not None else None,
        limit=args.limit,
    )
    figures = build(STUDIES[args.study](), inputs, args.output, args.runs)
    print(f"{args.output / 'report.md'}:")
    for bar in figures["bars"]:
        print(f"  {bar['bar']}: {bar['figure']:.3f} (limit {bar['limit']:.3f}){'' if bar['met'] else ', NOT MET'}")
    return 0
