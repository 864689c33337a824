from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_model import toy_model  # noqa: E402
from training.evaluation.mofa import score  # noqa: E402
from training.formation.code import Code  # noqa: E402
from training.formation.decoder import face_decoder, head_decoder  # noqa: E402
from training.formation.face_model import FaceModel  # noqa: E402
from training.recipes.mofa.config import CONFIGURATIONS, DescentConfig, MofaConfig, paper, tiny  # noqa: E402
from training.recipes.mofa.encoder import MofaEncoder, usual_camera  # noqa: E402
from training.recipes.mofa.losses import (  # noqa: E402
    MARKS,
    Marks,
    against_background,
    areas,
    blurred,
    implausibility,
    landmark_distance,
    loss_decoder,
    losses,
    off_centre,
    out_of_box,
)
from training.recipes.mofa.pictures import PhotoPictures, Scenes, see  # noqa: E402
from training.recipes.mofa.run import as_input, load_run  # noqa: E402
from training.recipes.mofa.train import blur_at, make_optimiser, set_rates, train  # noqa: E402
from training.recipes.photos import Photos  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return toy_model()


def scenes(model: FaceModel, folder: Path, seed: int = 1, config: MofaConfig | None = None) -> Scenes:
    return Scenes(config or tiny(), model, head_decoder(model), seed, 8, folder)


def test_the_papers_configuration_is_the_papers() -> None:
    config = paper()
    assert (config.codes.identity, config.codes.expression, config.codes.reflectance) == (80, 64, 80)
    assert config.codes.total + 3 == 257
    assert (config.losses.photometric, config.losses.regulariser) == (1.92, 2.9e-5)
    assert (config.losses.reflectance, config.losses.expression) == (1.7e-3, 0.8)
    assert config.schedule.rate * config.rates.depth == pytest.approx(0.0005)
    assert len(MARKS) == 46


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_survive_json(name: str) -> None:
    config = CONFIGURATIONS[name]()
    assert MofaConfig.from_json(config.to_json()) == config
    assert config.with_steps(90).steps == 90


def test_the_first_answer_is_the_average_face_in_the_middle_in_ambient_light(model: FaceModel) -> None:
    config = tiny()
    camera = usual_camera(config, model)
    encoder = MofaEncoder(config, camera).eval()
    with torch.no_grad():
        code = encoder(as_input(torch.rand(2, 3, 32, 32)))
    assert code.identity.abs().max() == code.expression.abs().max() == code.rotation.abs().max() == 0
    assert (code.illumination[:, 0] == 0.7).all() and (code.illumination[:, 1:] == 0).all()
    marks = see(face_decoder(model), code, camera, config.size).landmarks[0]
    low, high = marks.amin(0), marks.amax(0)
    assert (low + high).tolist() == pytest.approx([32, 32], abs=0.2)
    assert float((high - low).max()) == pytest.approx(32 / 1.45, abs=0.2)


def test_each_group_of_numbers_learns_at_its_own_rate(model: FaceModel) -> None:
    config = paper()
    encoder = MofaEncoder(replace(tiny(), backbone=tiny().backbone), usual_camera(tiny(), model))
    optimiser = make_optimiser(config, encoder)
    set_rates(config, optimiser, 5)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert len(rates) == len(list(encoder.parameters()))
    assert rates[id(encoder.heads["depth"].weight)] == pytest.approx(0.0005)
    assert rates[id(encoder.heads["across"].weight)] == rates[id(encoder.heads["rotation"].bias)] == pytest.approx(0.1)


def test_the_truth_explains_its_own_picture_best(model: FaceModel, tmp_path: Path) -> None:
    pictures = scenes(model, tmp_path)
    images, code = pictures.images(np.arange(8)), pictures.code
    decoder = face_decoder(model)
    right = score(decoder, code, pictures.camera.focal, images, truth=code).summary()
    wrong = score(decoder, code.at(torch.arange(8).roll(1)), pictures.camera.focal, images, truth=code).summary()
    assert right["geometric"] < 1e-3 and right["landmarks"] < 1e-3 and right["overlap"] == 1
    assert right["photometric"] < 0.6 * wrong["photometric"]
    assert wrong["geometric"] > 3 and wrong["landmarks"] > 3 and wrong["overlap"] < 1


