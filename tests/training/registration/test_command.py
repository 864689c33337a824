from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likeness.cli import main
from training.populations.anny import AnnyPopulation
from training.populations.files import load_population
from training.populations.linear import LinearPopulation
from training.registration import jobs, scans
from training.registration.align import fit_similarity
from training.registration.rig import Rig
from training.registration.surface import Surface

from .conftest import write_obj, write_scan

Heads = Callable[[int], np.ndarray]


@pytest.fixture
def ready(rig: Rig, population: AnnyPopulation, quick: None, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """The command with the rig at hand, which takes ten seconds to make."""
    monkeypatch.setattr("training.makehuman.BaseMesh", lambda: None)
    monkeypatch.setattr("training.template.HeadAssembler", lambda base: None)
    monkeypatch.setattr("training.registration.rig.Rig.of", staticmethod(lambda assembler: rig))
    monkeypatch.setattr("training.populations.anny.AnnyPopulation.of", staticmethod(lambda assembler: population))
    monkeypatch.setattr("training.registration.traits.DRAWS", 40)
    return rig


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, other_heads: Heads) -> list[str]:
    """Names of the scans that were registered, in order; only those called whole are given the work."""
    names: list[str] = []
    really = jobs.register_scan

    def instead(rig: Rig, path: Path, unit: str) -> scans.KeptScan:
        names.append(path.name)
        if path.stem == "stop":
            raise KeyboardInterrupt
        if not path.stem[-1].isdigit() or path.stem.startswith("whole"):
            return really(rig, path, unit)
        vertices, triangles = scans.read_mesh(path)
        file = scans.landmark_file(path)
        assert file is not None
        target = scans.placed_target(rig, vertices, triangles, scans.read_landmarks(file, vertices), unit)
        return scans.KeptScan(other_heads(int(path.stem[-1])), target)

    monkeypatch.setattr(jobs, "register_scan", instead)
    return names


