from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from tests.training.toy_model import toy_model  # noqa: E402
from training.recipes.feedback.config import tiny  # noqa: E402
from training.recipes.feedback.network import FeedbackNetwork  # noqa: E402
from training.recipes.feedback.report.build import CAMERAS, Measure, bars, build, draw_faces, landmark_fits  # noqa: E402
from training.recipes.feedback.report.study import STUDIES, small  # noqa: E402
from training.recipes.feedback.run import Trained, reduced  # noqa: E402


def test_the_whole_report(tmp_path: Path) -> None:
    figures = build(small(), toy_model(), tmp_path, progress=False)
    assert len(figures["iterations"]) == 4 and figures["iterations"][0]["of_control"] == pytest.approx(1.0)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "iteration 3" in text and "full perspective" in text
    assert json.loads((tmp_path / "report.json").read_text())["faces"] == 6
    assert all((tmp_path / name).stat().st_size > 5_000 for name in ("faces.png", "iterations.png"))
    runs = {path.name: (path / "checkpoint.pt").stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    build(small(), toy_model(), tmp_path, progress=False)
    again = {path.name: (path / "checkpoint.pt").stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert runs == again, "finished runs are kept"


def test_true_landmarks_find_the_head_that_noisy_ones_miss() -> None:
    config = tiny()
    run = Trained(config, FeedbackNetwork(config).eval(), reduced(toy_model(), config), 0)
    faces = draw_faces(run, 8)
    measure = Measure(run)
    for find in CAMERAS.values():
        fits = [landmark_fits(run, faces, share, find) for share in (1e-4, 0.3)]
        near, far = (measure.errors(found, faces.truth)["of_control"] for found in fits)
        assert near < 0.6 < far
    assert faces.pictures.shape == (8, config.size, config.size)
    assert faces.landmarks.min() > 0 and faces.landmarks.max() < config.size


def test_bars_ask_for_what_the_issue_asks() -> None:
    def figures(errors: list[float], once: float, noisy: float) -> dict[str, object]:
        return {
            "iterations": [{"mm": error} for error in errors],
            "once": {"mm": once},
            "landmarks": {"affine, 3 % noise": {"mm": 9.0}, "weak perspective, 3 % noise": {"mm": noisy}},
        }

    assert all(bar["met"] for bar in bars(figures([3.0, 1.2, 1.1, 1.05], 1.2, 1.3)))
    missed = [bar["bar"] for bar in bars(figures([3.0, 1.2, 1.25, 1.2], 1.2, 1.3)) if not bar["met"]]
    assert missed == [
        "error after iteration 2 as a share of that before",
        "the last iteration against landmarks with 3 % noise",
        "the last iteration against a network that answers once",
    ]


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "small"])
def test_networks_that_are_compared_have_the_same_size_and_training(name: str) -> None:
    configs = STUDIES[name]().configs
    assert len({(c.size, c.widths, c.schedule.steps) for c in configs.values()}) == 1
    assert configs["once"].mean == 1.0 and configs["once"].iterations == 1
    near, far = configs["perspective"].faces.distance
    assert near < far
