"""Shards: WebDataset tars of rendered samples, written whole or not at all.

A sample's members are ``KEY.jpg`` (the picture), ``KEY.json`` (all its parameters) and ``KEY.npz`` (arrays). A shard is
written under a temporary name, read back, then renamed; so a file called ``shard-*.tar`` is always complete.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCHEMA = 1


class DatasetError(ValueError):
    """A dataset folder that cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a folder of shards holds; two runs may share a folder only if these are equal."""

    seed: int
    count: int
    per_shard: int
    resolution: int
    samples: int
    engine: str
    view_transform: str
    template_sha256: str
    schema: int = SCHEMA

    @property
    def shard_count(self) -> int:
        """Number of shards."""
        return -(-self.count // self.per_shard)

    def indices(self, shard: int) -> range:
        """Sample indices of one shard."""
        return range(shard * self.per_shard, min((shard + 1) * self.per_shard, self.count))


@dataclass(frozen=True)
class Sample:
    """One rendered photo: its index, JPEG bytes, parameters and arrays."""

    index: int
    picture: bytes
    parameters: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def shard_path(folder: Path, shard: int) -> Path:
    """Where a finished shard lies."""
    return folder / f"shard-{shard:06d}.tar"


def open_dataset(folder: Path, info: DatasetInfo) -> None:
    """Makes the folder, or checks that what it holds was made with the same settings.

    Raises :class:`DatasetError` when it holds another dataset.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dataset.json"
    if path.exists():
        held = read_info(folder)
        differing = [name for name, value in asdict(info).items() if getattr(held, name) != value]
        if differing:
            raise DatasetError(
                f"{folder} holds shards made with other settings ({', '.join(differing)}): "
                "choose another --output, or give the same settings to go on with it."
            )
        return
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(info), indent=1))
    part.replace(path)


def read_info(folder: Path) -> DatasetInfo:
    """Settings of the dataset in a folder. Raises :class:`DatasetError` when it holds none."""
    path = folder / "dataset.json"
    if not path.exists():
        raise DatasetError(f"{folder} is no dataset (it has no dataset.json): make one with `likeness render`.")
    try:
        return DatasetInfo(**json.loads(path.read_text()))
    except (TypeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}): render the dataset anew.") from error


def write_shard(path: Path, samples: Iterator[Sample]) -> int:
    """Writes samples to a shard as they come; returns how many. Nothing is left under ``path`` unless all went well."""
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    written = 0
    try:
        with tarfile.open(part, "w") as tar:
            for sample in samples:
                key = f"{sample.index:08d}"
                packed = io.BytesIO()
                np.savez(packed, **sample.arrays)
                _add(tar, f"{key}.jpg", sample.picture)
                _add(tar, f"{key}.json", json.dumps(sample.parameters).encode())
                _add(tar, f"{key}.npz", packed.getvalue())
                written += 1
        found = sum(1 for _ in read_shard(part))
        if found != written:
            raise DatasetError(f"{part} reads back {found} of {written} samples: check the disk, then run again.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written


def read_shard(path: Path) -> Iterator[Sample]:
    """The samples of a shard, in order. Raises :class:`DatasetError` on a truncated file."""
    members: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member)
                key, _, ending = member.name.partition(".")
                content = members.setdefault(key, {})
                content[ending] = file.read() if file else b""
                if len(content) == 3:
                    del members[key]
                    with np.load(io.BytesIO(content["npz"]), allow_pickle=False) as arrays:
                        values = {name: arrays[name] for name in arrays.files}
                    yield Sample(int(key), content["jpg"], json.loads(content["json"]), values)
    except (tarfile.ReadError, EOFError) as error:
        raise DatasetError(f"{path} is damaged ({error}): delete it and render again, the others are kept.") from error


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
