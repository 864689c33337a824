"""What `likeness train inverse` does with its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from training.recipes.inverse.config import CONFIGURATIONS, InverseConfig
from training.recipes.inverse.train import train
from training.recipes.parametric import MODEL, configuration, face_model, photos_of


def run(args: argparse.Namespace, changed: Callable[[Any, str], Any]) -> None:
    """Trains; without photos (--data) there is no breeding, and all batches are of drawn faces.

    Raises `ValueError` for wrong options or data, `OSError` when data cannot be read.
    """
    config: InverseConfig = configuration(args, CONFIGURATIONS, InverseConfig.from_json, changed)
    if args.data is None and not args.resume:
        config = replace(config, breed=None, schedule=replace(config.schedule, steps=config.steps))
    model = face_model(args, args.output / MODEL)
    photos = None
    if config.breed is not None:
        if args.data is None:
            raise ValueError("the run breeds: name its photos with --data again")
        photos = photos_of(args, config.size, config.fill, args.output)
    train(config, model, photos, args.output, resume=args.resume)
