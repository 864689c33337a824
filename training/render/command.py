"""``likeness render``: a dataset of rendered faces, in several processes, resumable.

likeness render --output DATA --count 10000 --seed 1
blender -b --python training/render/__main__.py -- --output DATA --count 10000 --seed 1
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from training.populations.anny import AnnyPopulation
    from training.shards import DatasetInfo

# What a rendering process writes to its parent's pipe after each sample.
_TICK = "likeness-sample"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``likeness render``."""
    parser.add_argument("--output", type=Path, required=True, help="folder of the dataset; run again to go on with it")
    parser.add_argument("--count", type=int, default=10000, help="number of photos, each of another person")
    parser.add_argument("--seed", type=int, default=1, help="sets with different seeds share no person")
    parser.add_argument("--resolution", type=int, default=144, help="width and height in pixels")
    parser.add_argument("--samples", type=int, default=6, help="samples per pixel, denoised")
    parser.add_argument("--per-shard", type=int, default=100, help="photos in one tar")
    parser.add_argument("--shards", default="", help="only these, such as 0-9 (for several machines)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one thread each")
    parser.add_argument("--population", type=Path, help="population file (default: made from anny)")
    parser.add_argument("--every", default="", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Renders what is missing; 0 when all shards are there, 1 when samples failed, 2 on wrong use."""
    from training.populations.anny import AnnyPopulation
    from training.shards import DatasetError, DatasetInfo, open_dataset

    if min(args.count, args.resolution, args.samples, args.per_shard, args.processes) < 1:
        print("likeness render: counts and sizes must be 1 or more.", file=sys.stderr)
        return 2
    args.output.mkdir(parents=True, exist_ok=True)
    path: Path = args.population or args.output / "population.npz"
    if not path.exists():
        if args.population:
            print(f"likeness render: there is no population file {path}.", file=sys.stderr)
            return 2
        try:
            made = AnnyPopulation.from_anny()
        except ImportError:
            print(
                f"likeness render: this Python has no anny to make {path} from. Run `likeness render` once where "
                "`pip install likeness[training]` was done, or name a file with --population.",
                file=sys.stderr,
            )
            return 2
        part = path.with_suffix(f".part-{os.getpid()}")
        made.save(part)
        part.replace(path)
    population = AnnyPopulation.load(path)
    template_file = args.output / "template.npz"
    if not template_file.exists():
        part = template_file.with_suffix(f".part-{os.getpid()}")
        population.template.save(part)
        part.replace(template_file)
    info = DatasetInfo(
        seed=args.seed,
        count=args.count,
        per_shard=args.per_shard,
        resolution=args.resolution,
        samples=args.samples,
        engine="CYCLES",
        view_transform="Standard",
        template_sha256=hashlib.sha256(population.template.mean.tobytes()).hexdigest(),
    )
    try:
        shards = _chosen(args.shards, info.shard_count)
        open_dataset(args.output, info)
    except (DatasetError, ValueError) as error:
        print(f"likeness render: {error}", file=sys.stderr)
        return 2
    if args.every:
        return _render_share(population, info, shards, args)
    return _render_all(path, info, shards, args)


def _chosen(text: str, count: int) -> list[int]:
    if not text:
        return list(range(count))
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise ValueError(f"--shards wants numbers such as 0-9, not {text!r}.")
    chosen = list(range(int(first), int(last or first) + 1))
    if not chosen or chosen[-1] >= count:
        raise ValueError(f"--shards {text} is not within the {count} shards (0-{count - 1}) of this dataset.")
    return chosen


def _render_share(population: AnnyPopulation, info: DatasetInfo, shards: list[int], args: argparse.Namespace) -> int:
    """The child's part: every n-th shard, one thread, a tick per sample on standard output."""
    from training.render.worker import RenderJob, render_shards

    start, step = (int(word) for word in args.every.split("/"))

    def tick(index: int) -> None:
        print(f"{_TICK} {index}", flush=True)

    return 1 if render_shards(population, RenderJob(args.output, info, tuple(shards[start::step]), 1), tick) else 0


def _render_all(population: Path, info: DatasetInfo, shards: list[int], args: argparse.Namespace) -> int:
    from training.progress import Progress
    from training.shards import shard_path

    total = sum(len(info.indices(shard)) for shard in shards)
    done = sum(len(info.indices(shard)) for shard in shards if shard_path(args.output, shard).exists())
    processes = min(args.processes, len(shards))
    command = [sys.executable, "-m", "training.render"] if not _in_blender() else _blender_command()
    options = ["--output", str(args.output), "--population", str(population), "--shards", args.shards]
    for name in ("count", "seed", "resolution", "samples", "per_shard"):
        options += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    ticks: Queue[int | None] = Queue()
    children = []
    try:
        for start in range(processes):
            child = subprocess.Popen(
                [*command, *options, "--every", f"{start}/{processes}"],
                stdout=subprocess.PIPE, text=True, env=environment, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            children.append(child)
            Thread(target=_listen, args=(child.stdout, ticks), daemon=True).start()
        running = processes
        with Progress("render", total, done) as progress:
            while running:
                tick = ticks.get()
                if tick is None:
                    running -= 1
                else:
                    progress.advance(1)
        codes = [child.wait() for child in children]
    except KeyboardInterrupt:
        print("likeness render: stopped; the same command goes on from the finished shards.", file=sys.stderr)
        return 130
    finally:
        for child in children:
            child.terminate()
    missing = [shard for shard in shards if not shard_path(args.output, shard).exists()]
    if missing or any(codes):
        print(
            f"likeness render: {len(missing)} of {len(shards)} shards are missing; run the same command again "
            "(failed.jsonl in the output folder names samples that were skipped).",
            file=sys.stderr,
        )
        return 1
    return 0


def _listen(stream: IO[str] | None, ticks: Queue[int | None]) -> None:
    for line in stream or ():
        if line.startswith(_TICK):
            ticks.put(int(line.split()[1]))
    ticks.put(None)


def _in_blender() -> bool:
    try:
        import bpy
    except ImportError:
        return False
    return bool(bpy.app.binary_path)


def _blender_command() -> list[str]:
    import bpy

    script = Path(__file__).resolve().with_name("__main__.py")
    return [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(script), "--"]
