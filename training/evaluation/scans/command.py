"""`likeness evaluate scans`: a bundle on rendered people of a face model, whose own meshes are the scans."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="SCANS", help="ICT-FaceKit's FaceXModel, or packed"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="people drawn from it: `likeness render --population ict.npz --photos 5 --yaws 0,30,55,-30,-55`",
    )  # fmt: skip
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle (default: the one that ships)")
    parser.add_argument("--together", default="2,5", metavar="N,...", help="also heads of the first N photos (2,5)")
    parser.add_argument("--refine", choices=("on", "off"), default="on", help="the fit after the network (default: on)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N people")
    parser.add_argument("--output", type=Path, metavar="JSON", help="also write the figures into this file")


def run(args: argparse.Namespace) -> int:
    """Prints the table; returns 0, or 2 when bundle, model or data are wrong."""
    from tqdm import tqdm

    from backend.failures import Failure
    from backend.pipeline import Reconstructor
    from training.evaluation.scans.subjects import Scored, Scorer, compared, subjects
    from training.registration.models.ict import read_ict

    try:
        reconstructor = Reconstructor.open(args.bundle)
    except Failure as failure:
        print(f"likeness evaluate scans: {failure}", file=sys.stderr)
        return 2
    model = read_ict(args.model)
    scorer, refine = Scorer(reconstructor, model), args.refine == "on"
    scores: dict[str, list[Scored | None]] = {}
    people = list(subjects(args.data, model.name))[: args.limit]
    for person in tqdm(people, desc="people", unit="person"):
        control = scorer.control(person)
        for number, yaw in enumerate(person.yaws):
            scores.setdefault(f"{abs(yaw):.0f}°", []).append(scorer.score(person, [number], control, refine))
        for count in (int(text) for text in args.together.split(",") if text):
            if count <= len(person.photos):
                scores.setdefault(f"{count} photos", []).append(scorer.score(person, range(count), control, refine))
    figures = {name: compared(part) for name, part in scores.items()}
    print("| photo | heads | median, mm | mean head | ratio | worse than the mean head | no face |")
    print("|---|---|---|---|---|---|---|")
    for name, f in figures.items():
        print(
            f"| {name} | {f.count} | {f.ours:.3f} | {f.control:.3f} | **{f.ratio:.3f}** | {100 * f.worse:.0f} % "
            f"| {f.missing} |"
        )
    if args.output:
        record = {name: asdict(part) for name, part in figures.items()}
        args.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0
