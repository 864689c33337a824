from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.recipes.joint.autoencoder import Autoencoder, start_from_principal_components  # noqa: E402


def test_it_starts_as_principal_components_with_unit_variance() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(300, 4)) * [5, 3, 2, 1] @ np.linalg.qr(rng.normal(size=(10, 4)))[0].T).astype(
        np.float32
    )
    vectors -= vectors.mean(0)
    autoencoder = Autoencoder(10, 4)
    values, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors / len(vectors))
    directions, spread = axes[:, ::-1].astype(np.float32), np.sqrt(values[::-1].clip(0)).astype(np.float32)
    start_from_principal_components(autoencoder, directions, spread)
    code, rebuilt = autoencoder(torch.from_numpy(vectors))
    np.testing.assert_allclose(rebuilt.detach().numpy(), vectors, atol=1e-3)
    np.testing.assert_allclose(np.cov(code.detach().numpy(), rowvar=False), np.eye(4), atol=0.01)


def test_the_decoder_is_linear_whatever_the_encoder_is() -> None:
    autoencoder = Autoencoder(10, 3, hidden=(8,))
    code = torch.randn(2, 3)
    assert torch.allclose(autoencoder.decoder(code), code @ autoencoder.basis.T)
    with pytest.raises(ValueError, match="linear encoder"):
        start_from_principal_components(autoencoder, np.eye(10, dtype=np.float32), np.ones(10, np.float32))


def test_any_number_of_vertices_is_a_matter_of_memory_alone() -> None:
    # The paper's 53,490 vertices: 160,470 numbers a head.
    autoencoder = Autoencoder(160_470, 4)
    assert autoencoder(torch.zeros(1, 160_470))[1].shape == (1, 160_470)
