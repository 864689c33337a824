from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.toy_faces import write_toy_faces  # noqa: E402
from training.dataset import read_faces  # noqa: E402
from training.recipes.joint.autoencoder import Autoencoder  # noqa: E402
from training.recipes.joint.config import tiny  # noqa: E402
from training.recipes.joint.finish import STRENGTHS, finish, rescale_basis, ridge  # noqa: E402
from training.recipes.joint.run import load_run  # noqa: E402
from training.recipes.joint.train import train  # noqa: E402


def test_a_shrunk_autoencoder_rebuilds_heads_again() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(200, 3)) @ rng.normal(size=(3, 12))).astype(np.float32)
    vectors -= vectors.mean(0)
    autoencoder = Autoencoder(12, 3)
    with torch.no_grad():
        # The span of the heads, each direction shrunk in its own way.
        shrink = torch.diag(torch.tensor([0.5, 0.1, 2.0]))
        autoencoder.decoder.weight.copy_(torch.linalg.svd(torch.from_numpy(vectors))[2][:3].T @ shrink)
    rescale_basis(autoencoder, vectors)
    code, rebuilt = autoencoder(torch.from_numpy(vectors))
    np.testing.assert_allclose(rebuilt.detach().numpy(), vectors, atol=1e-4)
    np.testing.assert_allclose(np.cov(code.detach().numpy(), rowvar=False, bias=True), np.eye(3), atol=1e-4)


def test_ridge_without_a_penalty_is_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    features = 3 * torch.randn(100, 4, generator=generator) + 1
    truth = torch.randn(2, 4, generator=generator)
    weight, bias = ridge(features, features @ truth.T + 5, 0.0)
    assert torch.allclose(weight, truth, atol=1e-4) and torch.allclose(bias, torch.full((2,), 5.0), atol=1e-3)
    assert ridge(features, features @ truth.T, 10.0)[0].norm() < 0.2 * truth.norm()


def test_finishing_keeps_the_features_and_chooses_the_best_ridge(tmp_path: Path) -> None:
    faces = read_faces(write_toy_faces(tmp_path / "faces", count=40, size=40), progress=False)
    base = tiny()
    config = replace(base, schedule=replace(base.schedule, steps=10, batch_size=8), validate_every=100)
    train(config, faces, tmp_path / "run", progress=False)
    before = load_run(tmp_path / "run")
    after = finish(before, faces, progress=False)
    assert after.errors is not None and set(after.errors) == set(STRENGTHS)
    assert after.errors[after.strength] == min(after.errors.values())
    given = finish(before, faces, 0.5, progress=False)
    assert given.strength == 0.5
    image = torch.rand(2, 3, config.size, config.size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(before.model.network(image).points, after.run.model.network(image).points)
        assert not torch.allclose(before.model.network(image).code, after.run.model.network(image).code)
    with pytest.raises(ValueError, match="held out no faces"):
        finish(replace(before, config=replace(config, held_out=0.0)), faces, progress=False)
