from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_model import toy_model  # noqa: E402
from training.formation.code import Code  # noqa: E402
from training.formation.decoder import head_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.recipes.mofa.config import DescentConfig, MofaConfig, tiny  # noqa: E402
from training.recipes.mofa.descent import descend, distance  # noqa: E402
from training.recipes.mofa.losses import each_loss, loss_decoder, weighted  # noqa: E402
from training.recipes.mofa.pictures import Scenes  # noqa: E402
from training.recipes.mofa.run import load_run  # noqa: E402
from training.recipes.mofa.train import train  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


def against(background: float = 0.1) -> MofaConfig:
    config = tiny()
    return replace(
        config,
        losses=replace(config.losses, background=background, doubt=0.0, box=2.0, centre=0.3),
        descent=DescentConfig(3),
    )


def test_descent_explains_pictures_better(model: FaceModel, tmp_path: Path) -> None:
    config = against()
    pictures = Scenes(config, model, head_decoder(model), 1, 8, tmp_path)
    images, truth = pictures.images(np.arange(8)), pictures.code
    decoder = loss_decoder(config.losses, model)

    def misfit(code: Code) -> torch.Tensor:
        return weighted(config.losses, each_loss(config.losses, decoder, code, pictures.camera, images, None))

    wrong = replace(truth, illumination=0.5 * truth.illumination, rotation=truth.rotation + 0.1)
    found = descend(DescentConfig(20, rate=0.02), wrong, misfit)
    with torch.no_grad():
        assert (misfit(found) < misfit(wrong)).all()
    assert not found.rotation.requires_grad
    assert torch.equal(wrong.rotation, truth.rotation + 0.1), "the start is not moved"


def test_steps_become_shorter_on_the_way(model: FaceModel, tmp_path: Path) -> None:
    code = Scenes(tiny(), model, head_decoder(model), 1, 8, tmp_path).code

    def misfit(code: Code) -> torch.Tensor:
        return code.rotation.sum(1)

    early, late = (descend(DescentConfig(1, 0.1, 0.25), code, misfit, share) for share in (0.0, 1.0))
    assert (code.rotation - early.rotation).mean().item() == pytest.approx(0.1, rel=1e-3)
    assert (code.rotation - late.rotation).mean().item() == pytest.approx(0.025, rel=1e-3)


def test_distances_are_weighted_squares(model: FaceModel, tmp_path: Path) -> None:
    code = Scenes(tiny(), model, head_decoder(model), 1, 8, tmp_path).code
    away = replace(code, rotation=code.rotation + 0.1)
    assert distance(code, code).item() == 0
    assert distance(code, away).item() == pytest.approx(10 * 3 * 0.01, rel=1e-4)


def test_a_run_tells_its_losses(model: FaceModel, tmp_path: Path) -> None:
    config = against()
    pictures = Scenes(config, model, head_decoder(model), 1, 16, tmp_path)
    held_out = Scenes(config, model, head_decoder(model), 2, 4, tmp_path)
    train(config, model, pictures, held_out, tmp_path / "run", progress=False)
    names = set().union(*read_log(tmp_path / "run"))
    assert {"loss_photometric", "loss_box", "loss_centre", "loss_regulariser", "geometric"} <= names
    assert load_run(tmp_path / "run").step == config.steps
