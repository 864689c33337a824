"""Shards: WebDataset tars of rendered samples, written whole or not at all, and the folder that holds them.

A sample's members are ``KEY.jpg`` (the picture), ``KEY.json`` (all its parameters), ``KEY.npz`` (arrays) and, where
passes were rendered, ``KEY.seg.png`` and ``KEY.truth.npz`` (see :mod:`training.truth`). A shard is written under a
temporary name, read back, then renamed; so a file called ``shard-*.tar`` is always complete. Nothing here unpickles.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCHEMA = 2

PICTURE_ENDINGS = ("jpg", "png")


class DatasetError(ValueError):
    """A dataset folder that cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a folder of shards holds; two runs may share a folder only if these are equal.

    engine and passes are names from the command line; populations the share of identities from each; digests the
    sha256 of everything else that samples depend on, by name. photos of one person follow one another; yaws degrees,
    the photos' in turn, none where they are drawn.
    """

    seed: int
    count: int
    per_shard: int
    resolution: int
    samples: int
    engine: str = "cycles"
    passes: tuple[str, ...] = ()
    populations: Mapping[str, float] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA
    photos: int = 1
    yaws: tuple[float, ...] = ()

    @property
    def shard_count(self) -> int:
        """Number of shards."""
        return -(-self.count // self.per_shard)

    def indices(self, shard: int) -> range:
        """Sample indices of one shard."""
        return range(shard * self.per_shard, min((shard + 1) * self.per_shard, self.count))


@dataclass(frozen=True)
class Sample:
    """One rendered photo: its index, the picture's bytes, parameters, arrays.

    packed holds the passes as members by ending, which :func:`training.truth.unpack_truth` reads.
    """

    index: int
    picture: bytes
    parameters: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    packed: dict[str, bytes] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name in the shard."""
        return f"{self.index:08d}"


def shard_path(folder: Path, shard: int) -> Path:
    """Where a finished shard lies."""
    return folder / f"shard-{shard:06d}.tar"


def shard_paths(folder: Path) -> list[Path]:
    """The finished shards of a dataset, in order."""
    return sorted(folder.glob("shard-*.tar"))


def open_dataset(folder: Path, info: DatasetInfo) -> None:
    """Makes the folder, or checks that what it holds was made with the same settings.

    Raises :class:`DatasetError` when it holds another dataset.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dataset.json"
    if not path.exists():
        write_whole(path, json.dumps(asdict(info), indent=1).encode())
        return
    held = read_info(folder)
    differing = [f.name for f in fields(DatasetInfo) if getattr(held, f.name) != getattr(info, f.name)]
    if differing:
        raise DatasetError(
            f"{folder} holds shards made with other settings ({', '.join(differing)}): "
            "choose another --output, or give the same settings to go on with it."
        )


def read_info(folder: Path) -> DatasetInfo:
    """Settings of the dataset in a folder. Raises :class:`DatasetError` when it holds none."""
    path = folder / "dataset.json"
    if not path.exists():
        raise DatasetError(f"{folder} is no dataset (it has no dataset.json): make one with `likeness render`.")
    known = {f.name for f in fields(DatasetInfo)}
    try:
        values = {name: value for name, value in json.loads(path.read_text()).items() if name in known}
        values |= {name: tuple(values.get(name, ())) for name in ("passes", "yaws")}
        return DatasetInfo(**values)
    except (AttributeError, TypeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}): render the dataset anew.") from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under another name first, so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_shard(path: Path, samples: Iterable[Sample]) -> int:
    """Writes samples to a shard as they come; returns how many. Nothing is left under ``path`` unless all went well.

    Raises :class:`DatasetError` when what was written does not read back, ``OSError`` when the disk is full.
    """
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    written = 0
    try:
        with part.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                for sample in samples:
                    for ending, content in _members(sample).items():
                        member = tarfile.TarInfo(f"{sample.key}.{ending}")
                        member.size = len(content)
                        tar.addfile(member, io.BytesIO(content))
                    written += 1
            file.flush()
            os.fsync(file.fileno())
        found = sum(1 for _ in read_shard(part))
        if found != written:
            raise DatasetError(f"{part} reads back {found} of {written} samples: check the disk, then run again.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written


def _members(sample: Sample) -> dict[str, bytes]:
    arrays = io.BytesIO()
    np.savez(arrays, **sample.arrays)
    parameters = json.dumps(sample.parameters).encode()
    return {"jpg": sample.picture, "json": parameters, "npz": arrays.getvalue(), **sample.packed}


def read_shard(path: Path) -> Iterator[Sample]:
    """The samples of a shard, in order.

    Raises :class:`DatasetError` on a truncated file, and on a sample that is incomplete.
    """
    for key, members in read_members(path):
        picture = next((members[ending] for ending in PICTURE_ENDINGS if ending in members), None)
        if picture is None or not {"json", "npz"} <= set(members):
            raise DatasetError(
                f"sample {key} of {path} is incomplete ({', '.join(sorted(members))}): render the shard anew."
            )
        packed = {ending: members[ending] for ending in members if "." in ending}
        try:
            with np.load(io.BytesIO(members["npz"]), allow_pickle=False) as opened:
                arrays = {name: opened[name] for name in opened.files}
            sample = Sample(int(key), picture, json.loads(members["json"]), arrays, packed)
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            raise DatasetError(f"sample {key} of {path} is damaged ({error}): render the shard anew.") from error
        yield sample


def count_samples(path: Path) -> int:
    """How many samples a shard holds, read off its headers."""
    try:
        with tarfile.open(path) as tar:
            return sum(member.name.endswith(".json") for member in tar)
    except (tarfile.ReadError, EOFError) as error:
        raise _damaged(path, error) from error


def read_members(path: Path, endings: Collection[str] | None = None) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Key and members by ending of each sample, all of them or those with some endings; others are not read.

    Raises :class:`DatasetError` on a truncated file.
    """
    key, members = "", dict[str, bytes]()
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                stem, _, ending = member.name.partition(".")
                if stem != key and key:
                    yield key, members
                    members = {}
                key = stem
                file = tar.extractfile(member) if endings is None or ending in endings else None
                if file:
                    members[ending] = file.read()
    except (tarfile.ReadError, EOFError) as error:
        raise _damaged(path, error) from error
    if key:
        yield key, members


def _damaged(path: Path, error: Exception) -> DatasetError:
    return DatasetError(f"{path} is damaged ({error}): delete it and render again, the others are kept.")
