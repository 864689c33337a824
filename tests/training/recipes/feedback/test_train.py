from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_model import toy_model  # noqa: E402
from training.formation.decoder import skin_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.recipes.feedback.config import CONFIGURATIONS, FeedbackConfig, paper, tiny  # noqa: E402
from training.recipes.feedback.losses import geometry_loss, geometry_metric  # noqa: E402
from training.recipes.feedback.network import FeedbackNetwork  # noqa: E402
from training.recipes.feedback.pairs import draw_pairs, drawn_coefficients  # noqa: E402
from training.recipes.feedback.pictures import disturbed, drawn_stand, reflected, shaded  # noqa: E402
from training.recipes.feedback.run import load_run  # noqa: E402
from training.recipes.feedback.train import train  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


def test_the_papers_network_is_figure_4() -> None:
    config = replace(paper(), identity=200, expression=84)
    network = FeedbackNetwork(config).eval()
    sides: list[tuple[int, ...]] = []
    for layer in network.maps:
        layer.register_forward_hook(lambda _layer, _inputs, output: sides.append(tuple(output.shape[1:])))
    with torch.no_grad():
        corrected = network(torch.zeros(1, 2, 200, 200), torch.zeros(1, 284))
    assert corrected.shape == (1, 284)
    assert network.correction.in_features == 568
    assert {(32, 100, 100), (64, 50, 50), (128, 25, 25), (256, 13, 13), (284, 13, 13)} <= set(sides)


def test_the_loss_is_the_geometries_mean_squared_distance(model: FaceModel) -> None:
    config, rng = tiny(), np.random.default_rng(0)
    one, two = drawn_coefficients(config, 5, rng), drawn_coefficients(config, 5, rng)
    small = model.reduced(config.identity, config.expression, config.reflectance)
    heads = [
        small.vertices(part[:, : config.identity].numpy(), part[:, config.identity :].numpy())[:, model.region("face")]
        for part in (one, two)
    ]
    expected = ((heads[0] - heads[1]) ** 2).sum(2).mean()
    assert float(geometry_loss(one, two, geometry_metric(model, config))) == pytest.approx(expected, rel=1e-3)


def test_pairs_begin_between_the_truth_and_a_random_geometry(model: FaceModel) -> None:
    config = replace(tiny(), mean=0.5)
    decoder = skin_decoder(model.reduced(config.identity, config.expression, config.reflectance))
    pairs = draw_pairs(decoder, config, 64, np.random.default_rng(1))
    again = draw_pairs(decoder, config, 64, np.random.default_rng(1))
    assert torch.equal(pairs.pictures, again.pictures)
    at_mean = (pairs.before == 0).all(1)
    assert 16 <= int(at_mean.sum()) <= 48
    shading, face = pairs.pictures[:, 1], pairs.pictures[:, 0]
    assert float(shading.min()) >= 0 and float(shading.max()) <= 1
    # The picture is seen through the mask of the geometry so far.
    assert float((face * (shading == 0)).abs().max()) < 0.35
    assert 0.1 < float((face > 0).float().mean()) < 0.9


def test_a_frontal_light_shades_what_turns_away(model: FaceModel) -> None:
    config = tiny()
    decoder = skin_decoder(model.reduced(config.identity, config.expression, config.reflectance))
    rng = np.random.default_rng(2)
    truth = torch.zeros(2, config.count)
    stand = drawn_stand(decoder, truth, replace(config, faces=replace(config.faces, rotation=(0.0, 0.0, 0.0))), rng)
    shading, mask = shaded(decoder, truth, stand, config)
    middle = shading[:, 16:24, 16:24].mean()
    border = shading[mask & (shading > 0)].quantile(0.1)
    assert float(middle) > 0.7 > float(border)
    seen, believed = disturbed(stand, config, rng)
    assert torch.equal(seen.focal, stand.focal) and torch.equal(believed.rotation, stand.rotation)


def test_phong_adds_ambient_diffuse_and_gloss() -> None:
    faces = replace(tiny().faces, spread=0.0)
    normals = torch.nn.functional.normalize(torch.randn(3, 400, 3, generator=torch.Generator().manual_seed(0)), dim=2)
    albedo = torch.full((3, 400, 3), 0.5)
    shown = reflected(albedo, normals, faces, np.random.default_rng(0))
    ambient, diffuse, specular = faces.phong
    assert float(shown.min()) == pytest.approx(0.5 * ambient, abs=1e-5)
    assert float(shown.max()) <= 0.5 * (ambient + diffuse) + specular + 1e-5
    dull = reflected(albedo, normals, replace(faces, phong=(ambient, diffuse, 0.0)), np.random.default_rng(0))
    assert float((shown - dull).max()) > 0.5 * specular and float((shown - dull).min()) >= -1e-5


def test_it_learns_to_correct_the_mean_head(model: FaceModel, tmp_path: Path) -> None:
    base = tiny()
    config = replace(base, schedule=replace(base.schedule, steps=100, batch_size=16, final=0.05), validate_every=100)
    train(config, model, tmp_path / "run", progress=False)
    scores = [line for line in read_log(tmp_path / "run") if "iteration_1" in line][-1]
    assert scores["iteration_1"] < 0.85 * scores["iteration_0"]
    assert scores["iteration_3"] < 0.85 * scores["iteration_0"]
    run = load_run(tmp_path / "run")
    decoder = skin_decoder(run.model)
    rng = np.random.default_rng(3)
    truth = drawn_coefficients(config, 2, rng)
    found = run.answers(torch.zeros(2, config.size, config.size), drawn_stand(decoder, truth, config, rng))
    assert len(found) == 1 + config.iterations and not found[0].any()


def test_a_killed_run_goes_on_as_if_nothing_had_happened(model: FaceModel, tmp_path: Path) -> None:
    config = tiny()
    train(config, model, tmp_path / "whole", progress=False)
    whole = read_log(tmp_path / "whole")
    half = tmp_path / "half"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(config, model, half)
    train(config, model, half, resume=True, progress=False)
    assert read_log(half) == whole
    with pytest.raises(ValueError, match="another configuration"):
        train(config.with_steps(80), model, half, resume=True, progress=False)


def _interrupted(config: FeedbackConfig, model: FaceModel, folder: Path) -> None:
    from training.recipes.feedback import train as module

    kept, calls = module.save_run, []

    def save(*args: object) -> None:
        kept(*args)  # type: ignore[arg-type]
        calls.append(1)
        raise KeyboardInterrupt

    module.save_run = save  # type: ignore[assignment]
    try:
        module.train(config, model, folder, progress=False)
    finally:
        module.save_run = kept


def test_configurations_survive_json() -> None:
    for make in CONFIGURATIONS.values():
        assert FeedbackConfig.from_json(make().to_json()) == make()
    with pytest.raises(ValueError, match="another version"):
        FeedbackConfig.from_json({**tiny().to_json(), "unheard_of": 1})
