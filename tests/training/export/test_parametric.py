from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from PIL import Image  # noqa: E402

from tests.bundles import write_small_bundle  # noqa: E402
from tests.training.toy_model import toy_model  # noqa: E402
from training.export.parametric_onnx import ActionWeights, InverseRegressor, head_light  # noqa: E402
from training.formation import illumination  # noqa: E402
from training.formation.code import Code  # noqa: E402
from training.formation.decoder import face_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.formation.picture import face_mask  # noqa: E402
from training.illumination import irradiance  # noqa: E402
from training.recipes.inverse import config as inverse_config  # noqa: E402
from training.recipes.inverse import run as inverse_run  # noqa: E402
from training.recipes.inverse import train as inverse_train  # noqa: E402
from training.recipes.inverse.network import InverseNetwork  # noqa: E402
from training.recipes.mofa import config as mofa_config  # noqa: E402
from training.recipes.mofa import run as mofa_run  # noqa: E402
from training.recipes.mofa import train as mofa_train  # noqa: E402
from training.recipes.mofa.encoder import MofaEncoder, usual_camera  # noqa: E402
from training.recipes.parametric import prepare_folder  # noqa: E402
from training.recipes.photos import FoundFace, cut  # noqa: E402

PORTRAIT = Path(__file__).resolve().parents[3] / "docs" / "samples" / "eileen_collins.jpg"


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


def a_mofa_run(folder: Path, model: FaceModel) -> Path:
    """A run of which no batch was learned, but whose answers differ from picture to picture."""
    config = mofa_config.tiny()
    torch.manual_seed(0)
    encoder = MofaEncoder(config, usual_camera(config, model))
    for head in encoder.heads.values():
        torch.nn.init.normal_(head.weight, 0.0, 0.1)
    prepare_folder(folder, config.to_json(), model)
    mofa_run.save_run(folder, config, "none", encoder, mofa_train.make_optimiser(config, encoder), None, 1, 0.0)
    return folder


def an_inverse_run(folder: Path, model: FaceModel) -> Path:
    config = inverse_config.tiny()
    torch.manual_seed(0)
    network = InverseNetwork(config)
    prepare_folder(folder, config.to_json(), model)
    optimiser = inverse_train.make_optimiser(config, network)
    inverse_run.save_run(folder, config, "none", network, optimiser, None, 1, 0.0)
    return folder


def test_weights_of_actions_are_the_best_within_their_bounds(model: FaceModel) -> None:
    from scipy.optimize import lsq_linear

    coefficients = np.random.default_rng(0).normal(size=(4, 5))
    with torch.no_grad():
        found = ActionWeights(model)(torch.from_numpy(coefficients).float()).numpy()
    assert found.min() >= 0 and found.max() <= 1
    root = np.sqrt(np.where(np.isin(np.arange(len(model.mean)), model.region("face")), 1.0, 0.1))[:, None]
    actions, columns = ((vectors * root).reshape(len(vectors), -1) for vectors in (model.actions, model.expression))
    for weights, wanted in zip(found, coefficients @ columns, strict=True):
        best = lsq_linear(actions.T, wanted, bounds=(0, 1))
        assert np.linalg.norm(weights @ actions - wanted) < 1.02 * np.sqrt(2 * best.cost) + 0.02 * np.linalg.norm(
            wanted
        )


def test_light_is_told_in_head_space(model: FaceModel) -> None:
    draw = torch.Generator().manual_seed(3)
    light = 0.1 * torch.randn(2, 9, 3, generator=draw)
    light[:, 0] += 1.0
    nothing = torch.zeros(2, 6), torch.zeros(2, 5), torch.zeros(2, 3)
    code = Code(torch.tensor([[0.2, -0.5, 0.1], [0.0, 0.6, 0.0]]), *nothing, light)
    decoder = face_decoder(model)
    seen = illumination.shading(light, decoder.surface(code).normals)[:, decoder.inside].numpy()
    normals = decoder.normals(decoder.heads(code))[:, decoder.inside].numpy()
    for told, on_head, expected in zip(head_light(code).numpy(), normals, seen, strict=True):
        np.testing.assert_allclose(irradiance(told, on_head) / np.pi, expected, atol=1e-4)


def test_the_network_cuts_and_masks_as_its_training_pictures_are(model: FaceModel, tmp_path: Path) -> None:
    run = inverse_run.load_run(an_inverse_run(tmp_path, model))
    run = replace(run, config=replace(run.config, size=64))
    picture = Image.open(PORTRAIT).convert("RGB").resize((128, 128))
    points = model.mean[model.template["landmarks68"]][:, :2] * [1, -1]
    marks = np.array([60, 56]) + 76 * (points - points.mean(0)) / np.ptp(points, axis=0).max()
    pixels, points = cut(FoundFace(picture, marks), 64, run.config.fill)
    mask = face_mask(torch.from_numpy(points)[None], 64)[0].numpy()
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    ours = InverseRegressor(run, 128).masked(image, torch.from_numpy(marks)[None].float())[0].permute(1, 2, 0).numpy()
    theirs = pixels * mask[..., None] / 255
    assert ((ours > 0).any(2) == (theirs > 0).any(2)).mean() > 0.99
    assert mask.mean() > 0.2 and np.abs(ours - theirs).mean() < 0.1 * theirs.mean()


def test_a_run_of_mofa_becomes_a_bundle_that_tells_pose_expression_and_light(model: FaceModel, tmp_path: Path) -> None:
    from backend.pipeline import Reconstructor
    from likeness.cli import main

    run = a_mofa_run(tmp_path / "run", model)
    assert main(["export", "--checkpoint", str(run), "--output", str(tmp_path / "bundle")]) == 0
    found = Reconstructor.open(tmp_path / "bundle").reconstruct(PORTRAIT.read_bytes())
    assert found.method == "mofa" and found.identity.shape == (6,) and found.reflectance.shape == (3,)
    assert found.expression.shape == (52,) and found.expression.min() >= 0 and found.expression.max() <= 1
    assert found.illumination.shape == (9, 3) and found.illumination[0].min() > 0
    assert found.rotation is not None
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "MoFA" in card and "likeness train mofa --config tiny" in card and "CC0" in card


def test_a_run_of_inverse_becomes_a_bundle_with_a_detector_built_in(model: FaceModel, tmp_path: Path) -> None:
    from backend.pipeline import Reconstructor
    from likeness.cli import main

    detector = write_small_bundle(tmp_path / "detector")
    blind = write_small_bundle(tmp_path / "blind", landmarks=False)
    run = an_inverse_run(tmp_path / "run", model)
    words = ["export", "--checkpoint", str(run), "--output", str(tmp_path / "bundle")]
    assert main([*words, "--detector", str(blind)]) == 2 and not (tmp_path / "bundle").exists()
    assert main([*words, "--detector", str(detector)]) == 0
    ours, theirs = (Reconstructor.open(tmp_path / name) for name in ("bundle", "detector"))
    found, known = (one.reconstruct(PORTRAIT.read_bytes()) for one in (ours, theirs))
    assert found.method == "inverse" and found.expression.shape == (52,) and found.illumination.shape == (9, 3)
    size = max(found.image_size)
    assert np.abs(found.landmarks68_2d - known.landmarks68_2d).max() < 0.03 * size
