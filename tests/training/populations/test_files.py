from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.populations.anny import AnnyPopulation
from training.populations.files import BadPopulation, found, load_population, load_populations
from training.populations.linear import LinearPopulation, no_traits
from training.populations.mixture import Mixture


@pytest.fixture(scope="module")
def files(population: AnnyPopulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("populations")
    population.save(folder / "anny.npz")
    modes = np.zeros((1, *population.neutral.shape), np.float32)
    scans = LinearPopulation("scans", population.neutral, modes, population.layout, population.template, no_traits(1))
    scans.save(folder / "scans.npz")
    return folder


def test_kinds_are_told_apart_and_mixed_by_weight(files: Path) -> None:
    assert isinstance(load_population(files / "anny.npz"), AnnyPopulation)
    assert isinstance(load_populations([f"{files}/scans.npz"]), LinearPopulation)
    mixed = load_populations([f"{files}/anny.npz:0.6", f"{files}/scans.npz:0.2"])
    assert isinstance(mixed, Mixture)
    assert mixed.weights == pytest.approx((0.75, 0.25))
    equal = load_populations([f"{files}/anny.npz", f"{files}/scans.npz"])
    assert isinstance(equal, Mixture)
    assert equal.weights == (0.5, 0.5)


def test_files_that_are_no_population_are_refused_with_a_sentence(files: Path, tmp_path: Path) -> None:
    whole = (files / "scans.npz").read_bytes()
    (tmp_path / "torn.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", quads=np.zeros(3))
    np.savez(tmp_path / "half.npz", kind="linear", mean=np.zeros((3, 3)))
    np.savez(tmp_path / "objects.npz", kind=np.array([{}], dtype=object))
    for name in ("torn", "empty", "other", "half", "objects", "missing"):
        with pytest.raises(BadPopulation, match=f"{name}.npz"):
            load_population(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf"])
def test_weights_that_make_no_sense_are_refused(files: Path, weight: str) -> None:
    with pytest.raises(BadPopulation, match="above zero"):
        load_populations([f"{files}/anny.npz:{weight}"])


def test_anny_is_made_once_into_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Maker:
        @staticmethod
        def from_anny() -> object:
            made.append(1)
            return Maker

        @staticmethod
        def save(path: Path) -> None:
            path.write_bytes(b"population")

    monkeypatch.setattr("training.populations.files.AnnyPopulation", Maker)
    assert found("anny:0.3", tmp_path / "data") == f"{tmp_path / 'data' / 'population.npz'}:0.3"
    assert found("anny", tmp_path / "data") == str(tmp_path / "data" / "population.npz")
    assert found("scans.npz:0.7", tmp_path) == "scans.npz:0.7"
    assert len(made) == 1