@pytest.mark.parametrize("background", [0.0, 0.3])
def test_gradients_of_the_losses_are_those_of_finite_differences(model: FaceModel, background: float) -> None:
    """Tewari et al. 2017, eq. 6, through equations 8 to 10."""
    config = tiny()
    config = replace(
        config,
        losses=replace(config.losses, background=background, doubt=0.0, depth=1.0, box=1.0, slack=0.0, centre=1.0),
    )
    decoder, camera = loss_decoder(config.losses, model).double(), usual_camera(config, model)
    draw = torch.Generator().manual_seed(5)
    theta = (0.2 * torch.randn(1, config.codes.total, generator=draw)).double()
    theta[:, config.codes.groups["illumination"]][:, :3] += 0.9
    images = blurred(torch.rand(1, 3, 32, 32, generator=draw), 2.0).double()
    marks = Marks(torch.rand(1, 68, 2, generator=draw).double() * 32, torch.rand(1, 68, generator=draw).double())

    def form(theta: torch.Tensor, moved: torch.Tensor) -> tuple[torch.Tensor, ...]:
        code = replace(config.codes.split(theta), translation=camera.translation.double() + moved)
        found = losses(config.losses, decoder, code, camera, images, marks)
        return tuple(found[name] for name in ("photometric", "landmarks", "regulariser", "depth", "box", "centre"))

    moved = torch.tensor([[2.0, -3.0, 5.0]], dtype=torch.float64, requires_grad=True)
    inputs = (theta.requires_grad_(), moved)
    assert torch.autograd.gradcheck(form, inputs, eps=1e-7, atol=1e-4, rtol=1e-3, fast_mode=True)


def test_against_a_background_a_smaller_head_is_no_better(model: FaceModel, tmp_path: Path) -> None:
    """What the mean over vertices cannot tell: a head that shrinks into even skin explains less of the picture."""
    pictures = scenes(model, tmp_path)
    images, code = pictures.images(np.arange(8)), pictures.code
    assert code.translation is not None
    away = replace(code, translation=code.translation * torch.tensor([1.0, 1.0, 2.0]))
    config = replace(tiny().losses, background=0.1)
    decoder = loss_decoder(config, model)

    def explained(code: Code) -> torch.Tensor:
        surface = decoder.surface(code)
        return against_background(images, surface, see(decoder, code, pictures.camera, 32), decoder, 0.1)

    right, small = explained(code), explained(away)
    assert (right < small).all() and (right < 0).all()


def test_areas_are_those_of_the_triangles_around_a_point() -> None:
    square = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]])
    found = areas(square, torch.tensor([[0, 1, 2], [0, 2, 3]]))
    assert found.tolist() == [pytest.approx([4 / 3, 2 / 3, 4 / 3, 2 / 3])]


def test_a_box_may_be_off_by_the_slack(model: FaceModel, tmp_path: Path) -> None:
    pictures = scenes(model, tmp_path)
    usual = usual_camera(tiny(), model)
    code = pictures.code.at(slice(0, 1))
    mean = replace(
        code, **{name: torch.zeros_like(getattr(code, name)) for name in ("rotation", "identity", "expression")}
    )
    near = replace(mean, translation=usual.translation[None])
    decoder = face_decoder(model)
    assert out_of_box(see(decoder, near, usual, 32), usual.box, 32, 0.0).item() == pytest.approx(0, abs=1e-4)
    moved = replace(mean, translation=usual.translation[None] + torch.tensor([[30.0, 0.0, 0.0]]))
    away = 2 * 30.0 * usual.focal / float(usual.translation[2]) / 32
    assert out_of_box(see(decoder, moved, usual, 32), usual.box, 32, 0.0).item() == pytest.approx(away, rel=0.1)
    assert out_of_box(see(decoder, moved, usual, 32), usual.box, 32, 0.9).item() == 0


def test_the_mean_of_a_batch_is_held_and_its_heads_are_not(model: FaceModel, tmp_path: Path) -> None:
    code = scenes(model, tmp_path).code
    apart = replace(code, rotation=torch.cat([code.rotation[:4], -code.rotation[:4]]))
    apart = replace(apart, **{name: torch.zeros_like(getattr(code, name)) for name in ("identity", "expression")})
    assert off_centre(apart).item() == pytest.approx(0, abs=1e-6)
    assert off_centre(replace(apart, rotation=apart.rotation + 0.3)).item() == pytest.approx(3.0, rel=1e-4)


def test_a_landmark_counts_as_much_as_it_is_trusted(model: FaceModel, tmp_path: Path) -> None:
    pictures = scenes(model, tmp_path)
    seen = see(face_decoder(model), pictures.code, pictures.camera, 32)
    points = seen.landmarks.clone()
    points[:, 30, 0] += 2.0
    sure, unsure = torch.ones(8, 68), torch.ones(8, 68)
    unsure[:, 30] = 0.25
    full, quarter = (landmark_distance(seen, Marks(points, trust), 32) for trust in (sure, unsure))
    assert full.tolist() == pytest.approx([(2.0 * 240 / 32) ** 2] * 8, rel=1e-4)
    assert (quarter / full).tolist() == pytest.approx([0.25] * 8, rel=1e-4)
    points[:, 3] += 50.0
    assert torch.equal(landmark_distance(seen, Marks(points, sure), 32), full), "the jaw's points are not used"


