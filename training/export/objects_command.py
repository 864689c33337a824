"""What `likeness export` does with a run of `components`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_OWN = (
    {
        "source": "Chairs, tables and monitors made by rule",
        "licence": "GPL-3.0-or-later",
        "attribution": "Likeness contributors: training/voxels/procedural.py",
        "url": "https://www.gnu.org/licenses/gpl-3.0.html",
    },
)


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the bundle for objects.

    Raises `ValueError` when run or data are wrong, `OSError` when they are not there.
    """
    from training.export.objects import ObjectsCard, export_objects
    from training.recipes.components.command import read_pairs
    from training.recipes.components.data import fingerprint, split_things
    from training.recipes.components.run import load_run
    from training.views import read_info

    trained = load_run(args.checkpoint)
    if trained.config.kind != "objects":
        raise ValueError(f"{args.checkpoint} is a run of heads: `likeness export` makes bundles of those of objects")
    info = read_info(args.data)
    pairs = read_pairs(args.data, trained.config, args.limit)
    if fingerprint(pairs) != trained.data:
        raise ValueError(f"{args.data} is not what {args.checkpoint} was trained on (check --limit)")
    ruled = info.source.startswith("made by rule")
    card = ObjectsCard(
        name=args.name if args.name != "likeness-joint" else "likeness-objects",
        shapes="made by rule (training/voxels/procedural.py)."
        if ruled
        else f"{info.source}, under their own licences.",
        licences=_OWN if ruled else (),
        commands=_commands(args, info.count if ruled else 0, trained.config.name),
    )
    split = split_things(pairs, trained.config.test, trained.config.seed)
    return export_objects(trained, pairs, split, args.output, card)


def _commands(args: argparse.Namespace, ruled: int, config: str) -> tuple[str, ...]:
    if args.made_with:
        return tuple(args.made_with)
    source = f"--procedural {ruled}" if ruled else "--input SHAPES"
    return (
        f"likeness render-objects {source} --output data/objects",
        f"likeness train components --config {config} --data data/objects --output runs/objects",
        f"likeness export --checkpoint runs/objects --data data/objects --output {Path('backend/bundles/objects')}",
    )
