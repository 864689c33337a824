from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from training.recipes.joint.autoencoder import Autoencoder  # noqa: E402
from training.recipes.joint.config import LossConfig  # noqa: E402
from training.recipes.joint.losses import Batch, losses, total  # noqa: E402
from training.recipes.joint.network import Estimate  # noqa: E402


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(4, 6, generator=generator)
    points = torch.rand(4, 70, 2, generator=generator)
    return Batch(torch.zeros(4, 1, 8, 8), vectors, points, torch.ones(4, 70), None)


def test_j1_and_j2_are_the_papers() -> None:
    batch, autoencoder = _batch(), Autoencoder(6, 3)
    code, rebuilt = autoencoder(batch.vectors)
    estimate = Estimate(code.detach() + 2.0)
    found = {k: v.detach() for k, v in losses(LossConfig(), autoencoder, estimate, batch, None).items()}
    rebuilt = rebuilt.detach()
    assert float(found["j1"]) == pytest.approx(float(((batch.vectors - rebuilt) ** 2).sum(1).mean()))
    assert float(found["j2"]) == pytest.approx(3 * 4.0, rel=1e-5)
    assert float(total(LossConfig(), found)) == pytest.approx(float(found["j1"] + found["j2"]), rel=1e-6)


@pytest.mark.parametrize("space", ["latent", "vertices"])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_j2_reaches_the_encoder_as_far_as_it_is_let(space: str, share: float) -> None:
    batch, autoencoder = _batch(), Autoencoder(6, 3)
    config = LossConfig(j2_space=space, whole=0.1, j2_to_encoder=share)
    code = torch.zeros(4, 3, requires_grad=True)
    losses(config, autoencoder, Estimate(code), batch, torch.eye(6))["j2"].backward()
    reached = sum(float(p.grad.abs().sum()) for p in autoencoder.parameters() if p.grad is not None)
    assert (reached > 0) == (share > 0)
    assert float(code.grad.abs().sum()) > 0


def test_right_estimates_cost_nothing() -> None:
    batch, autoencoder = _batch(), Autoencoder(6, 3)
    estimate = Estimate(autoencoder.encoder(batch.vectors), batch.points)
    found = losses(LossConfig(j2_space="vertices", whole=1.0), autoencoder, estimate, batch, torch.eye(6))
    for name in ("j2", "landmarks", "dense"):
        assert float(found[name].detach()) == pytest.approx(0.0, abs=1e-10)


def test_landmarks_without_a_partner_do_not_count() -> None:
    batch, autoencoder = _batch(), Autoencoder(6, 3)
    batch.visible[:, 69] = 0
    wrong = batch.points.clone()
    wrong[:, 69] += 5
    found = losses(LossConfig(), autoencoder, Estimate(torch.zeros(4, 3), wrong), batch, None)
    assert float(found["dense"]) == 0
