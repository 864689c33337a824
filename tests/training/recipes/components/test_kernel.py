from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.recipes.components.config import MAPPINGS  # noqa: E402
from training.recipes.components.framework import KernelMap, Mapping  # noqa: E402
from training.recipes.components.kernel import Kernel, fit_kernel  # noqa: E402


def bent(codes: np.ndarray) -> np.ndarray:
    """What no linear mapping can follow."""
    return np.stack([np.sin(2 * codes[:, 0]), codes[:, 0] * codes[:, 1], np.abs(codes[:, 1])], 1)


def test_bends_that_a_plane_cannot_follow_are_learned_from_few_pairs() -> None:
    rng = np.random.default_rng(0)
    codes, unseen = rng.standard_normal((300, 4)), rng.standard_normal((500, 4))
    answers = bent(codes) + 0.05 * rng.standard_normal((300, 3))
    kernel = fit_kernel(codes, answers, np.arange(300), 200, np.random.default_rng(1))
    assert len(kernel.centres) == 200
    ones = np.concatenate([codes, np.ones((300, 1))], 1)
    plane = np.concatenate([unseen, np.ones((500, 1))], 1) @ np.linalg.lstsq(ones, answers, rcond=None)[0]
    ours, linear = (float(((found - bent(unseen)) ** 2).mean()) for found in (kernel(unseen), plane))
    assert ours < 0.35 * linear


def test_noise_alone_is_answered_with_the_mean() -> None:
    rng = np.random.default_rng(2)
    codes, answers = rng.standard_normal((120, 6)), rng.standard_normal((120, 5))
    kernel = fit_kernel(codes, answers, np.arange(120) // 4, 120, np.random.default_rng(3))
    unseen = rng.standard_normal((200, 6))
    assert np.square(kernel(unseen) - answers.mean(0)).mean() < 0.35


def test_views_of_one_thing_are_too_few() -> None:
    codes = np.random.default_rng(4).standard_normal((8, 2))
    with pytest.raises(ValueError, match="label more"):
        fit_kernel(codes, codes, np.zeros(8, int), 8, np.random.default_rng(5))


def test_the_network_says_what_least_squares_found() -> None:
    rng = np.random.default_rng(6)
    kernel = Kernel(rng.standard_normal((7, 3)), rng.standard_normal((7, 2)), rng.standard_normal(2), 0.4)
    codes = rng.standard_normal((20, 3)).astype(np.float32)
    module = KernelMap(3, 2, 12)
    module.set(kernel)
    with torch.no_grad():
        assert module(torch.from_numpy(codes)).numpy() == pytest.approx(kernel(codes), abs=1e-5)
    assert Mapping(MAPPINGS["kernel"], 3, 2).kernel is not None
