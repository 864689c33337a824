"""The whole report on toy data: what CI runs of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from likeness import cli
from tests.training.recipes.components.toy import write_toy_heads, write_toy_objects


def test_one_command_makes_the_report_and_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects, heads = write_toy_objects(tmp_path / "objects", 40), write_toy_heads(tmp_path / "heads", 30)
    output = tmp_path / "report"
    command = ["evaluate", "components", "--objects", objects, "--heads", heads, "--output", output, "--study", "small"]
    assert cli.main(list(map(str, command))) == 0
    text = capsys.readouterr().out
    for title in ("what must be", "Table 2", "Table 1", "How little labelled data", "Voxel IoU", "Pose invariance"):
        assert title in text
    record = json.loads((output / "report.json").read_text())
    part = record["data"]["Objects"]
    assert {run["share"] for run in part["shares"]} == {0.25, 1.0}
    assert 0 <= part["best"]["iou"] <= part["controls"]["nearest shape"]["iou"] + 1
    pictures = sorted(path.name for path in output.glob("*.png"))
    assert pictures == ["heads-heads-at-three-poses-best.png", "objects-objects-best.png", "shares.png"]
    made = {path: path.stat().st_mtime_ns for path in (output / "results").iterdir()}
    assert cli.main(list(map(str, command))) == 0
    assert {path: path.stat().st_mtime_ns for path in (output / "results").iterdir()} == made
    assert json.loads((output / "report.json").read_text()) == record


def test_wrong_folders_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / "report")
    assert cli.main(["evaluate", "components", "--output", output]) == 2
    assert cli.main(["evaluate", "components", "--objects", str(tmp_path / "none"), "--output", output]) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_training_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(write_toy_objects(tmp_path / "objects", 30))
    run = str(tmp_path / "run")
    stages = [f"--set={name}.steps=2" for name in ("images", "shapes", "between", "all")]
    command = ["train", "components", "--config", "tiny", "--data", data, "--output", run]
    assert cli.main([*command, *stages, "--set", "labelled=0.5"]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["labelled"] == 0.5
    assert cli.main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert cli.main([*command, "--resume"]) == 0
