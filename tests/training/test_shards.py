from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.shards import (
    DatasetError,
    DatasetInfo,
    Sample,
    open_dataset,
    read_info,
    read_shard,
    shard_path,
    write_shard,
)

INFO = DatasetInfo(
    seed=1, count=25, per_shard=10, resolution=64, samples=4, engine="CYCLES", view_transform="Standard",
    template_sha256="0" * 64,
)  # fmt: skip


def samples(count: int) -> Iterator[Sample]:
    for index in range(count):
        yield Sample(index, b"picture", {"seed": 1, "index": index}, {"vertices": np.full((2, 3), index, np.float32)})


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    assert write_shard(path, samples(3)) == 3
    read = list(read_shard(path))
    assert [sample.index for sample in read] == [0, 1, 2]
    assert read[2].parameters == {"seed": 1, "index": 2}
    assert (read[2].arrays["vertices"] == 2).all()
    assert read[0].picture == b"picture"


def test_an_interrupted_shard_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    def broken() -> Iterator[Sample]:
        yield from samples(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(shard_path(tmp_path, 0), broken())
    assert not list(tmp_path.iterdir())


def test_a_truncated_shard_is_named(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 3)
    write_shard(path, samples(4))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DatasetError, match="shard-000003"):
        list(read_shard(path))


def test_a_folder_takes_one_dataset_only(tmp_path: Path) -> None:
    open_dataset(tmp_path, INFO)
    open_dataset(tmp_path, INFO)
    assert read_info(tmp_path) == INFO
    with pytest.raises(DatasetError, match="seed"):
        open_dataset(tmp_path, replace(INFO, seed=2))
    with pytest.raises(DatasetError, match="likeness render"):
        read_info(tmp_path / "elsewhere")


def test_the_last_shard_holds_the_rest() -> None:
    assert INFO.shard_count == 3
    assert list(INFO.indices(2)) == [20, 21, 22, 23, 24]
