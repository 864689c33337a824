"""`likeness evaluate feedback`: the recipe's tables and pictures, by one command.

likeness evaluate feedback --output REPORT --populations ANNY:0.3 ICT:0.7 --study quick
"""

from __future__ import annotations

import argparse

from training.recipes.reports import add_model_options, told

_STUDIES = ("quick", "product", "full", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    add_model_options(parser, _STUDIES)


def run(args: argparse.Namespace) -> int:
    """Writes the report; returns 0. Raises `ValueError` for wrong options or data, `OSError`."""
    import torch

    from training.recipes.feedback.report.build import build
    from training.recipes.feedback.report.study import STUDIES
    from training.recipes.parametric import face_model

    if args.threads:
        torch.set_num_threads(args.threads)
    figures = build(STUDIES[args.study](), face_model(args, args.output / "model.npz"), args.output, args.runs)
    print(told(args.output, figures["bars"]))
    return 0
