"""`likeness evaluate default | joint | components | feedback | inverse | mofa | scans | now`."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

from training.memory import keep_freed_memory

_KINDS = {
    "default": ("training.evaluation.product.command", "a bundle as the product runs it, on rendered faces and photos"),
    "joint": ("training.recipes.joint.report.command", "a bundle on rendered faces; the recipe's report"),
    "components": ("training.recipes.components.report.command", "the report on three components and objects"),
    "feedback": ("training.recipes.feedback.report.command", "the report on iterative error feedback"),
    "inverse": ("training.recipes.inverse.report.command", "the report on breeding"),
    "mofa": ("training.recipes.mofa.report.command", "the report on learning without labels"),
    "scans": ("training.evaluation.scans.command", "a bundle on rendered people of a face model, by NoW's protocol"),
    "now": ("training.evaluation.now.command", "a bundle or meshes on scans in the NoW benchmark's layout"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds a sub-command for everything that can be evaluated."""
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    for name, (module, help_) in _KINDS.items():
        _load(module).add_arguments(kinds.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + "."))


def run(args: argparse.Namespace) -> int:
    """Runs it; returns 0, 1 when some inputs failed, or 2 when data or options are wrong."""
    keep_freed_memory()
    try:
        status: int = _load(_KINDS[args.kind][0]).run(args)
    except (OSError, ValueError) as error:
        print(f"likeness evaluate {args.kind}: {error}", file=sys.stderr)
        return 2
    return status


def _load(module: str) -> Any:
    return importlib.import_module(module)
