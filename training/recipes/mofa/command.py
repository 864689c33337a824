"""What `likeness train mofa` does with its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from training.formation.decoder import head_decoder
from training.formation.face_model import FaceModel
from training.recipes.mofa.config import CONFIGURATIONS, MofaConfig
from training.recipes.mofa.pictures import PhotoPictures, Pictures, Scenes
from training.recipes.mofa.train import train
from training.recipes.parametric import MODEL, configuration, face_model, photos_of


def run(args: argparse.Namespace, changed: Callable[[Any, str], Any]) -> None:
    """Trains on photos (--data), or on scenes of the model's own making.

    Raises `ValueError` for wrong options or data, `OSError` when data cannot be read.
    """
    config: MofaConfig = configuration(args, CONFIGURATIONS, MofaConfig.from_json, changed)
    model = face_model(args, args.output / MODEL)
    if args.data is None:
        pictures: tuple[Pictures, Pictures] = scenes(config, model, args.output)
    else:
        photos = photos_of(args, config.size, 1 / config.crop_scale, args.output)
        count = max(1, len(photos) - config.held_out)
        order = np.random.default_rng([config.seed, 5]).permutation(len(photos))
        pictures = (
            PhotoPictures(photos.subset(np.sort(order[:count]))),
            PhotoPictures(photos.subset(np.sort(order[count:]))),
        )
    train(config, model, *pictures, args.output, resume=args.resume)


def scenes(config: MofaConfig, model: FaceModel, spill: Any) -> tuple[Scenes, Scenes]:
    """Scenes to learn from, and others to judge by."""
    codes = config.codes
    model = model.reduced(codes.identity, codes.expression, codes.reflectance)
    decoder = head_decoder(model)
    return (
        Scenes(config, model, decoder, config.seed * 2 + 1, config.scenes.count, spill),
        Scenes(config, model, decoder, config.seed * 2 + 2, config.held_out, spill),
    )
