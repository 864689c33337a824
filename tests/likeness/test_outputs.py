from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.outputs import held_stdout, staged

ROOT = Path(__file__).resolve().parents[2]


def test_files_of_a_finished_block_replace_old_ones(tmp_path: Path) -> None:
    (tmp_path / "head.obj").write_text("old")
    with staged(tmp_path) as folder:
        (folder / "head.obj").write_text("mtllib head.mtl")
        (folder / "head.mtl").write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "head.obj": "mtllib head.mtl",
        "head.mtl": "new",
    }


def test_a_failed_block_leaves_all_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "head.glb").write_text("old")

    def fail() -> None:
        with staged(tmp_path) as folder:
            (folder / "head.glb").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"head.glb": "old"}


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with staged(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("x")
    assert (tmp_path / "a" / "b" / "x").exists()


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(OSError) as caught, staged(tmp_path / "a"):
        pass
    assert caught.value.filename == str(tmp_path / "a")


def test_what_is_printed_meanwhile_stays_off_standard_output() -> None:
    code = (
        "import os\nfrom likeness.outputs import held_stdout\n"
        "print('before')\nwith held_stdout():\n    print('python'); os.write(1, b'native')\nprint('after')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["before", "after"]
    assert done.stderr == ""


def test_what_was_printed_before_a_failure_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), held_stdout():
        os.write(1, b"the reason\n")
        raise ValueError
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "the reason\n"
