"""`likeness evaluate RECIPE`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("recipe", choices=("joint",), help="which system's report to make")
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="an exported bundle")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="rendered faces of unseen people")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for report.md and report.json")
    parser.add_argument("--limit", type=int, metavar="N", help="use only the first N faces")


def run(args: argparse.Namespace) -> int:
    """Prints the figures; returns 0, or 2 when bundle or data are wrong."""
    from training.dataset import read_faces
    from training.evaluation.joint import evaluate, markdown, report
    from training.evaluation.regressor import load_bundle

    try:
        bundle = load_bundle(args.bundle)
        faces = read_faces(args.data, args.limit, reflectance=False)
        figures = report(evaluate(bundle, faces))
    except (OSError, ValueError) as error:
        print(f"likeness evaluate: {error}", file=sys.stderr)
        return 2
    text = markdown(figures, str(bundle.description["name"]))
    print(text)
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "report.md").write_text(text, encoding="utf-8")
        record = {"bundle": bundle.description["name"], "files": bundle.description["files"], **figures}
        (args.output / "report.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0
