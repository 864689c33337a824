"""`likeness train feedback`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from training.recipes.feedback.config import CONFIGURATIONS, FeedbackConfig
from training.recipes.feedback.train import train
from training.recipes.parametric import MODEL, configuration, face_model


def run(args: argparse.Namespace, changed: Callable[[Any, str], Any]) -> None:
    """Trains as the options say. Raises `ValueError` and `OSError`."""
    config = configuration(args, CONFIGURATIONS, FeedbackConfig.from_json, changed)
    train(config, face_model(args, args.output / MODEL), args.output, resume=args.resume)
