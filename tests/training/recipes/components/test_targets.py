from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from training.recipes.components.targets import spanning


@pytest.mark.parametrize("at_once", [300, 40, 12])
def test_samples_are_spanned_however_few_are_looked_at_together(at_once: int) -> None:
    """Forty common directions, and ten that one sample each has for itself."""
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(200, 40)) @ rng.normal(size=(40, 500))
    samples[::20] += rng.normal(size=(10, 500))
    samples = samples.astype(np.float32)
    found = spanning(samples, at_once)
    assert found.shape == (500, 50)
    np.testing.assert_allclose(found.T @ found, np.eye(50), atol=1e-4)
    np.testing.assert_allclose((samples @ found) @ found.T, samples, atol=2e-3 * float(samples.std()))


def test_few_samples_span_no_more_than_their_number() -> None:
    samples = np.random.default_rng(2).normal(size=(7, 90)).astype(np.float32)
    assert spanning(samples).shape == (90, 7)
    assert spanning(np.zeros((5, 90), np.float32)).shape == (90, 0)
