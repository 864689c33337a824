"""Renders a dataset: prepares its folder, runs the processes, keeps count, reports. Blender runs in the processes.

from training.render.run import RenderSettings, render_dataset
render_dataset(RenderSettings(Path("data/train"), count=12000, seed=1, passes=("seg", "depth")))
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.progress import Progress
from training.render.children import run_processes
from training.render.job import RenderJob, failures_path
from training.shards import DatasetError, DatasetInfo, open_dataset, shard_path, write_whole
from training.truth import check_passes

if TYPE_CHECKING:
    from training.populations.identity import Population

# Samples per pixel where none are asked for. Headless, EEVEE draws with software OpenGL: about a second for each.
DEFAULT_SAMPLES = {"cycles": 2, "eevee": 8}

_CHUNK = 1 << 20


@dataclass(frozen=True)
class RenderSettings:
    """What to render, and how.

    output: folder of the dataset. count: photos, each of another person unless photos says how many there are of one;
    yaws: degrees of the photos in turn, drawn where there are none. seed: sets with different seeds share no
    person. resolution: px of the square pictures. samples: per pixel, 0 for the engine's usual number. per_shard:
    photos in one tar. shards: (first, last) to render only these, for several machines. processes: one thread each, 0
    for one per core. engine: ``cycles`` or ``eevee``. passes: some of :data:`training.truth.PASSES`. populations:
    ``FILE`` or ``FILE:WEIGHT`` each, ``anny`` for the one made from it, which alone is the default. hdris: folder of
    HDRIs in place of Blender's own. assets: MakeHuman's asset folder.
    """

    output: Path
    count: int = 10000
    seed: int = 1
    resolution: int = 192
    samples: int = 0
    per_shard: int = 100
    shards: tuple[int, int] | None = None
    processes: int = 0
    engine: str = "cycles"
    passes: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()
    hdris: Path | None = None
    assets: Path | None = None
    photos: int = 1
    yaws: tuple[float, ...] = ()


@dataclass(frozen=True)
class RenderSummary:
    """What a run left: of how many chosen shards how many are missing, and the samples in them that failed.

    A failure has ``seed``, ``index``, ``fault`` (its name) and ``message``.
    """

    shards: int
    missing: int
    failures: tuple[Mapping[str, Any], ...]


def render_dataset(settings: RenderSettings) -> RenderSummary:
    """Renders what is missing of a dataset, in several processes; run again, it goes on where it stopped.

    Sample i depends on the settings and i alone, whatever is rendered before, after or beside it. A sample that fails
    twice is recorded in ``failed.jsonl`` and left out.

    Raises :class:`training.shards.DatasetError` (a ``ValueError``) when the settings cannot be met or differ from those
    that the folder was made with, and :class:`training.render.job.RenderStopped` when it is no use to go on, as with a
    full disk; finished shards are kept.
    """
    from training.populations.files import ANNY, found, load_populations

    check_settings(settings)
    settings.output.mkdir(parents=True, exist_ok=True)
    specs = tuple(found(spec, settings.output) for spec in settings.populations or (ANNY,))
    population = load_populations(specs)
    info = _info(settings, population, specs)
    shards = chosen_shards(settings.shards, info.shard_count)
    open_dataset(settings.output, info)
    template = settings.output / "template.npz"
    if not template.exists():
        part = template.with_name(f"{template.name}.part-{os.getpid()}")
        population.template.save(part)
        part.replace(template)
    job = RenderJob(settings.output, info, shards, specs, 1, settings.hdris, settings.assets)
    try:
        _render(job, settings.processes or os.cpu_count() or 1)
    finally:
        failures = _collect_failures(settings.output)
    missing = sum(not shard_path(settings.output, shard).exists() for shard in shards)
    chosen = {index for shard in shards for index in info.indices(shard)}
    return RenderSummary(len(shards), missing, tuple(one for one in failures if one["index"] in chosen))


def check_settings(settings: RenderSettings) -> None:
    """Raises ``ValueError`` for what can be seen to be wrong before anything is read."""
    if (
        min(settings.count, settings.resolution, settings.per_shard, settings.photos) < 1
        or min(settings.samples, settings.processes) < 0
    ):
        raise DatasetError("Counts and sizes must be 1 or more.")
    if settings.engine not in DEFAULT_SAMPLES:
        raise DatasetError(f"There is no engine {settings.engine}; there are {', '.join(DEFAULT_SAMPLES)}.")
    check_passes(settings.engine, settings.passes)
    for folder in (settings.hdris, settings.assets):
        if folder and not folder.is_dir():
            raise DatasetError(f"There is no folder {folder}.")


def chosen_shards(span: tuple[int, int] | None, count: int) -> tuple[int, ...]:
    """The shards of a span (first, last), or all. Raises :class:`DatasetError` when the dataset has no such shards."""
    first, last = span or (0, count - 1)
    if not 0 <= first <= last < count:
        raise DatasetError(f"The shards {first}-{last} are not within those of this dataset, 0-{count - 1}.")
    return tuple(range(first, last + 1))


def _info(settings: RenderSettings, population: Population, specs: Iterable[str]) -> DatasetInfo:
    from training.populations.files import split_spec

    digests = {"populations": _digest(split_spec(spec)[0] for spec in specs)}
    for name, folder in (("hdris", settings.hdris), ("assets", settings.assets)):
        if folder:
            digests[name] = _listing_digest(folder)
    return DatasetInfo(
        seed=settings.seed,
        count=settings.count,
        per_shard=settings.per_shard,
        resolution=settings.resolution,
        samples=settings.samples or DEFAULT_SAMPLES[settings.engine],
        engine=settings.engine,
        passes=tuple(settings.passes),
        populations=_shares(population),
        digests=digests,
        photos=settings.photos,
        yaws=tuple(settings.yaws),
    )


def _shares(population: Population) -> dict[str, float]:
    from training.populations.mixture import Mixture

    if isinstance(population, Mixture):
        return {part.name: weight for part, weight in zip(population.parts, population.weights, strict=True)}
    return {population.name: 1.0}


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                total.update(block)
    return total.hexdigest()


def _listing_digest(folder: Path) -> str:
    """Of names and sizes: asset folders hold gigabytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files]
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()


