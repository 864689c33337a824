from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from tests.training.toy_faces import write_toy_faces  # noqa: E402
from training.augmentation import Augmentation  # noqa: E402
from training.dataset import FaceSet, read_faces  # noqa: E402
from training.recipes.default.config import CONFIGURATIONS, DefaultConfig, tiny  # noqa: E402
from training.recipes.default.data import Basis, Faces, other_side, prepare, standard  # noqa: E402
from training.recipes.default.losses import losses, make_metrics  # noqa: E402
from training.recipes.default.network import Estimate  # noqa: E402
from training.recipes.default.run import load_run, make_network, read_arrays  # noqa: E402
from training.recipes.default.start import read_weights, settle, unfold  # noqa: E402
from training.recipes.default.train import train  # noqa: E402
from training.recipes.runs import read_log  # noqa: E402


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return read_faces(write_toy_faces(tmp_path_factory.mktemp("faces"), count=40, size=40), progress=False)


@pytest.fixture(scope="module")
def bundle(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of `joint`, whose network has the shape of this recipe's tiny one."""
    from training.export.bundle import ExportOptions, export_bundle
    from training.export.model_card import CardFacts
    from training.recipes.joint import config, run
    from training.recipes.joint import train as joint

    folder = tmp_path_factory.mktemp("joint")
    base = config.tiny()
    schedule = replace(base.schedule, steps=6, batch_size=8, warmup=2)
    joint.train(replace(base, schedule=schedule, validate_every=100), faces, folder / "run", progress=False)
    options = ExportOptions("toy", smallest_share=1e-6)
    export_bundle(run.load_run(folder / "run"), faces, None, folder / "bundle", options, CardFacts(("made",)))
    return folder / "bundle"


def _prepared(faces: FaceSet, bundle: Path, config: DefaultConfig) -> tuple[Faces, Basis]:
    basis, everyone = Basis.of(read_arrays(bundle)), np.arange(len(faces))
    return prepare(faces, basis, standard(faces, everyone), config, everyone), basis


def _short(steps: int = 8) -> DefaultConfig:
    base = tiny()
    schedule = replace(base.schedule, steps=steps, batch_size=8, warmup=2)
    return replace(base, schedule=schedule, checkpoint_every=3, validate_every=100)


def _losses(folder: Path) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in read_log(folder) if "loss" in line}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_survive_json(name: str) -> None:
    config = CONFIGURATIONS[name]()
    assert DefaultConfig.from_json(config.to_json()) == config


