"""`likeness evaluate components`: the recipe's whole report, in one command.

likeness evaluate components --objects data/objects --heads data/heads --faces data/faces --output report
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_STUDIES = ("full", "quick", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--objects", type=Path, metavar="DIR", help="objects that `likeness render-objects` rendered")
    parser.add_argument("--heads", type=Path, metavar="DIR", help="heads that it rendered at three poses")
    parser.add_argument("--faces", type=Path, metavar="DIR", help="faces that `likeness render` rendered")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder for report.md, report.json and pictures"
    )
    parser.add_argument("--study", choices=_STUDIES, default="full", help="how much is tried (default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="use only the first N things of each folder")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run(args: argparse.Namespace) -> int:
    """Makes the report; returns 0, or 2 when options are wrong. Raises ValueError, OSError."""
    import torch

    from training.recipes.components.report.build import Options, Source, build
    from training.recipes.components.report.study import STUDIES

    named = {"Objects": args.objects, "Heads at three poses": args.heads, "Rendered faces": args.faces}
    sources = [Source(title, folder, args.limit) for title, folder in named.items() if folder is not None]
    if not sources:
        print("likeness evaluate components: give --objects, --heads or --faces", file=sys.stderr)
        return 2
    if args.threads:
        torch.set_num_threads(args.threads)
    args.output.mkdir(parents=True, exist_ok=True)
    build(sources, Options(STUDIES[args.study], args.output))
    print((args.output / "report.md").read_text(encoding="utf-8"))
    return 0
