"""`likeness export`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from training.export.sources import describe, scans
from training.populations.files import ANNY, found, load_populations

if TYPE_CHECKING:
    from training.populations.identity import Population


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="RUN", help="folder of a training run")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the faces that it was trained on (those of joint and components)"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="faces that a run of default has never seen, to measure its errors on (default: those that it held out)",
    )
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="for default: several photos of unseen people (`likeness render --photos 4`), to measure how they agree",
    )
    parser.add_argument("--test", type=Path, metavar="DIR", help="faces of unseen people, for the model card's figures")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the bundle")
    parser.add_argument("--name", default="likeness-joint", help="name of the bundle (default: %(default)s)")
    parser.add_argument(
        "--smallest-share",
        type=float,
        default=2e-5,
        metavar="SHARE",
        help="drop identity columns with a smaller share of the variance (default: %(default)s)",
    )
    parser.add_argument("--columns", type=int, metavar="K", help="keep at most this many identity columns")
    parser.add_argument(
        "--finish",
        type=_strength,
        default="auto",
        metavar="STRENGTH",
        help="solve encoder and last layer in closed form, with this ridge; auto: the ridge that is best on the faces "
        "that the run held out; off: export the run as it was trained (default: auto)",
    )
    parser.add_argument(
        "--made-with",
        action="append",
        metavar="LINE",
        help="a command of the training that the model card shall show in place of the plain one (may be repeated)",
    )
    parser.add_argument(
        "--more", type=Path, nargs="+", default=[], metavar="DIR", help="for default: further folders, as in training"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="use only the first N faces of --data, as the training did"
    )
    parser.add_argument(
        "--detector",
        type=Path,
        metavar="BUNDLE",
        help="finds the landmarks that a run of feedback or inverse sees by (default: the product's bundle)",
    )
    parser.add_argument(
        "--population",
        action="append",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="population that the faces were drawn from, for the bundle's named sliders and licences; repeat as in "
        "`likeness render` (default: no named sliders)",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the bundle; returns 0, or 2 when run or data are wrong."""
    from training.dataset import read_faces
    from training.export.bundle import ExportOptions, export_bundle
    from training.export.default_command import export_run as export_default_run
    from training.export.default_command import is_default
    from training.export.model_card import CardFacts
    from training.export.objects_command import export
    from training.export.parametric_command import export_run, is_parametric
    from training.recipes.components.run import is_run
    from training.recipes.joint.data import fingerprint
    from training.recipes.joint.finish import finish
    from training.recipes.joint.run import load_run

    try:
        if is_default(args.checkpoint):
            if args.data is None:
                raise ValueError("name the faces that the run was trained on with --data")
            export_default_run(args)
            print((args.output / "MODEL_CARD.md").read_text(encoding="utf-8"))
            return 0
        if is_parametric(args.checkpoint):
            export_run(args)
            print((args.output / "MODEL_CARD.md").read_text(encoding="utf-8"))
            return 0
        if args.data is None:
            raise ValueError("name the faces that the run was trained on with --data")
        if is_run(args.checkpoint):
            export(args)
            print((args.output / "MODEL_CARD.md").read_text(encoding="utf-8"))
            return 0
        trained = load_run(args.checkpoint)
        faces = read_faces(args.data, args.limit)
        if fingerprint(faces) != trained.data:
            raise ValueError(f"{args.data} is not what {args.checkpoint} was trained on (check --limit)")
        solved = None
        if args.finish != "off":
            solved = finish(trained, faces, None if args.finish == "auto" else args.finish)
            trained = solved.run
        test = read_faces(args.test, reflectance=False) if args.test else None
        population = None
        if args.population:
            population = load_populations([found(spec, args.data) for spec in args.population])
        facts = CardFacts(_commands(args, population, trained.config.name, trained.step), solved)
        options = ExportOptions(args.name, args.smallest_share, args.columns, population, describe(args.data))
        description = export_bundle(trained, faces, test, args.output, options, facts)
    except (OSError, ValueError) as error:
        print(f"likeness export: {error}", file=sys.stderr)
        return 2
    megabytes = sum(path.stat().st_size for path in args.output.iterdir()) / 1e6
    print(f"{args.output}: {description['identity']} identity columns, {megabytes:.1f} MB")
    print((args.output / "MODEL_CARD.md").read_text(encoding="utf-8"))
    return 0


def _strength(text: str) -> float | str:
    if text in ("auto", "off"):
        return text
    strength = float(text)
    if strength <= 0:
        raise argparse.ArgumentTypeError("a ridge is larger than 0; --finish off exports the run as it was trained")
    return strength


def _commands(args: argparse.Namespace, population: Population | None, config: str, steps: int) -> tuple[str, ...]:
    """What to type to make this bundle again, with folders named for what they hold."""
    registered = scans(population)
    lines = [f"likeness register SCANS --output {part.name}.npz   # {part.source}" for part in registered]
    lines.append(_render_command(args.data, "data/train"))
    if args.test:
        lines.append(_render_command(args.test, "data/test"))
    limit = f" --limit {args.limit}" if args.limit else ""
    plain = f"likeness train joint --config {config} --data data/train --output runs/joint --steps {steps}{limit}"
    lines += args.made_with or [plain]
    export = f"likeness export --checkpoint runs/joint --data data/train{limit}"
    export += " --test data/test" if args.test else ""
    export += f" --output backend/bundles/default --name {args.name} --smallest-share {args.smallest_share:g}"
    export += "" if args.finish == "auto" else f" --finish {args.finish}"
    export += "".join(f" --population {_asked_for(Path(spec).name)}" for spec in args.population)
    lines.append(export + (f" --columns {args.columns}" if args.columns else ""))
    if args.test:
        lines.append("likeness evaluate joint --bundle backend/bundles/default --data data/test")
    return tuple(lines)


def _asked_for(spec: str) -> str:
    """A population file's name and weight, or ``anny`` for the one that needs no file."""
    name, colon, weight = spec.partition(":")
    return f"{ANNY}{colon}{weight}" if name == f"{ANNY}.npz" else spec


def _render_command(folder: Path, name: str) -> str:
    info = describe(folder)
    options = " ".join(
        f"--{key.replace('_', '-')} {info[key]}"
        for key in ("count", "seed", "per_shard", "resolution", "samples")
        if key in info
    )
    count = len(list(folder.glob("shard-*.tar")))
    part = count * info.get("per_shard", 1) < info.get("count", 0)
    shares = info.get("populations", {})
    if set(shares) - {ANNY}:
        options += "".join(f" --population {_asked_for(f'{kind}.npz:{share:g}')}" for kind, share in shares.items())
    options += " --assets ASSETS" if "assets" in info.get("digests", {}) else ""
    return f"likeness render --output {name} {options}" + (f" --shards 0-{count - 1}" if part else "")
