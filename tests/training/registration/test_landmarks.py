from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.registration.landmarks import landmark_file, read_landmarks
from training.registration.target import BadScan

VERTICES = np.random.default_rng(0).normal(size=(200, 3))
IDS = np.arange(100, 168)


def test_every_format_gives_the_same_points(tmp_path: Path) -> None:
    points = VERTICES[IDS]
    (tmp_path / "list.json").write_text(json.dumps(points.tolist()))
    (tmp_path / "ids.json").write_text(json.dumps({str(n): int(v) for n, v in enumerate(IDS)}))
    (tmp_path / "plain.txt").write_text("\n".join(" ".join(f"{x:.9f}" for x in point) for point in points))
    (tmp_path / "numbered.csv").write_text(
        "# id,x,y,z\n" + "\n".join(f"{n},{x},{y},{z}" for n, (x, y, z) in enumerate(points))
    )
    np.save(tmp_path / "places.npy", points)
    np.save(tmp_path / "vertices.npy", IDS)
    for path in sorted(tmp_path.iterdir()):
        found = read_landmarks(path, VERTICES)
        assert sorted(found) == list(range(68)), path.name
        assert np.abs(np.stack([found[n] for n in range(68)]) - points).max() < 1e-6, path.name


def test_a_named_subset_is_enough(tmp_path: Path) -> None:
    names = [
        "right.eye.corner_outer",
        "left.eye.corner_outer",
        "center.nose.tip",
        "right.lips.corner",
        "center.chin.tip",
    ]
    marks = [
        {"id": name, "coordinates": [1.0, 2.0, float(i)]} for i, name in enumerate([*names, "left.ear.tragus.tip"])
    ]
    (tmp_path / "scalismo.json").write_text(json.dumps(marks))
    found = read_landmarks(tmp_path / "scalismo.json", VERTICES)
    assert sorted(found) == [8, 30, 36, 45, 48]
    assert found[30].tolist() == [1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("few.txt", "30 1 2 3\n31 1 2 3", "2 landmarks"),
        ("short.txt", "1 2 3\n4 5 6", "68 are needed"),
        ("far.json", '{"68": [1,2,3], "1": [0,0,0]}', "from 0 to 67"),
        ("flat.json", '{"1": [1, 2]}', "neither a vertex"),
        ("nan.txt", "\n".join(["nan 0 0"] * 68), "neither a vertex"),
        ("torn.json", '{"1": [1,', "cannot be read"),
        ("words.txt", "the nose is over here", "cannot be read"),
        ("torn.npy", "", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadScan, match=reason):
        read_landmarks(tmp_path / name, VERTICES)


def test_they_lie_beside_the_mesh(tmp_path: Path) -> None:
    assert landmark_file(tmp_path / "head.obj") is None
    (tmp_path / "head_landmarks.txt").write_text("")
    assert landmark_file(tmp_path / "head.obj") == tmp_path / "head_landmarks.txt"
    (tmp_path / "head.json").write_text("")
    assert landmark_file(tmp_path / "head.obj") == tmp_path / "head.json"
