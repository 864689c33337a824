from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import small_head
from tests.training.export.test_sliders import Waves
from tests.training.toy_faces import toy_template, write_toy_faces
from training.template import HeadLayout, Template

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from training.dataset import read_faces
    from training.recipes.joint.config import tiny
    from training.recipes.joint.train import train

    folder = tmp_path_factory.mktemp("export")
    data = write_toy_faces(folder / "data", count=40)
    base = tiny()
    config = replace(base, schedule=replace(base.schedule, steps=8, batch_size=8), validate_every=100)
    train(config, read_faces(data, progress=False), folder / "run", progress=False)
    return data, folder / "run"


def test_the_bundle_is_one_that_the_backend_opens(trained: tuple[Path, Path], tmp_path: Path) -> None:
    from backend.bundle import open_bundle
    from likeness.cli import main

    data, run = trained
    output = tmp_path / "bundle"
    words = ["export", "--checkpoint", str(run), "--data", str(data), "--test", str(data), "--output", str(output)]
    assert main(words) == 0
    bundle = open_bundle(output)
    assert bundle.method == "joint"
    card = (output / "MODEL_CARD.md").read_text()
    assert "likeness train joint" in card
    assert "Apache-2.0" in card
    assert "CC0" in card
    assert "solved in closed form" in card


def test_a_run_is_exported_as_it_was_trained_if_asked(trained: tuple[Path, Path], tmp_path: Path) -> None:
    from likeness.cli import main

    data, run = trained
    output = tmp_path / "bundle"
    words = ["export", "--checkpoint", str(run), "--data", str(data), "--output", str(output), "--finish", "off"]
    assert main(words) == 0
    card = (output / "MODEL_CARD.md").read_text()
    assert "as they were trained" in card
    assert "--finish off" in card


def test_named_sliders_come_with_the_population(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blender_addon.bundle import load
    from likeness.cli import main

    data, run = trained
    population = Waves(Template.from_arrays(toy_template()), small_head(identity=6, reflectance=0)["identity"])
    monkeypatch.setattr("training.export.command.load_populations", lambda specs: population)
    words = ["export", "--checkpoint", str(run), "--data", str(data), "--output", str(tmp_path / "bundle")]
    assert main([*words, "--finish", "off", "--population", "people/waves.npz:0.3"]) == 0
    bundle = load(tmp_path / "bundle")
    assert len(bundle.slider_names) >= 24 and bundle.sliders.shape == (len(bundle.slider_names), len(bundle.identity))
    assert np.isfinite(bundle.sliders).all()
    assert "--population waves.npz:0.3" in (tmp_path / "bundle" / "MODEL_CARD.md").read_text()


def test_the_card_tells_what_the_faces_were_made_of(tmp_path: Path) -> None:
    from training.export.sources import licences, people
    from training.populations.linear import LinearPopulation, no_traits
    from training.populations.mixture import Mixture

    template = Template.from_arrays(toy_template())
    columns = small_head(identity=6, reflectance=0)["identity"]
    waves, none = Waves(template, columns), np.zeros((0, 3), np.float32)
    source = "Faces of the Moon, Lunar Institute (arXiv:1901.00001)"
    scanned = LinearPopulation(
        "moon", none, none[None], HeadLayout(*9 * (none,)), template, no_traits(1), source, "MIT"
    )
    mixture = Mixture((waves, scanned), (0.3, 0.7))
    assert people(mixture) == "MakeHuman's shapes and Faces of the Moon"
    assert people(waves) == people(None) == "MakeHuman's shapes"
    found = {one["source"]: one for one in licences(mixture, {"digests": {"assets": "1f"}})}
    assert found["Faces of the Moon"]["licence"] == "MIT"
    assert found["Faces of the Moon"]["url"] == "https://arxiv.org/abs/1901.00001"
    assert found["MakeHuman system assets"]["licence"] == "CC0-1.0"
    assert "MakeHuman system assets" not in {one["source"] for one in licences(waves, {})}


def test_coefficients_have_unit_variance_and_columns_are_sorted() -> None:
    from training.export.linear_basis import linear_basis

    rng = np.random.default_rng(0)
    codes = rng.normal(size=(4000, 5)) @ rng.normal(size=(5, 5))
    decoder = rng.normal(size=(5, 30, 3)).astype(np.float32)
    basis = linear_basis(codes.astype(np.float32), decoder, 1e-9)
    coefficients = codes @ basis.to_identity.T
    assert coefficients.std(0) == pytest.approx(np.ones(5), rel=0.02)
    assert np.corrcoef(coefficients.T) == pytest.approx(np.eye(5), abs=0.05)
    assert (np.diff(basis.variance) <= 0).all()
    heads = np.einsum("nd,dvc->nvc", codes, decoder)
    assert np.einsum("nk,kvc->nvc", coefficients, basis.columns) == pytest.approx(heads, abs=1e-3)


def test_the_mirror_images_coefficients_are_found() -> None:
    from training.dataset import mirror_vertices
    from training.export.onnx_regressor import mirrored_coefficients

    rng = np.random.default_rng(1)
    mirror = np.array([1, 0, 3, 2, 4, 5])
    half = rng.normal(size=(3, 6, 3)).astype(np.float32)
    both = np.concatenate([half, mirror_vertices(half, mirror)]).reshape(6, -1)
    columns = np.linalg.qr(both.T)[0].T.reshape(-1, 6, 3).astype(np.float32)
    mean = np.tensordot(rng.normal(size=6), columns, 1).astype(np.float32)
    turn, shift = mirrored_coefficients(mean, columns, mirror)
    coefficients = rng.normal(size=6).astype(np.float32)
    head = mean + np.tensordot(coefficients, columns, 1)
    again = mean + np.tensordot(turn @ coefficients + shift, columns, 1)
    assert again == pytest.approx(mirror_vertices(head, mirror), abs=1e-5)
