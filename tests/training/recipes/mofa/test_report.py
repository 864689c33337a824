from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("matplotlib")

from tests.training.recipes.inverse.test_report import TrueMarks, with_expressions  # noqa: E402
from tests.training.toy_faces import write_toy_faces  # noqa: E402
from tests.training.toy_model import toy_model  # noqa: E402
from training.formation.decoder import head_decoder  # noqa: E402
from training.recipes.mofa.config import tiny  # noqa: E402
from training.recipes.mofa.pictures import Scenes  # noqa: E402
from training.recipes.mofa.report.build import Inputs, bars, build  # noqa: E402
from training.recipes.mofa.report.study import small  # noqa: E402
from training.recipes.mofa.rivals import ConvAutoencoder, colour_distance, train_decoder  # noqa: E402


def test_the_whole_report(tmp_path: Path) -> None:
    faces = write_toy_faces(tmp_path / "faces", count=6, size=96)
    with_expressions(faces)
    inputs = Inputs(toy_model(), faces, faces, TrueMarks(faces))
    figures = build(small(), inputs, tmp_path / "report", progress=False)
    assert [row["run"] for row in figures["rows"]] == ["unsupervised", "landmarks", "vgg"]
    assert set(figures["decoders"]) >= {"model-based", "convolutional autoencoder"}
    assert {"geometric", "photometric", "landmarks"} <= set(figures["photos"]["after"])
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "->" in text and "On photos" in text
    assert json.loads((tmp_path / "report" / "report.json").read_text())["rows"][0]["curve"][0]["step"] == 0
    for name in ("curves.png", "faces.png", "decoders.png"):
        assert (tmp_path / "report" / name).stat().st_size > 5_000


def test_bars_say_whether_the_error_is_a_third_of_the_start() -> None:
    # The paper's own figures.
    row = {
        "run": "unsupervised",
        "before": {"geometric": 21.6},
        "after": {"geometric": 4.5, "overlap": 0.95},
        "milliseconds": 4.0,
    }
    assert all(bar["met"] for bar in bars([row]))
    assert not bars([row | {"after": {"geometric": 7.3, "overlap": 0.95}}])[0]["met"]


def test_a_decoder_is_taught_what_codes_look_like(tmp_path: Path) -> None:
    """It comes to know the faces from one another by their codes: better than their mean picture, whatever the code."""
    config = tiny()
    scenes = Scenes(config, toy_model(), head_decoder(toy_model()), 1, 8, tmp_path)
    everything = np.arange(8)
    images, covered = scenes.images(everything), scenes.covered(everything)

    def error(pictures: torch.Tensor) -> float:
        return float((colour_distance(pictures, images) * covered).sum() / covered.sum())

    shown = (images * covered[:, None]).sum(0, keepdim=True) / covered.sum(0).clamp(min=1)
    decoder = train_decoder(scenes, 0.1, 300, 8, 0, progress=False)
    with torch.no_grad():
        assert error(decoder(scenes.code)) < 0.8 * error(shown)
    assert ConvAutoencoder(32, 0.1)(images).shape == images.shape
