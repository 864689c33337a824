from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.shards import (
    DatasetError,
    DatasetInfo,
    Sample,
    count_samples,
    open_dataset,
    read_info,
    read_members,
    read_shard,
    shard_path,
    write_shard,
)

ROOT = Path(__file__).resolve().parents[2]
INFO = DatasetInfo(
    seed=1, count=25, per_shard=10, resolution=64, samples=4, passes=("seg",), populations={"anny": 0.6, "scans": 0.4}
)


def samples(count: int) -> Iterator[Sample]:
    for index in range(count):
        arrays = {"vertices": np.full((2, 3), index, np.float32)}
        yield Sample(index, b"picture", {"seed": 1, "index": index}, arrays, {"seg.png": b"segments"})


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    assert write_shard(path, samples(3)) == count_samples(path) == 3
    read = list(read_shard(path))
    assert [sample.index for sample in read] == [0, 1, 2]
    assert read[2].parameters == {"seed": 1, "index": 2}
    assert (read[2].arrays["vertices"] == 2).all()
    assert read[0].picture == b"picture"
    assert read[0].packed == {"seg.png": b"segments"}


def test_some_members_can_be_read_alone(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    write_shard(path, samples(2))
    members = dict(read_members(path, ("json",)))
    assert list(members) == ["00000000", "00000001"]
    assert {ending: json.loads(content) for ending, content in members["00000001"].items()} == {
        "json": {"seed": 1, "index": 1}
    }


def test_an_interrupted_shard_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    def broken() -> Iterator[Sample]:
        yield from samples(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(shard_path(tmp_path, 0), broken())
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the file size are POSIX")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "from pathlib import Path\n"
        "from tests.training.test_shards import samples, shard_path, write_shard\n"
        "try: write_shard(shard_path(Path(sys.argv[1]), 0), samples(9))\n"
        "except OSError as error: sys.exit(40 + error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, timeout=60)
    assert done.returncode > 40
    assert not list(tmp_path.iterdir())


def test_a_truncated_shard_is_named(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 3)
    write_shard(path, samples(4))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DatasetError, match="shard-000003"):
        list(read_shard(path))


def test_a_sample_with_damaged_arrays_is_named(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    with tarfile.open(path, "w") as tar:
        for ending, content in {"jpg": b"p", "json": b"{}", "npz": b"no archive"}.items():
            member = tarfile.TarInfo(f"00000007.{ending}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(DatasetError, match="00000007"):
        list(read_shard(path))


def test_a_folder_takes_one_dataset_only(tmp_path: Path) -> None:
    open_dataset(tmp_path, INFO)
    open_dataset(tmp_path, INFO)
    assert read_info(tmp_path) == INFO
    with pytest.raises(DatasetError, match="seed"):
        open_dataset(tmp_path, replace(INFO, seed=2))
    with pytest.raises(DatasetError, match="populations"):
        open_dataset(tmp_path, replace(INFO, populations={"anny": 1.0}))
    with pytest.raises(DatasetError, match="likeness render"):
        read_info(tmp_path / "elsewhere")


def test_a_dataset_of_the_first_schema_is_read_but_not_gone_on_with(tmp_path: Path) -> None:
    old = {"seed": 1, "count": 25, "per_shard": 10, "resolution": 64, "samples": 4, "engine": "CYCLES"}
    old |= {"view_transform": "Standard", "template_sha256": "0" * 64, "schema": 1}
    (tmp_path / "dataset.json").write_text(json.dumps(old))
    assert read_info(tmp_path).count == 25
    with pytest.raises(DatasetError, match="schema"):
        open_dataset(tmp_path, INFO)


def test_the_last_shard_holds_the_rest() -> None:
    assert INFO.shard_count == 3
    assert list(INFO.indices(2)) == [20, 21, 22, 23, 24]
