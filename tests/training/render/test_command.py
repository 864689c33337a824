"""The command as a user has it: processes, kills, wrong settings."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.populations.anny import AnnyPopulation
from training.render import command
from training.shards import read_shard, shard_paths

ROOT = Path(__file__).resolve().parents[3]


def words(folder: Path, population: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "training.render", "--output", str(folder), "--population", f"{population}:2", "--count",
        "6", "--per-shard", "2", "--resolution", "48", "--samples", "1", "--seed", "9", *more,
    ]  # fmt: skip


def run(arguments: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=600, **options)


def refused(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--count", "0"), "1 or more"),
        (("--shards", "all"), "0-9"),
        (("--passes", "seg,velocity"), "velocity"),
        (("--engine", "eevee", "--passes", "depth,uv"), "EEVEE"),
        (("--hdris", "nowhere"), "nowhere"),
        (("--population", "nowhere.npz"), "nowhere.npz"),
    ],
)
def test_wrong_use_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    assert refused("--output", str(tmp_path / "data"), *arguments) == 2
    said = capsys.readouterr().err
    assert complaint in said and said.count("\n") == 1
    assert not (tmp_path / "data" / "dataset.json").exists()


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_makes_the_same_set(population: AnnyPopulation, tmp_path: Path) -> None:
    file = tmp_path / "population.npz"
    population.save(file)
    whole, folder = tmp_path / "whole", tmp_path / "data"
    done = run(words(whole, file, "--processes", "2"))
    assert done.returncode == 0, done.stderr
    finished: dict[str, str] = {}
    for sample in (1, 2, 4):
        child = subprocess.Popen(words(folder, file, "--processes", "1"), cwd=ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while not _begun(folder, sample) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        _wait_for_children(folder)
        held = digests(folder)
        assert finished.items() <= held.items()
        finished = held
    again = run(words(folder, file, "--processes", "2"))
    assert again.returncode == 0, again.stderr
    assert finished.items() <= digests(folder).items()
    assert not list(folder.glob("*.part-*"))
    assert (folder / "sheet.png").exists() and (folder / "statistics.md").exists()
    one, other = ([sample for path in shard_paths(data) for sample in read_shard(path)] for data in (whole, folder))
    assert [sample.index for sample in other] == list(range(6))
    for sample, same in zip(one, other, strict=True):
        assert json.dumps(sample.parameters) == json.dumps(same.parameters)
        assert all((sample.arrays[name] == same.arrays[name]).all() for name in sample.arrays)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shard_paths(folder)}


def _begun(folder: Path, samples: int) -> bool:
    """Whether so many samples lie in shards, finished or not."""
    parts = [*folder.glob("shard-*.tar"), *folder.glob("shard-*.tar.part-*")]
    return sum(path.stat().st_size for path in parts if path.exists()) > samples * 100_000


def _wait_for_children(folder: Path) -> None:
    """The killed command's processes end by themselves: no more is written."""
    time.sleep(2.0)
    before = [(path, path.stat().st_size) for path in folder.iterdir()]
    time.sleep(2.0)
    assert before == [(path, path.stat().st_size) for path in folder.iterdir()]


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused(population: AnnyPopulation, tmp_path: Path) -> None:
    file = tmp_path / "population.npz"
    population.save(file)
    assert run(words(tmp_path / "data", file, "--shards", "0")).returncode == 0
    other = run([*words(tmp_path / "data", file), "--seed", "10"])
    assert other.returncode == 2
    assert "another --output" in other.stderr
    beyond = run(words(tmp_path / "data", file, "--shards", "2-7"))
    assert beyond.returncode == 2
    assert "0-2" in beyond.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of the file size are POSIX")
def test_a_full_disk_is_said_and_leaves_nothing_half_written(population: AnnyPopulation, tmp_path: Path) -> None:
    import resource

    file = tmp_path / "population.npz"
    population.save(file)
    folder = tmp_path / "data"
    assert run(words(folder, file, "--shards", "0")).returncode == 0
    held = digests(folder)
    limit = (250_000, 250_000)
    full = run(
        words(folder, file, "--processes", "1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert full.returncode == 1
    assert "full" in full.stderr
    assert digests(folder) == held and not list(folder.glob("*.part-*"))
