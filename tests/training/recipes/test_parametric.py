from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from likeness.cli import main
from tests.training.toy_model import toy_model
from training.recipes.inverse import run as inverse
from training.recipes.mofa import run as mofa


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    toy_model().save(path)
    return path


def test_inverse_by_command(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "inverse", "--config", "tiny", "--output", str(tmp_path / "run"), "--threads", "1"]
    assert main([*words, "--steps", "2"]) == 2
    assert "--populations" in capsys.readouterr().err
    assert main([*words, "--steps", "2", "--model", str(model)]) == 0
    found = inverse.load_run(tmp_path / "run")
    assert found.step == 2 and found.config.breed is None, "no photos to breed towards"
    assert main([*words, "--model", str(model)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    mistaken = ["train", "mofa", "--output", str(tmp_path / "run"), "--resume", "--model", str(model)]
    assert main(mistaken) == 2
    assert "of the recipe inverse, not of mofa" in capsys.readouterr().err


def test_mofa_by_command_with_a_face_model_of_more_columns(model: Path, tmp_path: Path) -> None:
    words = ["train", "mofa", "--config", "tiny", "--output", str(tmp_path / "run"), "--threads", "1", "--steps", "2"]
    (tmp_path / "run").mkdir()
    model.rename(tmp_path / "run" / mofa.MODEL)
    assert main([*words, "--set", "codes.identity=4", "--set", "losses.landmarks=1"]) == 0
    found = mofa.load_run(tmp_path / "run")
    assert found.step == 2 and found.config.losses.landmarks == 1
    assert len(found.model.identity) == found.config.codes.identity == 4
