"""``likeness render``: a dataset of rendered faces, in several processes, resumable.

likeness render --output DATA --count 10000 --seed 1
blender -b --python training/render/__main__.py -- --output DATA --count 10000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``likeness render``."""
    parser.add_argument("--output", type=Path, required=True, help="folder of the dataset; run again to go on with it")
    parser.add_argument("--count", type=int, default=10000, help="number of photos, each of another person")
    parser.add_argument(
        "--photos",
        type=int,
        default=1,
        metavar="N",
        help="of each person, with other expressions, glasses, light and views; --count counts photos (default: 1)",
    )
    parser.add_argument(
        "--yaws",
        type=_degrees,
        default=(),
        metavar="A,B,...",
        help="how far heads are turned, photo by photo in turn, degrees (default: drawn)",
    )
    parser.add_argument("--seed", type=int, default=1, help="sets with different seeds share no person")
    parser.add_argument("--resolution", type=int, default=192, help="width and height in pixels")
    parser.add_argument("--engine", choices=("cycles", "eevee"), default="cycles", help="EEVEE wants a GPU")
    parser.add_argument("--samples", type=int, default=0, help="samples per pixel (default: 2, denoised; EEVEE 8)")
    parser.add_argument("--passes", default="", help="truth per pixel: any of seg,depth,normals,albedo,uv")
    parser.add_argument(
        "--population", action="append", default=[], metavar="FILE[:WEIGHT]",
        help="population file, or anny for the one made from it; repeat to mix several (default: anny)",
    )  # fmt: skip
    parser.add_argument("--hdris", type=Path, metavar="FOLDER", help="light from these .exr and .hdr files")
    parser.add_argument("--assets", type=Path, metavar="FOLDER", help="MakeHuman's assets: skins, hair, clothes")
    parser.add_argument("--shards", default="", metavar="A-B", help="only these shards, for several machines")
    parser.add_argument("--per-shard", type=int, default=100, help="photos in one shard")
    parser.add_argument("--processes", type=int, default=0, help="one thread each (default: one per core)")
    parser.add_argument("--report", action="store_true", help="only write sheet.png and statistics.md of what is there")


def run(args: argparse.Namespace) -> int:
    """Renders what is missing; 0 when all shards are there, 1 when samples failed, 2 on wrong use."""
    from training.render.job import RenderStopped
    from training.render.report import write_report
    from training.render.run import RenderSettings, render_dataset

    try:
        if args.report:
            return _say(write_report(args.output))
        settings = RenderSettings(
            output=args.output,
            count=args.count,
            seed=args.seed,
            resolution=args.resolution,
            samples=args.samples,
            per_shard=args.per_shard,
            shards=_span(args.shards),
            processes=args.processes,
            engine=args.engine,
            passes=tuple(name for name in args.passes.split(",") if name),
            populations=tuple(args.population),
            hdris=args.hdris,
            assets=args.assets,
            photos=args.photos,
            yaws=args.yaws,
        )
        summary = render_dataset(settings)
        _say(write_report(args.output))
    except ValueError as error:
        print(f"likeness render: {error}", file=sys.stderr)
        return 2
    except (RenderStopped, OSError) as error:
        print(f"likeness render: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("likeness render: stopped; the same command goes on from the finished shards.", file=sys.stderr)
        return 130
    for failure in summary.failures:
        print(f"likeness render: sample {failure['index']}: {failure['fault']}: {failure['message']}", file=sys.stderr)
    if summary.missing:
        print(
            f"likeness render: {summary.missing} of {summary.shards} shards are missing; run the same command again.",
            file=sys.stderr,
        )
    return 1 if summary.missing or summary.failures else 0


def _say(notes: list[str]) -> int:
    for note in notes:
        print(f"likeness render: {note}", file=sys.stderr)
    return 0


def _degrees(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _span(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise ValueError(f"--shards wants numbers such as 0-9, not {text!r}.")
    return int(first), int(last or first)
