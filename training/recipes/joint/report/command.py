"""`likeness evaluate joint`: a bundle's figures, or the recipe's whole report.

likeness evaluate joint --bundle BUNDLE --data TEST
likeness evaluate joint --report REPORT --data TRAIN --test TEST [--shipped RUN] [--bundle BUNDLE]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.recipes.reports import told

_STUDIES = ("full", "quick", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="an exported bundle")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="faces of unseen people; for the report, training faces"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the bundle's report.md and report.json")
    parser.add_argument("--limit", type=int, metavar="N", help="use only the first N faces of --data")
    report = parser.add_argument_group("the recipe's report")
    report.add_argument("--report", type=Path, metavar="DIR", help="folder for report.md, report.json and pictures")
    report.add_argument("--test", type=Path, metavar="DIR", help="rendered faces of unseen people")
    report.add_argument("--poses", type=Path, metavar="DIR", help="further unseen faces, for the pose curve alone")
    report.add_argument("--runs", type=Path, metavar="DIR", help="folder of the compared runs (default: REPORT/runs)")
    report.add_argument(
        "--shipped", type=Path, metavar="RUN", help="the shipped run (default: trained like the others)"
    )
    report.add_argument("--study", choices=_STUDIES, default="full", help="how long runs are (default: %(default)s)")
    report.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def run(args: argparse.Namespace) -> int:
    """Prints the figures or writes the report; returns 0, or 2 when options are wrong. Raises ValueError, OSError."""
    if args.report is not None:
        return _report(args)
    if args.bundle is None:
        print("likeness evaluate joint: give --bundle, or --report for the recipe's report", file=sys.stderr)
        return 2
    from training.dataset import read_faces
    from training.evaluation.heads import evaluate, markdown, report
    from training.evaluation.regressor import load_bundle

    bundle = load_bundle(args.bundle)
    figures = report(evaluate(bundle, read_faces(args.data, args.limit, reflectance=False)))
    text = markdown(figures, str(bundle.description["name"]))
    print(text)
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "report.md").write_text(text, encoding="utf-8")
        record = {"bundle": bundle.description["name"], "files": bundle.description["files"], **figures}
        (args.output / "report.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _report(args: argparse.Namespace) -> int:
    if args.test is None:
        print("likeness evaluate joint: --report needs --test, faces of people that --data has not", file=sys.stderr)
        return 2
    import torch

    from training.dataset import read_faces
    from training.evaluation.regressor import load_bundle
    from training.recipes.joint.report.build import Inputs, build
    from training.recipes.joint.report.study import STUDIES

    if args.threads:
        torch.set_num_threads(args.threads)
    inputs = Inputs(
        training=read_faces(args.data, args.limit),
        test=read_faces(args.test, reflectance=False),
        poses=None if args.poses is None else read_faces(args.poses, reflectance=False),
        bundle=None if args.bundle is None else load_bundle(args.bundle),
        runs=args.runs or args.report / "runs",
        shipped=args.shipped,
    )
    figures = build(STUDIES[args.study](), inputs, args.report)
    print(told(args.report, figures["bars"]))
    return 0
