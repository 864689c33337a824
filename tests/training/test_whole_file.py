from __future__ import annotations

from pathlib import Path

import pytest

from training.whole_file import whole_file


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "population.npz"
    with whole_file(path) as file:
        file.write(b"first")
    with pytest.raises(OSError, match="disk"), whole_file(path) as file:
        file.write(b"sec")
        raise OSError("the disk is full")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
