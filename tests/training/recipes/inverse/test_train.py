from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_model import toy_model  # noqa: E402
from training.evaluation.inverse import known_truth, score  # noqa: E402
from training.formation.decoder import skin_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.recipes.inverse.config import CONFIGURATIONS, InverseConfig, paper, tiny  # noqa: E402
from training.recipes.inverse.corpus import Corpus, draw_first, perturb, picture_of, to_pixels  # noqa: E402
from training.recipes.inverse.losses import loss_weights, parameter_loss  # noqa: E402
from training.recipes.inverse.run import load_run  # noqa: E402
from training.recipes.inverse.train import phases, train  # noqa: E402
from training.recipes.photos import Photos  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


@pytest.fixture(scope="module")
def photos(model: FaceModel) -> Photos:
    """Pictures that stand for photos: drawn ones, whose numbers nobody is told."""
    config = tiny()
    drawn = draw_first(config, model, np.random.default_rng(9), 6)
    picture = picture_of(skin_decoder(model), config, torch.from_numpy(drawn.theta), torch.from_numpy(drawn.distance))
    names = np.array([f"{i}.jpg" for i in range(6)])
    return Photos(to_pixels(picture), picture.landmarks.numpy(), names)


def test_the_papers_configuration_is_the_papers() -> None:
    config = paper()
    assert config.codes.total == 350 and config.size == 240
    assert config.steps == 75_000 == phases(config)[-1].end
    assert [phase.end for phase in phases(config)][:3] == [15_000, 22_500, 30_000]
    loss = config.loss
    weights = (loss.rotation, loss.identity, loss.expression, loss.reflectance, loss.illumination)
    assert weights == (400, 50, 50, 100, 20)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_survive_json(name: str) -> None:
    config = CONFIGURATIONS[name]()
    assert InverseConfig.from_json(config.to_json()) == config
    plain = replace(config, breed=None)
    assert InverseConfig.from_json(plain.to_json()) == plain
    assert config.with_steps(1_000).steps == 1_000


def test_the_first_corpus_has_the_papers_ranges(model: FaceModel) -> None:
    config = tiny()
    theta = draw_first(config, model, np.random.default_rng(0), 4_000).theta
    groups = config.codes.groups
    angles = np.degrees(theta[:, groups["rotation"]])
    assert np.allclose(np.abs(angles).max(0), [40, 40, 15], atol=0.5)
    light = theta[:, groups["illumination"]].reshape(-1, 9, 3)
    assert (light == light[..., :1]).all(), "monochrome"
    assert light[:, 0].min() >= 0.6 and light[:, 0].max() <= 1.2 and np.abs(light[:, 1:]).max() <= 0.2
    expression = theta[:, groups["expression"]]
    assert expression[:, 0].mean() == pytest.approx(1.6, abs=0.15)
    assert theta[:, groups["identity"]].std() == pytest.approx(1, abs=0.05)


def test_breeding_noise(model: FaceModel) -> None:
    config = tiny()
    assert config.breed is not None
    found = np.zeros((3_000, config.codes.total), np.float32)
    bred = perturb(found, config, config.breed, np.random.default_rng(0)).theta
    assert len(bred) == 2 * len(found)
    spread = {name: float(bred[:, where].std()) for name, where in config.codes.groups.items()}
    wanted = {"identity": 0.05, "expression": 0.1, "reflectance": 0.2, "illumination": 0.02}
    assert {name: spread[name] for name in wanted} == pytest.approx(wanted, rel=0.05)
    assert np.degrees(np.abs(bred[:, :3]).max()) == pytest.approx(5, abs=0.1)


def test_breeding_that_restores_gives_shape_and_skin_their_variance_back() -> None:
    config = tiny()
    rng = np.random.default_rng(3)
    deviations = np.full(config.codes.total, 0.3, np.float32)
    identity = config.codes.groups["identity"]
    deviations[identity] = np.linspace(0.0, 1.5, config.codes.identity)
    found = deviations * rng.standard_normal((4_000, config.codes.total)).astype(np.float32)
    breed = replace(config.breed, restore=True)
    bred = perturb(found, config, breed, np.random.default_rng(0)).theta
    spread = {name: bred[:, where].std(0) for name, where in config.codes.groups.items()}
    # A column that answers leave narrow is widened to one deviation; one that is wide already is left alone.
    assert spread["identity"] == pytest.approx(np.maximum(1.0, deviations[identity]), rel=0.05)
    assert spread["reflectance"] == pytest.approx(np.ones(config.codes.reflectance), rel=0.05)
    assert spread["expression"] == pytest.approx(np.full(config.codes.expression, np.hypot(0.3, 0.1)), rel=0.05)


