"""`likeness register`: scans or a face model, carried onto the template as a population."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_HELP = """\
SCANS is a folder of scans (.obj .ply .stl .glb .gltf .off), each with its landmarks beside it; or a folder of meshes
that share one topology vertex for vertex, of which one has landmarks; or a face model: ICT-FaceKit (its folder
FaceXModel, or packed in one .npz), a Basel Face Model (2009 .mat, 2017 and 2019 .h5) or FLAME (.npz, .pkl; with its
static landmark embedding beside it). Scans must be of neutral faces.

"""

_AFTER = """\

Beside POPULATION a folder POPULATION-report holds report.md, report.json and report.png. A scan that cannot be used is
named with its reason and left out (exit status 1). A run that was stopped goes on where it was when it is started
again; POPULATION-work keeps its results until the population is written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `likeness register`."""
    from training.registration.landmark_format import FORMAT

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _HELP + FORMAT
    parser.epilog = _AFTER
    parser.add_argument("scans", type=Path, metavar="SCANS", help="folder of scans, or a face model")
    parser.add_argument("--output", type=Path, required=True, metavar="POPULATION", help="population file (.npz)")
    parser.add_argument("--name", help="how identities name the population (default: the file's)")
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="landmarks of a face model, or of the first mesh where all share one topology",
    )
    parser.add_argument("--unit", choices=("auto", "mm", "cm", "m", "um", "inch"), default="auto", help="of the scans")
    parser.add_argument("--modes", type=int, default=150, metavar="N", help="most modes to keep (default: 150)")
    parser.add_argument(
        "--variance", type=float, default=0.999, metavar="SHARE", help="share of the variance to keep (default: 0.999)"
    )
    parser.add_argument("--source", default="", help="where the scans come from, for model cards")
    parser.add_argument("--licence", default="", help="their licence, for model cards")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when all went in, 1 when some scans were left out, 2 when nothing can be made of SCANS."""
    from training.registration.models.model import BadModel
    from training.registration.target import BadScan

    if args.output.suffix != ".npz":
        return _refuse(f"the population is an .npz file, {args.output} is not")
    if not args.scans.exists():
        return _refuse(f"there is no {args.scans}")
    try:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        skipped = _register(args)
    except (BadModel, BadScan) as error:
        return _refuse(f"{args.scans}: {error}")
    except OSError as error:
        return _refuse(str(error))
    return 1 if skipped else 0


def _refuse(reason: str) -> int:
    print(f"likeness register: {reason}", file=sys.stderr)
    return 2


def _register(args: argparse.Namespace) -> dict[str, str]:
    """Makes the population and its report; returns the scans left out, with reasons."""
    from training.makehuman import BaseMesh
    from training.populations.anny import AnnyPopulation
    from training.registration.jobs import Job, from_model, from_scans
    from training.registration.models.reading import read_model
    from training.registration.report import write_picture, write_report
    from training.registration.rig import Rig
    from training.registration.traits import TraitReader
    from training.template import HeadAssembler

    model = read_model(args.scans, args.landmarks)
    assembler = HeadAssembler(BaseMesh())
    rig = Rig.of(assembler)
    job = Job(
        name=args.name or args.output.stem,
        unit=args.unit,
        most=args.modes,
        share=args.variance,
        source=args.source,
        licence=args.licence,
        work=args.output.with_name(f"{args.output.stem}-work"),
        traits=TraitReader.of(AnnyPopulation.of(assembler)),
    )
    made = from_model(rig, model, job) if model else from_scans(rig, args.scans, args.landmarks, job)
    folder = args.output.with_name(f"{args.output.stem}-report")
    folder.mkdir(exist_ok=True)
    names = [f"mode {number + 1}" for number in range(3)]
    write_picture(folder, rig, made.pictured, made.population.mean, made.population.modes, names)
    write_report(folder, f"Population {job.name}", made.facts, made.residuals, made.skipped)
    made.population.save(args.output)
    job.tidy()
    for name, reason in made.skipped.items():
        print(f"{name}: left out, {reason}", file=sys.stderr)
    print(f"{args.output}: {made.summary()}; see {folder / 'report.md'}")
    return made.skipped
