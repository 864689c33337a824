"""The parent's side, with small scripts in place of Blender."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from training.render.children import run_processes
from training.render.job import RenderJob, RenderStopped
from training.shards import DatasetInfo

JOB = RenderJob(Path("data"), DatasetInfo(seed=1, count=6, per_shard=2, resolution=8, samples=1), (0, 1, 2), ("p.npz",))

WORKER = """
import json, os, sys, pathlib
job = json.loads(sys.stdin.readline())
def tell(event, content): print("likeness-render", event, json.dumps(content), flush=True)
print("Blender says something", flush=True)
here = pathlib.Path(sys.argv[1])
for shard in job["shards"]:
    if (here / str(shard)).exists():
        continue
    for index in (2 * shard, 2 * shard + 1):
        tell("begun", index)
        {fault}
        tell("failed" if index in job["crashed"] else "done", index)
    (here / str(shard)).touch()
"""


def worker(folder: Path, fault: str = "pass") -> list[str]:
    return [sys.executable, "-c", WORKER.replace("{fault}", fault), str(folder)]


def run(folder: Path, fault: str = "pass", processes: int = 2) -> dict[int, bool]:
    seen: dict[int, bool] = {}

    def on_sample(index: int, made: bool) -> None:
        assert index not in seen, "a sample was counted twice"
        seen[index] = made

    run_processes(JOB, processes, on_sample, worker(folder, fault))
    return seen


def test_every_sample_is_counted_once(tmp_path: Path) -> None:
    assert run(tmp_path) == dict.fromkeys(range(6), True)


def test_a_sample_that_takes_blender_down_twice_is_left_out(tmp_path: Path) -> None:
    seen = run(tmp_path, "if index == 3 and index not in job['crashed']: os.abort()", processes=1)
    assert seen == {0: True, 1: True, 2: True, 3: False, 4: True, 5: True}


def test_a_process_that_does_not_start_is_no_reason_to_try_for_ever(tmp_path: Path) -> None:
    with pytest.raises(RenderStopped, match="status 9"):
        run_processes(JOB, 1, lambda index, made: None, [sys.executable, "-c", "import sys; sys.exit(9)"])


def test_a_reason_to_stop_stops_all_processes(tmp_path: Path) -> None:
    fault = (
        "(here / f'pid{index}').write_text(str(os.getpid()))\n"
        "        if index == 2: tell('stopped', 'The disk is full.')\n"
        "        import time; time.sleep(30)"
    )
    with pytest.raises(RenderStopped, match="disk is full"):
        run(tmp_path, fault)
    time.sleep(0.1)
    for file in tmp_path.glob("pid*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
