from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.training.toy_faces import write_toy_faces
from training.evaluation.now.protocol import IBUG
from training.evaluation.scans.subjects import Scored, Scorer, Subject, compared, subjects
from training.registration.models.model import FaceModel


def test_the_photos_of_a_person_are_put_together(tmp_path: Path) -> None:
    write_toy_faces(tmp_path, count=6, per_shard=4)
    info = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(info | {"photos": 2}))
    found = list(subjects(tmp_path, "toys"))
    assert [len(person.photos) for person in found] == [2, 2, 2]
    assert len({photo for person in found for photo in person.photos}) == 6
    assert not list(subjects(tmp_path, "others"))


def test_the_figures_are_of_all_distances_together() -> None:
    good = Scored(np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    bad = Scored(np.array([3.0]), np.array([2.0]))
    found = compared([good, bad, None])
    assert (found.ours, found.control, found.ratio) == (1.0, 2.0, 0.5)
    assert (found.worse, found.count, found.missing) == (0.5, 2, 1)
    with pytest.raises(ValueError, match="no face"):
        compared([None])


def test_a_head_of_the_scans_own_shape_has_no_error() -> None:
    # A bumpy patch, with points that are far enough from one another to lay it down by.
    side = np.linspace(-60, 60, 25)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    patch = np.stack([x, y, 60 - (x**2 + 1.4 * y**2) / 120 + 4 * np.sin(x / 9)], 1)
    cells = np.arange(625).reshape(25, 25)
    a, b, c, d = (part.ravel() for part in (cells[:-1, :-1], cells[:-1, 1:], cells[1:, 1:], cells[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int64)
    places = {36: (-45, 30), 39: (-15, 30), 42: (15, 30), 45: (45, 30), 33: (0, -5), 48: (-25, -40), 54: (25, -40)}
    ids = {number: int(np.argmin(np.hypot(x - u, y - v))) for number, (u, v) in places.items()}
    mode = 6 * np.exp(-((x - 5) ** 2 + (y + 5) ** 2) / 900)[:, None] * np.array([0, 0, 1.0])
    landmarks = {number: 0.1 * patch[vertex] for number, vertex in ids.items()}
    model = FaceModel("toy", 0.1 * patch, triangles, 0.1 * mode[None], landmarks, "cm", "", "")
    everything = np.zeros(68, np.int64)
    everything[IBUG] = [ids[int(number)] for number in IBUG]
    bundle = SimpleNamespace(
        description={"material_names": ["skin"]}, arrays={"material": np.zeros(len(triangles) // 2, int)},
        triangles=triangles, landmarks68=everything, mean=patch, vertices=lambda c: patch + c[0] * mode,
    )  # fmt: skip
    answer = SimpleNamespace(identity=np.array([1.5]))
    reconstructor = SimpleNamespace(bundle=bundle, reconstruct=lambda picture, refine: answer)
    scorer, person = Scorer(reconstructor, model), Subject(np.array([1.5]), (b"",), (0.0,))  # type: ignore[arg-type]
    scored = scorer.score(person, [0], scorer.control(person))
    assert scored is not None
    assert np.median(scored.ours) < 1e-3
    assert np.median(scored.control) > 0.3