def test_statistics_weigh_as_in_the_paper(model: FaceModel, tmp_path: Path) -> None:
    config, code = paper(), scenes(model, tmp_path).code
    expected = (code.identity**2).sum(1) + 1.7e-3 * (code.reflectance**2).sum(1) + 0.8 * (code.expression**2).sum(1)
    assert torch.allclose(implausibility(config.losses, code), expected)


def test_scenes_depend_on_their_number_alone(model: FaceModel, tmp_path: Path) -> None:
    config = tiny()
    kept, anew = scenes(model, tmp_path), scenes(model, tmp_path, config=replace(config, memory=0))
    assert torch.equal(kept.images(np.array([6, 1]))[0], anew.images(np.array([3, 6]))[1])
    assert not torch.equal(kept.images(np.array([1])), scenes(model, tmp_path, seed=2).images(np.array([1])))
    trust = kept.marks(np.arange(8)).confidence
    assert 0 < trust.mean() <= 1


def test_the_blur_goes(model: FaceModel) -> None:
    config = replace(tiny(), losses=replace(tiny().losses, blur=0.5, blur_pixels=12.0))
    at = [blur_at(config, step) for step in range(6)]
    assert at[0] == pytest.approx(12 * 32 / 240) and at[0] > at[1] > at[2] > 0 == at[3] == at[5]
    image = torch.rand(1, 3, 32, 32)
    assert blurred(image, 0.0) is image
    assert blurred(image, 6.0).shape == image.shape and float(blurred(image, 6.0).std()) < 0.3 * float(image.std())


def painted(model: FaceModel) -> FaceModel:
    """The model with a skin of changing colours.

    In one of a single colour, as the toy head has it, a turned head looks as one that is lit otherwise: then there is
    nothing for the pose to be learned from.
    """
    x, y, _ = (model.mean / 40).T
    tones = [np.sin(1.3 * x + y), np.sin(1.5 * y - x), np.cos(1.1 * x)]
    return replace(model, reflectance_mean=(0.4 + 0.3 * np.stack(tones, 1)).astype(np.float32))


def test_it_learns_without_labels(model: FaceModel, tmp_path: Path) -> None:
    """A few steps on the same four pictures lower the photometric loss and the geometric error with it."""
    model = painted(model)
    config = replace(tiny(), schedule=replace(tiny().schedule, steps=60, rate=3e-3, warmup=5, final=0.2, ema=0.0))
    config = replace(config, validate_every=60, log_every=60, checkpoint_every=60)
    few = Scenes(config, model, head_decoder(model), 4, 4, tmp_path)
    train(config, model, few, few, tmp_path / "run", progress=False)
    scores = [line for line in read_log(tmp_path / "run") if "geometric" in line]
    assert scores[-1]["photometric"] < 0.7 * scores[0]["photometric"]
    assert scores[-1]["geometric"] < 0.75 * scores[0]["geometric"]
    assert scores[-1]["landmarks"] < 0.6 * scores[0]["landmarks"]


@pytest.mark.parametrize("steps", [0, 2])
def test_a_run_is_resumed_to_the_same_losses(model: FaceModel, tmp_path: Path, steps: int) -> None:
    config = replace(tiny(), losses=replace(tiny().losses, landmarks=1.0), descent=DescentConfig(steps))
    pictures, unseen = scenes(model, tmp_path), scenes(model, tmp_path, seed=2)
    train(config, model, pictures, unseen, tmp_path / "whole", progress=False)

    class Killed(Exception):
        pass

    from training.recipes.mofa import train as module

    save, calls = module.save_run, []

    def dying(*args: object) -> None:
        save(*args)
        calls.append(args)
        if len(calls) == 2:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save_run", dying)
        with pytest.raises(Killed):
            train(config, model, pictures, unseen, tmp_path / "cut", progress=False)
    train(config, model, pictures, unseen, tmp_path / "cut", resume=True, progress=False)
    whole, again = (
        [line["loss_photometric"] for line in read_log(tmp_path / name) if "loss_photometric" in line]
        for name in ("whole", "cut")
    )
    assert len(whole) == 6 and again == pytest.approx(whole, rel=1e-5)
    assert load_run(tmp_path / "whole").step == 6
    with pytest.raises(ValueError, match="other pictures"):
        train(config, model, unseen, unseen, tmp_path / "whole", resume=True, progress=False)


def test_photos_are_learned_from(model: FaceModel, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (5, 32, 32, 3), np.uint8)
    photos = Photos(images, rng.uniform(4, 28, (5, 68, 2)).astype(np.float32), np.array(list("abcde")))

    class OnlyImages(PhotoPictures):
        def marks(self, indices: np.ndarray) -> Marks:
            raise AssertionError("nobody tells the training where anything is")

    train(tiny(), model, OnlyImages(photos), PhotoPictures(photos), tmp_path, progress=False)
    scores = [line for line in read_log(tmp_path) if "photometric" in line]
    assert all("landmarks" in line and "geometric" not in line for line in scores)
