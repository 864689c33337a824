"""What the recipes' reports share: their options, runs that are trained where they are missing, a last word."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def add_model_options(parser: argparse.ArgumentParser, studies: Iterable[str]) -> None:
    """Options of a report on the parametric face model."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report.md and the rest")
    parser.add_argument(
        "--study", choices=list(studies), default="quick", help="how long runs are (default: %(default)s)"
    )
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (default: OUTPUT/runs)")
    parser.add_argument(
        "--populations", nargs="+", default=[], metavar="FILE[:WEIGHT]", help="make the face model of these"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="a face model that is made already (model.npz)")
    parser.add_argument("--heads", type=int, default=1500, metavar="N", help="heads that it is made of (default: 1500)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def add_photo_options(parser: argparse.ArgumentParser, data: str, test: str) -> None:
    """Options of a report that may look at photos; `data` and `test` say what those are for."""
    parser.add_argument("--data", type=Path, metavar="DIR", help=data)
    parser.add_argument("--test", type=Path, metavar="DIR", help=test)
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many photos and test faces")
    parser.add_argument(
        "--detector", type=Path, metavar="BUNDLE", help="finds landmarks (default: the product's bundle)"
    )


def train_missing(folder: Path, steps: int, train: Callable[[bool], None]) -> None:
    """Calls `train`, with whether a run is to be resumed, unless the run in `folder` is `steps` batches long.

    Raises `ValueError` when a run there is of another configuration or other data.
    """
    from training.recipes.runs import CHECKPOINT, load_checkpoint

    begun = (folder / CHECKPOINT).is_file()
    if begun and load_checkpoint(folder)["step"] >= steps:
        return
    try:
        train(begun)
    except ValueError as error:
        raise ValueError(f"{folder}: {error} (or remove that folder, and the report trains it anew)") from error


def bars_table(bars: list[dict[str, Any]]) -> list[str]:
    """The section of a report that says what must be true and whether it is, as lines of Markdown."""
    lines = ["## What must be true", "", "| | figure | limit | |", "|---|---|---|---|"]
    for bar in bars:
        met = "met" if bar["met"] else "NOT MET"
        lines.append(f"| {bar['bar']} | {bar['figure']:.3f} | {bar['limit']:.3f} | {met} |")
    return lines


def told(output: Path, bars: list[dict[str, Any]]) -> str:
    """Where the report is and what of its bars is met, for the terminal."""
    lines = [
        f"  {bar['bar']}: {bar['figure']:.3f} (limit {bar['limit']:.3f}){'' if bar['met'] else ', NOT MET'}"
        for bar in bars
    ]
    return "\n".join([f"{output / 'report.md'}:", *lines])
