"""How fast the renderer is, where its time goes, and whether its memory stays flat.

    python benchmarks/render.py --population FILE [--count 24] [--resolution 192] [--samples N] [--passes LIST]
    python benchmarks/render.py --population FILE --memory 2000 --resolution 64 --samples 1

Phases: seconds on the clock in one process of one thread, means over the subjects, on a machine that does nothing else.
What is read once and kept (assets, textures) is read before. Each subject is rendered several times: as it comes;
unchanged (what is gone then was Cycles' update: reading the scene, building its trees, textures and light tables);
unchanged with three times the samples (a half of what that adds is sampling); unchanged without denoising. The rest of
the render call is Blender's own and the two files it writes. Then the same with as many processes as cores: pictures a
second on the clock, from the first finished picture to the last, start-up apart.

--memory N makes N samples in one process and prints its resident size on the way.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.populations.files import load_populations
from training.progress import Progress
from training.render.children import run_processes
from training.render.job import RenderJob
from training.render.run import DEFAULT_SAMPLES
from training.render.worker import SampleMaker
from training.shards import DatasetInfo

PHASES = (
    "draw", "build", "into Blender", "Cycles: update", "Cycles: sampling", "Cycles: denoising", "Blender, files",
    "record",
)  # fmt: skip
_WARM_UP = 2


def phases(maker: SampleMaker, index: int) -> NDArray[np.float64]:
    """Seconds of one subject's ``PHASES``."""
    cycles = maker.scene.scene.cycles

    def again() -> float:
        maker.render()  # settings that changed are read now
        start = time.perf_counter()
        maker.render()
        return time.perf_counter() - start

    marks = [time.perf_counter()]
    subject = maker.draw(index)
    marks.append(time.perf_counter())
    figure = maker.build(subject)
    marks.append(time.perf_counter())
    illumination = maker.show(subject, figure)
    marks.append(time.perf_counter())
    frame = maker.render()
    marks.append(time.perf_counter())
    maker.record(subject, figure, illumination, frame)
    marks.append(time.perf_counter())
    draw, build, show, first, record = np.diff(marks)
    unchanged = again()
    samples, denoised = cycles.samples, cycles.use_denoising
    cycles.samples = 3 * samples
    sampling = (again() - unchanged) / 2.0
    cycles.samples, cycles.use_denoising = samples, False
    denoising = unchanged - again() if denoised else 0.0
    cycles.use_denoising = denoised
    again()
    update = first - unchanged
    return np.array([draw, build, show, update, sampling, denoising, unchanged - sampling - denoising, record])


def print_phases(maker: SampleMaker, count: int) -> None:
    """The table of phases."""
    rows = []
    with Progress("phases", count) as progress:
        for index in range(count + _WARM_UP):
            maker.build(maker.draw(index))
        for index in range(count + _WARM_UP):
            row = phases(maker, index)
            if index >= _WARM_UP:
                rows.append(row)
                progress.advance()
    mean = np.mean(rows, axis=0)
    total = mean.sum()
    print(f"\n| phase | s | share |\n|---|---|---|\n| all | {total:.3f} | |")
    for name, seconds in zip(PHASES, mean, strict=True):
        print(f"| {name} | {seconds:.3f} | {100.0 * seconds / total:.1f} % |")
    sampling, denoising = mean[PHASES.index("Cycles: sampling")], mean[PHASES.index("Cycles: denoising")]
    print(f"| outside Cycles' sampling | {total - sampling:.3f} | {100.0 * (1.0 - sampling / total):.1f} % |")
    outside = total - sampling - denoising
    print(f"| outside its sampling and denoising | {outside:.3f} | {100.0 * outside / total:.1f} % |")


def print_rate(job: RenderJob, processes: int, count: int) -> None:
    """Pictures a second with several processes."""
    times: list[float] = []
    start = time.monotonic()
    with Progress("rate", count) as progress:

        def on_sample(index: int, made: bool) -> None:
            times.append(time.monotonic() - start)
            progress.advance()

        run_processes(job, processes, on_sample)
    # Each process's first picture also pays for what is loaded and built once.
    late = np.array(times[processes:])
    rate = len(late) / (late[-1] - times[processes - 1]) if len(late) else 0.0
    print(f"\n{rate:.2f} pictures/s with {processes} processes ({times[0]:.1f} s until the first picture)")


def print_memory(maker: SampleMaker, count: int) -> None:
    """Resident size on the way."""
    shown = sorted({min(count, 20), min(count, 200), *range(0, count + 1, max(count // 10, 1))[1:]})
    print("\n| pictures | MB |\n|---|---|", flush=True)
    for index in range(count):
        maker.make(index)
        if index + 1 in shown:
            print(f"| {index + 1} | {resident_mb():.0f} |", flush=True)


def resident_mb() -> float:
    """This process's resident size, MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description="Measure the renderer.")
    parser.add_argument("--population", action="append", required=True, metavar="FILE[:WEIGHT]")
    parser.add_argument("--count", type=int, default=24, help="subjects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resolution", type=int, default=192)
    parser.add_argument("--samples", type=int, default=DEFAULT_SAMPLES["cycles"])
    parser.add_argument("--passes", default="")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hdris", type=Path)
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="only measure memory, over N pictures")
    args = parser.parse_args()
    passes = tuple(name for name in args.passes.split(",") if name)
    per_shard = -(-args.count // args.processes)
    info = DatasetInfo(args.seed, args.count, per_shard, args.resolution, args.samples, passes=passes)
    if not args.memory:
        with tempfile.TemporaryDirectory() as scratch:
            shards = tuple(range(info.shard_count))
            job = RenderJob(Path(scratch), info, shards, tuple(args.population), 1, args.hdris, args.assets)
            print_rate(job, args.processes, args.count)
    maker = SampleMaker(load_populations(args.population), info, 1, args.hdris, args.assets)
    if args.memory:
        print_memory(maker, args.memory)
    else:
        print_phases(maker, args.count)
    maker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
