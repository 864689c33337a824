"""`likeness evaluate default`: a bundle, by the product's whole way from a picture to a head."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle (default: the one that ships)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="rendered faces of unseen people")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="photos with a landmarks.csv: image, x00, y00, ... of 68 iBUG points"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N rendered faces")
    parser.add_argument("--refine", choices=("on", "off"), default="on", help="the fit after the network (default: on)")
    parser.add_argument("--output", type=Path, metavar="JSON", help="also write the figures into this file")
    parser.add_argument(
        "--ablation",
        type=Path,
        metavar="RUNS",
        help="train the recipe on --train with each part off, in turn, and measure it on --data; goes on if stopped",
    )
    parser.add_argument("--train", type=Path, metavar="DIR", help="rendered faces for --ablation")
    parser.add_argument("--steps", type=int, default=600, metavar="N", help="of each run of --ablation (default: 600)")


def run(args: argparse.Namespace) -> int:
    """Prints the tables; returns 0, or 2 when bundle or data are wrong."""
    from backend.failures import Failure
    from backend.pipeline import Reconstructor
    from training.evaluation.product.measure import correlations, figures, groups, measure, people, photos
    from training.evaluation.product.table import tables

    if args.ablation is not None:
        return _ablation(args)
    if args.data is None and args.photos is None:
        print("likeness evaluate default: name rendered faces with --data, or photos with --photos", file=sys.stderr)
        return 2
    try:
        reconstructor = Reconstructor.open(args.bundle)
    except Failure as failure:
        print(f"likeness evaluate default: {failure}", file=sys.stderr)
        return 2
    refine, record = args.refine == "on", dict[str, Any]()
    if args.data is not None:
        rows = measure(reconstructor, list(people(args.data, args.limit)), refine)
        names = reconstructor.bundle.description["expression_names"]
        print(tables(rows, names))
        record["rendered"] = {
            "all": asdict(figures(rows)),
            "groups": {
                table: {name: asdict(figures(part)) for name, part in parts.items()}
                for table, parts in groups(rows).items()
            },
            "expression": dict(zip(names, (round(float(v), 4) for v in correlations(rows)), strict=True)),
            "visible": dict(zip(names, (round(float(v), 4) for v in correlations(rows, visible=True)), strict=True)),
        }
    if args.photos is not None:
        found = photos(reconstructor, args.photos, refine)
        print(
            f"{found.found} of {found.count} faces found; eight re-projected points {100 * found.plain:.2f} % of the "
            f"outer-eye distance (median {100 * found.median:.2f} %), {100 * found.corrected:.2f} % with each point's "
            f"constant offset taken out; {100 * found.above:.1f} % of the photos above 10 %. The network's own points: "
            f"{100 * found.direct[0]:.2f} %, {100 * found.direct[1]:.2f} %."
        )
        record["photos"] = asdict(found)
    if args.output:
        args.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _ablation(args: argparse.Namespace) -> int:
    from backend.bundle import default_folder
    from training.dataset import read_faces
    from training.recipes.default.study import ablation, table

    if args.data is None or args.train is None:
        raise ValueError("--ablation needs --train, rendered faces to learn from, and --data, other people's")
    args.ablation.mkdir(parents=True, exist_ok=True)
    faces, test = read_faces(args.train, args.limit), read_faces(args.data)
    print(table(ablation(faces, test, args.bundle or default_folder(), args.ablation, args.steps)))
    return 0
