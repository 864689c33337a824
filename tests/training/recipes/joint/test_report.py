from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.training.toy_faces import write_toy_faces

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("scipy")


def test_one_command_makes_the_whole_report_and_makes_it_again(tmp_path: Path) -> None:
    from likeness.cli import main

    data = write_toy_faces(tmp_path / "data", count=60, size=40)
    test = write_toy_faces(tmp_path / "test", count=24, size=40, seed=1)
    report = tmp_path / "report"
    words = ["evaluate", "joint", "--report", str(report), "--data", str(data), "--test", str(test), "--study", "small"]
    assert main(words) == 0
    figures = json.loads((report / "report.json").read_text())
    methods = figures["methods"]
    assert methods["mean"]["similarity"]["ratio"] == pytest.approx(1.0)
    assert methods["closed_i"]["similarity"]["ratio"] < 1.0
    assert {"paper_joint", "paper_fixed", "paper_first", "shipped"} <= methods.keys()
    assert len(methods["shipped"]["named"]) == 4
    # A fixed basis is PCA's, whatever is trained on it.
    assert max(angle["largest"] for angle in figures["few"]["few_fixed"].values()) < 0.1
    text = (report / "report.md").read_text()
    for name in ("pose", "maps", "faces", "basis", "columns", "training"):
        assert f"({name}.png)" in text
        with Image.open(report / f"{name}.png") as picture:
            assert min(picture.size) > 200
    before = (report / "runs" / "paper_joint" / "checkpoint.pt").stat().st_mtime_ns
    assert main(words) == 0
    assert (report / "runs" / "paper_joint" / "checkpoint.pt").stat().st_mtime_ns == before
    assert json.loads((report / "report.json").read_text())["methods"] == methods


def test_a_report_needs_other_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from likeness.cli import main

    assert main(["evaluate", "joint", "--report", str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "--test" in capsys.readouterr().err
