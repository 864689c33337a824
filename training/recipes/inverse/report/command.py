"""`likeness evaluate inverse`: the recipe's tables and pictures, by one command.

likeness evaluate inverse --output REPORT --populations ANNY:0.3 ICT:0.7 --study quick
likeness evaluate inverse --output REPORT --model MODEL --data PHOTOS --test RENDERED --populations ANNY:0.3 ICT:0.7
"""

from __future__ import annotations

import argparse

from training.recipes.reports import add_model_options, add_photo_options, told

_STUDIES = ("quick", "product", "full", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    add_model_options(parser, _STUDIES)
    add_photo_options(
        parser,
        data="photos or rendered faces to breed towards (default: a drawn set)",
        test="rendered faces of other people to score on (default: a drawn set)",
    )


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
    print(told(args.output, figures["bars"]))
    return 0