def _render(job: RenderJob, processes: int) -> None:
    unfinished = tuple(shard for shard in job.shards if not shard_path(job.folder, shard).exists())
    _remove_parts(job.folder, unfinished)
    if not unfinished:
        return
    total = sum(len(job.info.indices(shard)) for shard in job.shards)
    left = sum(len(job.info.indices(shard)) for shard in unfinished)
    failed = 0
    try:
        with Progress("render", total, total - left) as progress:

            def count(_: int, made: bool) -> None:
                nonlocal failed
                failed += not made
                progress.advance(1, f"{failed} failed" if failed else "")

            run_processes(replace(job, shards=unfinished), processes, count)
    finally:
        _remove_parts(job.folder, unfinished)


def _remove_parts(folder: Path, shards: Sequence[int]) -> None:
    """Removes what killed processes left of these shards."""
    for shard in shards:
        for part in folder.glob(f"{shard_path(folder, shard).name}.part-*"):
            part.unlink(missing_ok=True)


def _collect_failures(folder: Path) -> list[dict[str, Any]]:
    """Gathers the finished shards' failures into ``failed.jsonl``, in order; removes it when there are none."""
    failures: list[dict[str, Any]] = []
    for path in sorted(failures_path(folder, 0).parent.glob("shard-*.jsonl")):
        if shard_path(folder, int(path.stem.rpartition("-")[2])).exists():
            failures += [json.loads(line) for line in path.read_text().splitlines()]
    target = folder / "failed.jsonl"
    if failures:
        write_whole(target, "".join(json.dumps(failure) + "\n" for failure in failures).encode())
    else:
        target.unlink(missing_ok=True)
    return failures
