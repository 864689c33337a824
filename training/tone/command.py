"""`likeness fit-tone`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.tone.fit import fit, measure, report
from training.whole_file import whole_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="the bundle, which is changed")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="rendered faces that nothing will be measured on"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use only the first N faces")


def run(args: argparse.Namespace) -> int:
    """Changes the bundle and prints what that is worth; returns 0, or 2 when bundle or data are wrong."""
    from backend.bundle import DESCRIPTION
    from backend.failures import Failure

    try:
        table = measure(args.bundle, args.data, args.limit)
        known = fit(table)
        path = args.bundle / DESCRIPTION
        description = json.loads(path.read_text(encoding="utf-8"))
        info = json.loads((args.data / "dataset.json").read_text(encoding="utf-8"))
        description["tone"] = known | {"faces": len(table.change), "seed": info["seed"]}
        with whole_file(path) as stream:
            stream.write((json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())
    except (Failure, OSError, ValueError, KeyError) as error:
        print(f"likeness fit-tone: {error}", file=sys.stderr)
        return 2
    print(report(table))
    return 0
