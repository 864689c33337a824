from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_faces import write_toy_faces  # noqa: E402
from training.dataset import FaceSet, read_faces, split  # noqa: E402
from training.recipes.joint.config import CONFIGURATIONS, JointConfig, paper, tiny  # noqa: E402
from training.recipes.joint.run import load_run  # noqa: E402
from training.recipes.joint.train import measured_steps, train  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_faces(tmp_path_factory.mktemp("faces"), count=40, size=40)


@pytest.fixture(scope="module")
def faces(data: Path) -> FaceSet:
    return read_faces(data, progress=False)


def _short(steps: int = 8) -> JointConfig:
    base = tiny()
    schedule = replace(base.schedule, steps=steps, batch_size=8, warmup=2)
    return replace(base, schedule=schedule, checkpoint_every=3, validate_every=100)


def _losses(folder: Path) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in read_log(folder) if "loss" in line}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_survive_json(name: str) -> None:
    config = CONFIGURATIONS[name]()
    assert JointConfig.from_json(config.to_json()) == config


def test_a_killed_run_goes_on_as_if_it_had_not_been(data: Path, faces: FaceSet, tmp_path: Path) -> None:
    train(_short(), faces, tmp_path / "whole", progress=False)
    killed = tmp_path / "killed"
    options = ["--config", "tiny", "--data", str(data), "--output", str(killed), "--steps", "8"]
    for change in ("schedule.batch_size=8", "schedule.warmup=2", "checkpoint_every=3", "validate_every=100"):
        options += ["--set", change]
    command = [sys.executable, "-m", "likeness", "train", "joint", *options, "--threads", str(torch.get_num_threads())]
    root = Path(__file__).resolve().parents[4]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (killed / "checkpoint.pt").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert (killed / "checkpoint.pt").exists()
    train(_short(), faces, killed, resume=True, progress=False)
    whole, resumed = _losses(tmp_path / "whole"), _losses(killed)
    assert list(resumed) == list(whole)
    np.testing.assert_allclose(list(resumed.values()), list(whole.values()), rtol=1e-5)


def test_a_run_does_not_go_on_with_other_data(faces: FaceSet, tmp_path: Path) -> None:
    train(_short(3), faces, tmp_path, progress=False)
    with pytest.raises(ValueError, match="other data"):
        train(_short(3), faces.subset(np.arange(30)), tmp_path, resume=True, progress=False)
    with pytest.raises(ValueError, match="another configuration"):
        train(_short(5), faces, tmp_path, resume=True, progress=False)


def test_training_makes_the_losses_smaller(faces: FaceSet, tmp_path: Path) -> None:
    train(_short(40), faces, tmp_path, progress=False)
    losses = list(_losses(tmp_path).values())
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert "of_control" in read_log(tmp_path)[-1]


def test_a_run_starts_from_another(faces: FaceSet, tmp_path: Path) -> None:
    train(_short(30), faces, tmp_path / "first", progress=False)
    train(_short(3), faces, tmp_path / "second", progress=False, start=tmp_path / "first")
    fresh, first, second = (list(_losses(tmp_path / name).values()) for name in ("first", "first", "second"))
    assert second[0] < fresh[0]
    assert second[0] < 1.5 * np.mean(first[-5:])
    np.testing.assert_array_equal(load_run(tmp_path / "first").space.mean, load_run(tmp_path / "second").space.mean)


def test_the_papers_configuration_trains_on_plain_vectors(faces: FaceSet, tmp_path: Path) -> None:
    config = paper()
    schedule = replace(config.schedule, steps=3, batch_size=10)
    config = replace(config, schedule=schedule, log_every=1, neurons=8, posed=(0.2, 25.0))
    train(config, faces, tmp_path, progress=False)
    run = load_run(tmp_path)
    assert run.space.dimensions == faces.vertices[0].size
    assert np.square(run.space.vectors(faces.vertices)).sum(1).mean() == pytest.approx(1845.0, rel=0.1)
    assert np.isfinite(list(_losses(tmp_path).values())).all()


@pytest.mark.parametrize("basis", ["first", "fixed"])
def test_a_held_autoencoder_is_moved_by_no_picture(faces: FaceSet, tmp_path: Path, basis: str) -> None:
    # The rate's course must not depend on the number of steps, or the two could not be compared.
    schedule = replace(_short(9).schedule, ema=0.0, final=1.0, warmup=0)
    longer = replace(_short(), basis=basis, first_steps=4, schedule=schedule)
    shorter = replace(longer, schedule=replace(schedule, steps=4 if basis == "first" else 1))
    runs = []
    for name, config in (("longer", longer), ("shorter", shorter)):
        train(config, faces, tmp_path / name, progress=False)
        runs.append(load_run(tmp_path / name).model)
    np.testing.assert_array_equal(*(run.autoencoder.basis.detach().numpy() for run in runs))
    assert not np.array_equal(*(run.network.last.weight.detach().numpy() for run in runs))


def test_a_fixed_basis_is_principal_components_in_plain_vectors_too(faces: FaceSet, tmp_path: Path) -> None:
    base = paper()
    schedule = replace(base.schedule, steps=1, batch_size=8)
    config = replace(base, basis="fixed", neurons=5, posed=None, schedule=schedule)
    train(config, faces, tmp_path, progress=False)
    run = load_run(tmp_path)
    training, _ = split(len(faces), config.held_out, np.random.default_rng([config.seed, 2]))
    vectors = torch.from_numpy(run.space.vectors(faces.vertices[training]))
    with torch.no_grad():
        code, rebuilt = run.model.autoencoder(vectors)
    assert code.square().mean(0).sqrt().numpy() == pytest.approx(np.ones(5), rel=0.01)
    assert float(((rebuilt - vectors) ** 2).sum()) < 0.5 * float((vectors**2).sum())


def test_smaller_pictures_early_in_the_training(faces: FaceSet, tmp_path: Path) -> None:
    config = _short(4)
    config = replace(config, schedule=replace(config.schedule, early=(0.5, 16)))
    train(config, faces, tmp_path, progress=False)
    assert len(_losses(tmp_path)) == 4
    network = load_run(tmp_path).model.network
    for size in (16, 32):
        assert network(torch.zeros(2, 3, size, size)).code.shape == (2, config.neurons)


def test_hours_become_steps(faces: FaceSet, monkeypatch: pytest.MonkeyPatch) -> None:
    # A second a batch, however fast the machine is at present.
    log = [{"images_per_second": 8.0} for _ in range(12)]
    monkeypatch.setattr("training.recipes.joint.train.read_log", lambda _folder: log)
    assert measured_steps(_short(), faces, 0.5) == 1800
