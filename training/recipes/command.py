"""`likeness train RECIPE`."""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

RECIPES = ("default", "joint", "components", "feedback", "inverse", "mofa")
_CONFIGS = ("shipped", "paper", "tiny", "trial", "resnet", "vgg", "perspective")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's arguments."""
    parser.add_argument("recipe", choices=RECIPES, help="which system to train")
    parser.add_argument("--config", choices=_CONFIGS, default="shipped", help="full configuration (default: shipped)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of rendered pictures; for inverse and mofa, of any photos"
    )
    parser.add_argument(
        "--more", type=Path, nargs="+", default=[], metavar="DIR", help="for default: further folders of such pictures"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the run")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, metavar="N", help="number of batches (default: the configuration's)")
    length.add_argument(
        "--hours",
        type=float,
        metavar="H",
        help="as many batches as fit, by the speed measured first; says how many",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    parser.add_argument("--start", type=Path, metavar="RUN", help="begin with what another run learned")
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="DIR",
        help="for default: a bundle of joint or default, whose basis and weights it begins with",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use only the first N faces of --data")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one value, e.g. schedule.rate=1e-3"
    )
    group = parser.add_argument_group("recipe components")
    group.add_argument(
        "--images", type=Path, metavar="DIR", help="pre-train the encoder on these pictures or photos too"
    )
    group.add_argument("--shapes", type=Path, metavar="DIR", help="pre-train the decoder on these shapes too")
    group = parser.add_argument_group("recipes feedback, inverse and mofa")
    group.add_argument(
        "--populations", nargs="+", default=[], metavar="FILE[:WEIGHT]", help="make the face model of these"
    )
    group.add_argument("--model", type=Path, metavar="FILE", help="a face model that is made already (model.npz)")
    group.add_argument("--heads", type=int, default=1500, metavar="N", help="heads that it is made of (default: 1500)")
    group.add_argument(
        "--detector", type=Path, metavar="BUNDLE", help="finds landmarks (default: the product's bundle)"
    )


def run(args: argparse.Namespace) -> int:
    """Trains; returns 0, or 2 when data or options are wrong."""
    import torch

    from training.dataset import read_faces
    from training.memory import keep_freed_memory
    from training.recipes.joint.config import CONFIGURATIONS
    from training.recipes.joint.run import steps_of_run
    from training.recipes.joint.train import measured_steps, train

    keep_freed_memory()
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        if args.recipe in ("default", "feedback", "inverse", "mofa"):
            importlib.import_module(f"training.recipes.{args.recipe}.command").run(args, _changed)
            return 0
        if args.data is None:
            raise ValueError(f"{args.recipe} needs --data, a folder of rendered pictures")
        if args.recipe == "components":
            from training.recipes.components import command

            command.run(args, _changed)
            return 0
        if args.config not in CONFIGURATIONS:
            raise ValueError(f"joint has no configuration {args.config}; it has {', '.join(CONFIGURATIONS)}")
        config: Any = CONFIGURATIONS[args.config]()
        for change in args.set:
            config = _changed(config, change)
        if args.resume:
            config = replace(config, schedule=replace(config.schedule, steps=steps_of_run(args.output)))
        elif (args.output / "checkpoint.pt").exists():
            raise ValueError(f"{args.output} holds a run: add --resume to go on with it, or choose another folder")
        faces = read_faces(args.data, args.limit, reflectance=config.network.reflectance > 0, spill=args.output)
        steps = args.steps
        if args.hours and not args.resume:
            steps = measured_steps(config, faces, args.hours)
            print(f"--hours {args.hours:g} is about --steps {steps} on this machine")
        if steps and not args.resume:
            config = replace(config, schedule=replace(config.schedule, steps=steps))
        train(config, faces, args.output, resume=args.resume, start=args.start)
    except (OSError, ValueError) as error:
        print(f"likeness train: {error}", file=sys.stderr)
        return 2
    return 0


def _changed(config: Any, change: str) -> Any:
    """The configuration with one value, named by its path, set from text."""
    name, separator, text = change.partition("=")
    if not separator:
        raise ValueError(f"--set {change}: write NAME=VALUE")
    first, _, rest = name.partition(".")
    if not hasattr(config, first):
        raise ValueError(f"--set {change}: there is no {first}")
    before = getattr(config, first)
    if rest:
        return replace(config, **{first: _changed(before, f"{rest}={text}")})
    kinds = get_args(get_type_hints(type(config))[first])
    if type(None) in kinds:
        if text.lower() == "none":
            return replace(config, **{first: None})
        before = _example(next(kind for kind in kinds if kind is not type(None))) if before is None else before
    return replace(config, **{first: _parsed(before, text)})


def _example(kind: Any) -> object:
    """A value of the kind that an optional field may have: it says how text is read."""
    if get_origin(kind) is tuple:
        return tuple(_example(part) for part in get_args(kind) if part is not ...)
    return kind() if kind in (bool, int, float, str) else None


def _parsed(before: object, text: str) -> object:
    if isinstance(before, bool):
        return text.lower() in ("1", "true", "yes")
    if isinstance(before, tuple):
        parts = text.split(",")
        # A pair's values have types of their own; a list may become longer or shorter.
        kinds = before if len(before) == len(parts) else before[:1] * len(parts)
        return tuple(_parsed(kind, part) for kind, part in zip(kinds, parts, strict=False))
    if isinstance(before, int | float | str):
        return type(before)(text)
    raise ValueError(f"a value of {type(before).__name__} cannot be set from the command line")
