from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.augmentation import Augmentation, cut, luminance, photograph  # noqa: E402
from training.crop import crops_from_landmarks  # noqa: E402


def _spots(rng: np.random.Generator, count: int = 6, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Black pictures with one bright spot at landmark 30, and landmarks in a box of half their width."""
    landmarks = rng.uniform(24, 72, (count, 68, 2)).astype(np.float32)
    landmarks[:, 36:42, 0], landmarks[:, 42:48, 0] = 30, 66
    pictures = np.zeros((count, size, size, 3), np.uint8)
    rows, columns = np.indices((size, size)) + 0.5
    for picture, point in zip(pictures, landmarks[:, 30], strict=True):
        spot = 255 * np.exp(-((columns - point[0]) ** 2 + (rows - point[1]) ** 2) / 8)
        picture[:] = spot[..., None]
    return pictures, landmarks


@pytest.mark.parametrize("config", [Augmentation.none(), Augmentation(flip=1.0), Augmentation(flip=0.5)])
def test_landmarks_stay_on_what_they_mark(config: Augmentation) -> None:
    rng = np.random.default_rng(0)
    pictures, landmarks = _spots(rng)
    batch = cut(pictures, landmarks, 64, config, rng)
    points = batch.to_crop(landmarks)[:, 30]
    grid = torch.stack(torch.meshgrid(*[torch.arange(64) + 0.5] * 2, indexing="xy"))
    bright = batch.images[:, :1]
    found = (bright * grid).sum((2, 3)) / bright.sum((2, 3))
    np.testing.assert_allclose(found.numpy(), points, atol=0.15)


def test_without_augmentation_it_is_the_plain_crop() -> None:
    rng = np.random.default_rng(0)
    pictures, landmarks = _spots(rng)
    batch = cut(pictures, landmarks, 64, Augmentation.none(), rng)
    plain = crops_from_landmarks(landmarks)
    np.testing.assert_allclose(batch.crops.side, plain.side)
    np.testing.assert_allclose(batch.crops.centre, plain.centre)
    assert not batch.flipped.any()


def test_the_limits_of_the_jitter_hold() -> None:
    rng = np.random.default_rng(0)
    pictures, landmarks = _spots(rng, 200)
    config = Augmentation(centre=0.1, scale=(0.8, 1.25), roll=15)
    plain, crops = crops_from_landmarks(landmarks), cut(pictures, landmarks, 16, config, rng).crops
    ratio = crops.side / plain.side
    assert 0.8 <= ratio.min() < 0.95 and 1.05 < ratio.max() <= 1.25
    turned = np.degrees(np.abs(crops.roll - plain.roll))
    assert 5 < turned.max() <= 15
    assert np.abs((crops.centre - plain.centre) / plain.side[:, None]).max() <= 0.1


def test_the_same_generator_gives_the_same_pictures() -> None:
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, second = (photograph(images.clone(), Augmentation(), np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, photograph(images.clone(), Augmentation(), np.random.default_rng(6)))


def test_pictures_stay_pictures() -> None:
    images = torch.rand(32, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    everything = Augmentation(grey=1.0, blur=1.0, downscale=1.0, noise=1.0, jpeg=1.0, occlusion=1.0)
    changed = photograph(images, everything, np.random.default_rng(0))
    assert changed.min() >= 0 and changed.max() <= 1 and torch.isfinite(changed).all()


def test_luminance_of_grey_is_itself() -> None:
    grey = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(luminance(grey.expand(-1, 3, -1, -1)), grey)


def test_other_light_is_smooth_and_leaves_places_alone() -> None:
    rng = np.random.default_rng(1)
    plain = torch.rand((8, 3, 64, 64), generator=torch.Generator().manual_seed(0)) * 0.5 + 0.1
    before = plain.clone()
    changed = photograph(plain.clone(), replace(Augmentation.none(), light=1.0), rng)
    factor = (changed / before)[:, 0]
    inside = changed[:, 0] < 0.999
    steps = (factor[:, :, 1:] / factor[:, :, :-1]).log().abs()[inside[:, :, 1:] & inside[:, :, :-1]]
    assert float(factor.std()) > 0.1
    assert float(steps.median()) < 0.05
    sharper = photograph(before.clone(), replace(Augmentation.none(), sharpen=1.0), rng)
    assert float((sharper.mean((2, 3)) - before.mean((2, 3))).abs().max()) < 0.05
    assert float((sharper - before).abs().mean()) > 0.005
