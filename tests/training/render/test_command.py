from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.populations.anny import AnnyPopulation
from training.shards import read_shard

pytest.importorskip("bpy")

ROOT = Path(__file__).resolve().parents[3]


def command(folder: Path, population: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "training.render", "--output", str(folder), "--population", str(population), "--count",
        "6", "--per-shard", "2", "--resolution", "48", "--samples", "1", "--seed", "9", *more,
    ]  # fmt: skip


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("shard-*.tar"))}


@pytest.mark.slow
def test_killed_and_run_again_it_makes_the_same_set(population: AnnyPopulation, tmp_path: Path) -> None:
    file = tmp_path / "population.npz"
    population.save(file)
    folder = tmp_path / "data"
    child = subprocess.Popen(command(folder, file, "--processes", "1"), cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 200
    while not list(folder.glob("shard-*.tar")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    finished = digests(folder)
    assert finished
    done = run(command(folder, file, "--processes", "2"))
    assert done.returncode == 0, done.stderr
    after = digests(folder)
    assert {name: after[name] for name in finished} == finished
    indices = [sample.index for path in sorted(folder.glob("shard-*.tar")) for sample in read_shard(path)]
    assert indices == list(range(6))


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused(population: AnnyPopulation, tmp_path: Path) -> None:
    file = tmp_path / "population.npz"
    population.save(file)
    assert run(command(tmp_path / "data", file, "--shards", "0")).returncode == 0
    other = run([*command(tmp_path / "data", file), "--seed", "10"])
    assert other.returncode == 2
    assert "another --output" in other.stderr
    beyond = run(command(tmp_path / "data", file, "--shards", "2-7"))
    assert beyond.returncode == 2
    assert "0-2" in beyond.stderr
