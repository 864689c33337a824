from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.toy_faces import write_toy_faces

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Toy faces, and a run of the recipe on a bundle of `joint` made from them."""
    from training.dataset import read_faces
    from training.export.bundle import ExportOptions, export_bundle
    from training.export.model_card import CardFacts
    from training.recipes.default import config as settings
    from training.recipes.default.train import train
    from training.recipes.joint import config, run
    from training.recipes.joint import train as joint

    folder = tmp_path_factory.mktemp("default")
    data = write_toy_faces(folder / "data", count=40)
    faces = read_faces(data, progress=False)
    base = config.tiny()
    schedule = replace(base.schedule, steps=6, batch_size=8, warmup=2)
    joint.train(replace(base, schedule=schedule, validate_every=100), faces, folder / "joint", progress=False)
    options = ExportOptions("toy", smallest_share=1e-6)
    export_bundle(run.load_run(folder / "joint"), faces, None, folder / "start", options, CardFacts(("made",)))
    mine = settings.tiny()
    mine = replace(mine, schedule=replace(mine.schedule, steps=30, batch_size=8), validate_every=100)
    train(mine, faces, folder / "run", folder / "start", progress=False)
    return data, folder / "run"


@pytest.fixture(scope="module")
def bundle(trained: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    from likeness.cli import main

    data, run = trained
    folder = tmp_path_factory.mktemp("exported")
    unseen = write_toy_faces(folder / "unseen", count=16, seed=3)
    photos = write_toy_faces(folder / "photos", count=12, seed=4)
    info = json.loads((photos / "dataset.json").read_text())
    (photos / "dataset.json").write_text(json.dumps(info | {"photos": 3}))
    words = ["export", "--checkpoint", str(run), "--data", str(data), "--calibration", str(unseen)]
    words += ["--photos", str(photos)]
    assert main([*words, "--test", str(unseen), "--output", str(folder / "bundle")]) == 0
    return folder / "bundle"


def test_the_bundle_is_one_that_the_backend_opens(bundle: Path) -> None:
    from backend.pipeline import Reconstructor
    from blender_addon.bundle import load

    opened = Reconstructor.open(bundle).bundle
    assert opened.method == "default"
    outputs = opened.description["regressor"]["outputs"]
    assert {"identity", "expression", "illumination", "dense", "sigma", "distance"} <= set(outputs)
    assert len(load(bundle).identity) == len(opened.identity)
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "likeness train default" in card and "Apache-2.0" in card and "CC0" in card
    assert "| **all** | 16 |" in card
    assert "| the network's own |" in card


def test_what_the_fit_needs_to_know_is_measured(bundle: Path) -> None:
    entry = json.loads((bundle / "bundle.json").read_text())["refine"]
    assert entry["identity"] in ("held", "free") and entry["correlation"] >= 1
    assert entry["sigma_scale"] > 0
    assert len(entry["expression_sd"]) == 52 and min(entry["expression_sd"]) > 0
    with np.load(bundle / "head.npz") as arrays:
        error, sigma, agreement = arrays["identity_error"], arrays["vertex_sigma"], arrays["identity_agreement"]
    assert np.linalg.eigvalsh(error.astype(np.float64)).min() > 0
    assert (sigma > 0).all()
    assert agreement.shape == (len(error),) and (agreement > 0).all() and (agreement <= 1).all()


def test_the_network_is_the_trained_one_averaged_over_the_mirror_image(
    trained: tuple[Path, Path], bundle: Path
) -> None:
    from training.dataset import read_faces
    from training.evaluation.regressor import load_bundle
    from training.export.bundle import plain_crops

    faces = read_faces(trained[0], progress=False)
    opened = load_bundle(bundle)
    crops = plain_crops(faces, opened.size, opened.crop_scale)[:4]
    one, other = opened.run(crops), opened.run(np.ascontiguousarray(crops[:, :, ::-1]))
    np.testing.assert_allclose(one["distance"], other["distance"], atol=1e-4)
    names = opened.description["expression_names"]
    left, right = names.index("mouthSmileLeft"), names.index("mouthSmileRight")
    np.testing.assert_allclose(one["expression"][:, left], other["expression"][:, right], atol=1e-4)
    np.testing.assert_allclose(one["landmarks"][:, 8, 0], opened.size - other["landmarks"][:, 8, 0], atol=1e-2)


def test_without_unseen_faces_it_says_what_to_name(trained: tuple[Path, Path], tmp_path: Path) -> None:
    from training.dataset import read_faces
    from training.export.default import DefaultOptions, export_default
    from training.recipes.default.run import load_run

    run = load_run(trained[1])
    nobody = replace(run, config=replace(run.config, held_out=0.0))
    with pytest.raises(ValueError, match="--calibration"):
        export_default(nobody, read_faces(trained[0], progress=False), tmp_path, DefaultOptions("toy", ()), False)


def test_the_covariance_is_shrunk_where_samples_are_few() -> None:
    from training.export.calibration import _covariance

    rng = np.random.default_rng(0)
    few, many = _covariance(rng.normal(size=(12, 30))), _covariance(rng.normal(size=(20_000, 30)))
    assert np.linalg.eigvalsh(few).min() > 0.05
    np.testing.assert_allclose(many, np.eye(30), atol=0.05)
