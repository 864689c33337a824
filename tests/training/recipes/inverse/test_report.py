from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("matplotlib")

from tests.training.toy_faces import write_toy_faces  # noqa: E402
from tests.training.toy_model import toy_model  # noqa: E402
from training.recipes.inverse.report.build import Inputs, bars, build, make_sets  # noqa: E402
from training.recipes.inverse.report.study import STUDIES, small  # noqa: E402
from training.recipes.photos import FoundFace  # noqa: E402


def test_the_whole_report(tmp_path: Path) -> None:
    figures = build(small(), Inputs(toy_model()), tmp_path, progress=False)
    assert [row["run"] for row in figures["rows"]] == [
        "plain", "model_space", "bred", "restore", "alexnet", "optimiser",
    ]  # fmt: skip
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "InverseFaceNet" in text and text.count("\n| ") >= 2 * 6 + 12
    assert json.loads((tmp_path / "report.json").read_text())["rows"][2]["rounds"][-1]["round"] == 2
    assert all((tmp_path / name).stat().st_size > 5_000 for name in ("faces.png", "rounds.png"))
    runs = {path.name: (path / "checkpoint.pt").stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    build(small(), Inputs(toy_model()), tmp_path, progress=False)
    again = {path.name: (path / "checkpoint.pt").stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert runs == again, "finished runs are kept"


def test_bars_say_what_is_better() -> None:
    def row(name: str, photometric: float, geometric: float, overlap: float) -> dict[str, object]:
        values = {"photometric": photometric, "geometric": geometric, "overlap": overlap}
        scores = {kind: {"mean": value} for kind, value in values.items()}
        return {"run": name, "target": scores, "drawn": scores, "milliseconds": 9.0}

    # The paper's own figures.
    papers = [row("plain", 46.26, 2.91, 0.9044), row("model_space", 39.71, 2.77, 0.9251)]
    papers += [row("bred", 34.03, 2.11, 0.9396), row("restore", 34.0, 2.1, 0.94)]
    assert all(bar["met"] for bar in bars(papers))
    papers[2] = row("bred", 41.0, 2.11, 0.92)
    missed = [bar["bar"] for bar in bars(papers) if not bar["met"]]
    assert missed == [
        "photometric: bred better than model_space",
        "overlap: bred better than model_space",
    ]
    papers[3] = row("restore", 34.0, 2.1, 0.92)
    missed = [bar["bar"] for bar in bars(papers) if not bar["met"]]
    assert missed[-2:] == ["overlap on held-out drawn faces", "overlap on test faces"]


def test_all_rows_train_for_as_many_batches() -> None:
    for study in (make() for name, make in STUDIES.items() if name != "small"):
        steps = {name: config.steps for name, config in study.configs.items()}
        assert steps["plain"] == steps["model_space"] == steps["bred"]


class TrueMarks:
    """A detector that knows where toy faces have their points."""

    def __init__(self, folder: Path) -> None:
        from training.shards import read_shard, shard_paths

        self.known = {s.picture: s.arrays["landmarks68"] for path in shard_paths(folder) for s in read_shard(path)}

    def find(self, content: bytes) -> FoundFace:
        from io import BytesIO

        from PIL import Image

        return FoundFace(Image.open(BytesIO(content)).convert("RGB"), self.known[content])


def test_rendered_faces_stand_for_photos_and_are_scored_by_their_truth(tmp_path: Path) -> None:
    model = toy_model()
    folder = write_toy_faces(tmp_path / "faces", count=8, size=96)
    with_expressions(folder)
    study = small()
    inputs = Inputs(model, folder, folder, TrueMarks(folder))
    sets = make_sets(study, inputs, study.configs["bred"], tmp_path, progress=False)
    assert len(sets.test) >= 4 and sets.truth.heads.shape == (len(sets.test), *model.mean.shape)
    turned = sets.truth.heads[0] @ sets.truth.rotations[0].T
    marks = turned[model.template["landmarks68"], :2]
    seen = sets.test.landmarks[0]
    assert np.corrcoef(marks[:, 0], seen[:, 0])[0, 1] > 0.95 and np.corrcoef(marks[:, 1], seen[:, 1])[0, 1] > 0.95


def with_expressions(folder: Path) -> None:
    from training.shards import read_shard, shard_paths, write_shard

    for path in shard_paths(folder):
        samples = []
        for sample in read_shard(path):
            arrays = sample.arrays | {"expression": np.zeros(52, np.float32)}
            samples.append(replace(sample, arrays=arrays, parameters=sample.parameters | {"resolution": 96}))
        write_shard(path, samples)