def test_it_begins_with_the_answers_of_the_bundles_network(faces: FaceSet, bundle: Path) -> None:
    import onnxruntime

    config = tiny()
    known, basis = _prepared(faces, bundle, config)
    network = make_network(config, basis, len(known.swap)).eval()
    pairs = unfold(network, read_weights(bundle / "regressor.onnx"))
    images = known.plain_batch(np.arange(6), config).images.contiguous()
    with torch.no_grad():
        before = network(images)
        settle(network, pairs, [known.plain_batch(np.arange(40), config).images])
        after = network(images)
    norms = [m for m in network.trunk.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(not torch.equal(norm.running_var, torch.ones_like(norm.running_var)) for norm in norms)
    np.testing.assert_allclose(after.identity, before.identity, atol=2e-4)
    np.testing.assert_allclose(after.points, before.points, atol=2e-5)
    # The file averages over the mirror image, which a symmetric picture makes the same.
    both = (images + images.flip(3)) / 2
    session = onnxruntime.InferenceSession(str(bundle / "regressor.onnx"), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["reflectance"], {"image": both.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(network(both).reflectance.numpy(), theirs, atol=1e-3)


def test_it_begins_with_the_answers_of_its_own_bundle_too(faces: FaceSet, bundle: Path, tmp_path: Path) -> None:
    from training.export.default_onnx import DefaultRegressor, write_default
    from training.recipes.default.data import face_weights

    train(_short(6), faces, tmp_path, bundle, progress=False)
    run = load_run(tmp_path)
    regressor = DefaultRegressor(run, faces.template, face_weights(faces)).eval()
    write_default(regressor, tmp_path / "regressor.onnx", {})
    network = make_network(run.config, run.basis, 68 + len(faces.template["landmarks_dense"])).eval()
    known = prepare(faces, run.basis, run.known, run.config)
    images = known.plain_batch(np.arange(8), run.config).images.contiguous()
    pairs = unfold(network, read_weights(tmp_path / "regressor.onnx"))
    settle(network, pairs, [images])
    with torch.no_grad():
        for ours, theirs in zip(network(images), regressor.network(images), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_another_network_is_refused(faces: FaceSet, bundle: Path) -> None:
    config = tiny()
    wider = replace(config, network=replace(config.network, widths=(8, 16, 48)))
    known, basis = _prepared(faces, bundle, config)
    network = make_network(wider, basis, len(known.swap))
    with pytest.raises(ValueError, match="not that of this configuration"):
        unfold(network, read_weights(bundle / "regressor.onnx"))


def test_a_mirrored_picture_has_a_mirrored_truth(faces: FaceSet, bundle: Path) -> None:
    config = tiny()
    known, basis = _prepared(faces, bundle, config)
    plain = known.plain_batch(np.arange(8), config)
    mirrored = replace(config, augmentation=replace(Augmentation.none(), flip=1.0))
    other = known.batch(np.arange(8), mirrored, np.random.default_rng(0))
    np.testing.assert_allclose(other.images.flip(3), plain.images, atol=1e-5)
    partners = known.swap >= 0
    expected = plain.points[:, known.swap] * torch.tensor([-1.0, 1.0])
    np.testing.assert_allclose(other.points[:, partners], expected[:, partners], atol=1e-5)
    names = [str(name) for name in faces.template["expression_names"]]
    left, right = names.index("eyeBlinkLeft"), names.index("eyeBlinkRight")
    np.testing.assert_array_equal(other.expression[:, left], plain.expression[:, right])
    heads = basis.mean + np.einsum("nk,kvc->nvc", plain.identity.numpy(), basis.identity)
    turned = basis.mean + np.einsum("nk,kvc->nvc", other.identity.numpy(), basis.identity)
    reflected = heads[:, faces.template["mirror"]] * np.array([-1, 1, 1])
    np.testing.assert_allclose(turned, reflected, atol=0.5)
    # Light from the left comes from the right: the harmonics with an odd number of x change their sign.
    raw = standard(faces, np.arange(len(faces)))
    lights = [batch.illumination.numpy() * raw.light_spread + raw.light_mean for batch in (plain, other)]
    signs = np.repeat([1, 1, 1, -1, -1, 1, 1, -1, 1], 3)
    near = np.abs(plain.illumination.numpy()).max(1) < 3
    np.testing.assert_allclose(lights[1][near], lights[0][near] * signs, atol=1e-4)


def test_actions_change_sides() -> None:
    names = ["jawOpen", "mouthSmileLeft", "mouthSmileRight", "jawLeft", "jawRight"]
    np.testing.assert_array_equal(other_side(names), [0, 2, 1, 4, 3])


def test_the_likelihood_is_least_at_the_true_sigma(faces: FaceSet, bundle: Path) -> None:
    config = tiny()
    known, basis = _prepared(faces, bundle, config)
    batch = known.plain_batch(np.arange(4), config)
    metrics = make_metrics(basis, faces, standard(faces, np.arange(len(faces))))
    generator = torch.Generator().manual_seed(0)
    points = batch.points + 0.03 * torch.randn(batch.points.shape, generator=generator)

    def unlikelihood(sigma: float) -> float:
        even = torch.full(points.shape[:2], sigma)
        found = Estimate(
            batch.identity, batch.expression, points, even, batch.reflectance, batch.illumination, batch.distance
        )
        parts = losses(config.losses, found, batch, metrics)
        assert all(float(value) == pytest.approx(0, abs=1e-6) for name, value in parts.items() if name != "points")
        return float(parts["points"])

    assert unlikelihood(0.03) < min(unlikelihood(0.02), unlikelihood(0.045))


def test_a_killed_run_goes_on_as_if_it_had_not_been(faces: FaceSet, bundle: Path, tmp_path: Path) -> None:
    import training.recipes.default.train as module

    train(_short(), faces, tmp_path / "whole", bundle, progress=False)
    saved, killed = module.save_state, tmp_path / "killed"

    def dying(*args: object, **more: object) -> None:
        saved(*args, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    module.save_state = dying  # type: ignore[assignment]
    try:
        with pytest.raises(KeyboardInterrupt):
            train(_short(), faces, killed, bundle, progress=False)
    finally:
        module.save_state = saved
    train(_short(), faces, killed, resume=True, progress=False)
    whole, resumed = _losses(tmp_path / "whole"), _losses(killed)
    assert list(resumed) == list(whole) == list(range(1, 9))
    np.testing.assert_allclose(list(resumed.values()), list(whole.values()), rtol=1e-5)
    with pytest.raises(ValueError, match="another configuration"):
        train(_short(5), faces, killed, resume=True, progress=False)


def test_training_makes_the_losses_smaller_and_another_run_goes_on_from_it(
    faces: FaceSet, bundle: Path, tmp_path: Path
) -> None:
    train(_short(40), faces, tmp_path / "first", bundle, progress=False)
    first = list(_losses(tmp_path / "first").values())
    assert np.mean(first[-5:]) < np.mean(first[:5]) - 0.5
    assert {"of_control", "expression", "within_sigma"} <= read_log(tmp_path / "first")[-1].keys()
    train(_short(3), faces, tmp_path / "second", start=tmp_path / "first", progress=False)
    assert next(iter(_losses(tmp_path / "second").values())) < np.mean(first[:5])
    assert load_run(tmp_path / "second").step == 3


def test_the_ablation_runs_each_part_once(faces: FaceSet, bundle: Path, tmp_path: Path) -> None:
    from training.recipes.default import study

    base = replace(tiny(), schedule=replace(tiny().schedule, batch_size=8))
    test = faces.subset(np.arange(12))
    found = study.ablation(faces, test, bundle, tmp_path, 2, progress=False, base=base)
    assert [name for name, _ in found] == [part.name for part in study.PARTS]
    text = study.table(found)
    assert text.count("\n") == 1 + len(study.PARTS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/checkpoint.pt")}
    assert study.ablation(faces, test, bundle, tmp_path, 2, progress=False, base=base) == found
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/checkpoint.pt")}


def test_it_needs_something_to_begin_with(faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--bundle"):
        train(_short(), faces, tmp_path, progress=False)
