"""A bundle's folder, put in its place when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGEST_MEGABYTES = 60


@contextmanager
def whole_bundle(output: Path, remedy: str) -> Iterator[Path]:
    """A folder beside `output` to write a bundle into; at the end it replaces what is there.

    When anything fails before, `output` is as it was. Raises `ValueError`, with `remedy` as what to do about it, where
    the bundle is too large.
    """
    temporary, previous = (output.with_name(output.name + ending) for ending in (".partial", ".previous"))
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        megabytes = sum(path.stat().st_size for path in temporary.iterdir()) / 1e6
        if megabytes > LARGEST_MEGABYTES:
            raise ValueError(f"the bundle would have {megabytes:.0f} MB, more than {LARGEST_MEGABYTES}: {remedy}")
        shutil.rmtree(previous, ignore_errors=True)
        if output.exists():
            output.rename(previous)
        temporary.rename(output)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
