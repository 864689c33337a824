"""What `likeness train default` does with its options."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from training.dataset import read_sets
from training.recipes.default.config import CONFIGURATIONS, DefaultConfig
from training.recipes.default.train import measured_steps, train
from training.recipes.runs import load_checkpoint


def run(args: argparse.Namespace, changed: Callable[[Any, str], Any]) -> None:
    """Trains; `changed` is the configuration with one value set from text.

    Raises `ValueError` for wrong options or data, `OSError` when data cannot be read.
    """
    if args.data is None:
        raise ValueError("default needs --data, a folder of rendered pictures")
    if args.resume:
        config = DefaultConfig.from_json(json.loads(load_checkpoint(args.output)["config"]))
    else:
        if (args.output / "checkpoint.pt").exists():
            raise ValueError(f"{args.output} holds a run: add --resume to go on with it, or choose another folder")
        if not (args.start or args.bundle):
            raise ValueError("default needs --bundle, a bundle of joint or default, or --start, a run of default")
        if args.config not in CONFIGURATIONS:
            raise ValueError(f"default has no configuration {args.config}; it has {', '.join(CONFIGURATIONS)}")
        config = CONFIGURATIONS[args.config]()
        for change in args.set:
            config = changed(config, change)
    faces = read_sets([args.data, *args.more], args.limit, spill=args.output)
    if not args.resume:
        steps = args.steps
        if args.hours:
            steps = measured_steps(config, faces, args.hours, args.bundle, args.start)
            print(f"--hours {args.hours:g} is about --steps {steps} on this machine")
        if steps:
            config = replace(config, schedule=replace(config.schedule, steps=steps))
    train(config, faces, args.output, bundle=args.bundle, start=args.start, resume=args.resume)