@pytest.fixture
def unpictured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture, which takes some seconds."""
    monkeypatch.setattr("training.registration.report.write_picture", lambda *args: None)


def write_head(folder: Path, rig: Rig, head: np.ndarray, name: str, marked: bool = True) -> None:
    skin = head[rig.skin_ids]
    write_scan(folder / name, skin, np.searchsorted(rig.skin_ids, rig.skin), head[rig.landmarks68] if marked else None)


def distances(rig: Rig, found: np.ndarray, head: np.ndarray) -> np.ndarray:
    """From a head's skin to another's laid on it."""
    skin = rig.skin_ids
    goal = fit_similarity(head[skin], found[skin].astype(float), scale=1.0)(head[skin])
    return Surface(found.astype(float), rig.skin).closest(goal).distance


def test_scans_become_a_population_with_a_report(
    ready: Rig, other_heads: Heads, registered: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "scans", tmp_path / "out" / "people.npz"
    folder.mkdir()
    truth = [other_heads(seed) for seed in range(3)]
    for seed, head in enumerate(truth):
        write_head(folder, ready, head, f"{'whole' if seed == 0 else 'head'}{seed}.obj")
    write_head(folder, ready, truth[0], "bare.obj", marked=False)
    fins = np.concatenate([ready.skin, ready.skin + np.array([0, 0, 1])])
    write_scan(folder / "fins.obj", truth[0], fins % len(truth[0]), truth[0][ready.landmarks68])
    (folder / "empty.obj").write_text("")
    (folder / "empty.json").write_text("{}")
    assert main(["register", str(folder), "--output", str(output), "--licence", "CC0"]) == 1
    said = capsys.readouterr().err
    for name, reason in (("bare.obj", "no landmarks"), ("fins.obj", "non-manifold"), ("empty.obj", "no vertices")):
        assert any(line.startswith(name) and reason in line for line in said.splitlines()), said
    population = load_population(output)
    assert isinstance(population, LinearPopulation)
    assert (population.name, population.licence, len(population.modes)) == ("people", "CC0", 2)
    assert np.median(distances(ready, population.mean, np.mean(truth, axis=0))) < 1.0
    report = json.loads((tmp_path / "out" / "people-report" / "report.json").read_text())
    assert [item["name"] for item in report["residuals_mm"]] == ["head1.obj", "head2.obj", "whole0.obj"]
    assert report["residuals_mm"][2]["median"] < 0.3
    assert sorted(report["skipped"]) == ["bare.obj", "empty.obj", "fins.obj"]
    assert (tmp_path / "out" / "people-report" / "report.png").stat().st_size > 10_000
    assert "bare.obj" in (tmp_path / "out" / "people-report" / "report.md").read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["people-report", "people.npz"]


def test_a_stopped_run_goes_on_where_it_was(
    ready: Rig, other_heads: Heads, registered: list[str], unpictured: None, tmp_path: Path
) -> None:
    for seed in range(2):
        write_head(tmp_path, ready, other_heads(seed), f"a{seed}.obj")
    write_head(tmp_path, ready, other_heads(2), "stop.obj")
    write_head(tmp_path, ready, other_heads(3), "t3.obj")
    words = ["register", str(tmp_path), "--output", str(tmp_path / "p" / "people.npz")]
    assert main(words) == 130
    assert not (tmp_path / "p" / "people.npz").exists()
    assert registered == ["a0.obj", "a1.obj", "stop.obj"]
    (tmp_path / "stop.obj").unlink()
    # Torn while it was written, and a scan that changed since.
    (tmp_path / "p" / "people-work" / "t3.obj.npz.part").write_bytes(b"half")
    write_head(tmp_path, ready, other_heads(1) + 1.0, "a1.obj")
    assert main(words) == 0
    assert registered[3:] == ["a1.obj", "t3.obj"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["people-report", "people.npz"]


def test_meshes_of_one_topology_need_landmarks_once(
    ready: Rig, other_heads: Heads, unpictured: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = [other_heads(seed) for seed in range(4)]
    for seed, head in enumerate(heads):
        write_head(tmp_path, ready, head, f"{seed}.obj", marked=seed == 1)
    write_obj(tmp_path / "other.obj", heads[0][:200], np.arange(198).reshape(-1, 3))
    assert main(["register", str(tmp_path), "--output", str(tmp_path / "out.npz"), "--variance", "1"]) == 1
    assert "other.obj: left out, its 200 vertices" in capsys.readouterr().err
    population = load_population(tmp_path / "out.npz")
    assert isinstance(population, LinearPopulation)
    assert len(population.modes) == 3
    # Four heads lie in the span of three modes: each is found again.
    skin = ready.skin_ids
    columns = population.modes[:, skin].reshape(3, -1).T.astype(float)
    for head in heads:
        goal = fit_similarity(head[skin], population.mean[skin].astype(float), scale=1.0)(head[skin])
        weights = np.linalg.lstsq(columns, (goal - population.mean[skin]).ravel(), rcond=None)[0]
        assert np.abs(weights).max() < 2.5
        found = population.mean + np.tensordot(weights, population.modes, 1)
        usual = np.median(distances(ready, population.mean, head))
        assert np.median(distances(ready, found, head)) < 0.4 * usual


def test_what_holds_nothing_is_refused(ready: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("")
    output = ["--output", str(tmp_path / "p.npz")]
    for words, reason in (
        ([str(tmp_path / "empty"), *output], "has no scans"),
        ([str(tmp_path / "none"), *output], "there is no"),
        ([str(tmp_path / "a.txt"), *output], "neither a folder of scans nor a face model"),
        ([str(tmp_path / "empty"), "--output", str(tmp_path / "p.obj")], "is an .npz file"),
    ):
        assert main(["register", *words]) == 2
        assert reason in capsys.readouterr().err
    assert not (tmp_path / "p.npz").exists()
