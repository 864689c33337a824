"""What `likeness train components` does with its options."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.recipes.components.config import CONFIGURATIONS, ComponentsConfig
from training.recipes.components.data import (
    Pairs,
    pairs_from_faces,
    pairs_from_views,
    split_things,
    with_unlabelled,
)
from training.recipes.components.run import read_config
from training.recipes.components.train import train
from training.recipes.components.unlabelled import read_images, read_shapes


def run(args: argparse.Namespace, changed: Callable[[Any, str], Any]) -> None:
    """Trains; `changed` is the configuration with one value set from text.

    Raises `ValueError` for wrong options or data, `OSError` when data cannot be read.
    """
    if args.hours or args.start:
        raise ValueError(
            "components has four stages: give their steps, such as --set all.steps=2000 (no --hours, --start)"
        )
    if args.resume:
        config = read_config(args.output)
    else:
        if (args.output / "checkpoint.pt").exists():
            raise ValueError(f"{args.output} holds a run: add --resume to go on with it, or choose another folder")
        if args.config not in CONFIGURATIONS:
            raise ValueError(f"components has no configuration {args.config}; it has {', '.join(CONFIGURATIONS)}")
        config = CONFIGURATIONS[args.config](kind_of(args.data))
        for change in args.set:
            config = changed(config, change)
        if args.steps:
            config = replace(config, all=replace(config.all, steps=args.steps))
    pairs = read_pairs(args.data, config, args.limit)
    split = split_things(pairs, config.test, config.seed)
    images, left_out = read_images(args.images, config.kind, config.size) if args.images else (None, [])
    shapes, faults = read_shapes(args.shapes, config.kind, pairs.shapes.shape[1]) if args.shapes else (None, [])
    sys.stderr.writelines(f"likeness train: {sentence}\n" for sentence in [*left_out, *faults])
    pairs, split = with_unlabelled(pairs, split, images, shapes)
    train(config, pairs, split, args.output, args.resume)


def kind_of(folder: Path) -> Any:
    """Whether a folder's pictures show objects or heads; folders of `likeness render` do not say, and show heads."""
    try:
        record = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{folder} holds no pictures ({error}): make some with `likeness render-objects` or `likeness render`"
        ) from error
    return str(record.get("kind", "heads"))


def read_pairs(folder: Path, config: ComponentsConfig, limit: int | None = None) -> Pairs:
    """The pictures of a folder at the configuration's size, whichever command rendered it.

    Raises `ValueError` when they show something else than the configuration is for.
    """
    if kind_of(folder) != config.kind:
        raise ValueError(f"{folder} shows {kind_of(folder)} and the configuration is for {config.kind}")
    return read_folder(folder, config.size, limit)


def read_folder(folder: Path, size: int, limit: int | None = None) -> Pairs:
    """The pictures of a folder at `size` pixels, whichever command rendered it."""
    record = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if "kind" in record:
        from training.views import read_views

        return pairs_from_views(read_views(folder, limit), size)
    from training.dataset import read_faces

    return pairs_from_faces(read_faces(folder, limit, reflectance=False), size)