def test_the_model_space_loss_measures_what_vertices_and_colours_are_off(model: FaceModel) -> None:
    config = tiny()
    groups = config.codes.groups
    weights = loss_weights(config, model)
    head = np.zeros((2, 6), np.float32)
    head[1, 2] = 0.7
    face = model.region("face")
    moved = np.diff(model.vertices(head)[:, face], axis=0)[0]
    apart = np.sqrt((moved**2).sum(1).mean())
    theta = torch.zeros(1, config.codes.total)
    other = theta.clone()
    other[0, groups["identity"]][2] = 0.7
    found = parameter_loss(theta, other, weights) * weights.square().sum()
    assert float(found) == pytest.approx((50 * apart / 10) ** 2, rel=1e-3)
    assert (loss_weights(replace(config, loss=replace(config.loss, space="numbers")), model) == 1).all()


def test_a_face_is_drawn_alike_whenever_it_is_asked_for(model: FaceModel, tmp_path: Path) -> None:
    config = tiny()
    drawn = draw_first(config, model, np.random.default_rng(1), 8)
    decoder = skin_decoder(model)
    kept = Corpus(drawn, decoder, config, [0], tmp_path)
    anew = Corpus(drawn, decoder, replace(config, memory=0), [0], tmp_path)
    some, again = np.array([5, 2]), np.array([2, 3, 5])
    assert (kept.pixels(some)[::-1] == kept.pixels(again)[[0, 2]]).all()
    assert (anew.pixels(again) == kept.pixels(again)).all()
    assert not list(tmp_path.iterdir())


def test_true_codes_score_best(model: FaceModel) -> None:
    config = replace(tiny(), corpus=replace(tiny().corpus, landmark_noise=0.0, distance=(900.0, 900.0)))
    theta = draw_first(config, model, np.random.default_rng(2), 5).theta
    picture = picture_of(skin_decoder(model), config, torch.from_numpy(theta), torch.full((5,), 900.0))
    masked, masks, truth = to_pixels(picture), picture.covered.numpy(), known_truth(config, model, theta)
    right = score(config, model, masked, masks, theta, truth)
    assert right.photometric.max() < 1e-3 and right.overlap.min() == 1
    assert right.geometric.max() < 1e-3 and right.posed.max() < 1e-3 and right.degrees.max() < 0.1
    wrong = score(config, model, masked, masks, np.roll(theta, 1, axis=0), truth)
    assert wrong.photometric.min() > 1 and wrong.overlap.max() < 1 and wrong.posed.min() > wrong.geometric.min() > 0.1


def test_a_run_breeds_and_resumes_to_the_same_losses(model: FaceModel, photos: Photos, tmp_path: Path) -> None:
    config = tiny()
    train(config, model, photos, tmp_path / "whole", progress=False)
    whole = read_log(tmp_path / "whole")
    assert [line["round"] for line in whole] == [0, 0, 1, 1, 2, 2]

    class Killed(Exception):
        pass

    def dying(*_: object, **__: object) -> None:
        raise Killed

    from training.recipes.inverse import train as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_bred", dying)
        with pytest.raises(Killed):
            train(config, model, photos, tmp_path / "cut", progress=False)
    train(config, model, photos, tmp_path / "cut", resume=True, progress=False)
    again = read_log(tmp_path / "cut")
    assert [line["loss"] for line in again] == pytest.approx([line["loss"] for line in whole], rel=1e-5)
    run = load_run(tmp_path / "whole")
    assert run.step == 6 and run.answers(photos.images).shape == (6, config.codes.total)
    with pytest.raises(ValueError, match="other photos"):
        train(config, model, photos.subset(slice(0, 3)), tmp_path / "whole", resume=True, progress=False)
    with pytest.raises(ValueError, match="needs photos"):
        train(config, model, None, tmp_path / "none", progress=False)


def test_a_run_without_photos(model: FaceModel, tmp_path: Path) -> None:
    config = replace(tiny(), breed=None, schedule=replace(tiny().schedule, optimiser="adadelta", steps=3, ema=0.0))
    train(config, model, None, tmp_path, progress=False)
    assert load_run(tmp_path).step == 3
