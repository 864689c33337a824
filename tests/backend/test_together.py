"""The pipeline's refinement, and photos of one person."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from backend.answer import Reconstruction
from backend.failures import Failure
from backend.pipeline import Reconstructor
from tests.bundles import write_small_bundle


@pytest.fixture(scope="module")
def refining(tmp_path_factory: pytest.TempPathFactory) -> Reconstructor:
    return Reconstructor.open(write_small_bundle(tmp_path_factory.mktemp("refine"), expression=True, refine=True))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Reconstructor:
    return Reconstructor.open(write_small_bundle(tmp_path_factory.mktemp("plain"), expression=True))


@pytest.fixture(scope="module")
def photos(portrait: bytes) -> list[bytes]:
    photo = Image.open(BytesIO(portrait)).convert("RGB")
    others = [ImageEnhance.Brightness(photo).enhance(0.6), photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    return [portrait, *map(jpeg, others)]


def jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def error(reconstructor: Reconstructor, result: Reconstruction) -> float:
    """Root mean square distance in pixels of the landmarks and where the answer puts them."""
    assert result.rotation is not None and result.focal is not None
    points = reconstructor.bundle.landmarks(result.identity, result.expression) @ result.rotation.T + result.translation
    projected = result.focal * points[:, :2] / points[:, 2:] + np.array(result.image_size) / 2
    return float(np.sqrt(np.mean(np.sum((projected - result.landmarks68_2d) ** 2, axis=1))))


def test_the_head_is_fitted_to_the_points(refining: Reconstructor, portrait: bytes) -> None:
    rough, fine = refining.reconstruct(portrait, refine=False), refining.reconstruct(portrait)
    assert set(rough.seconds) == {"decode", "localise", "regress", "second_look", "pose"}
    assert set(fine.seconds) == {"decode", "localise", "regress", "second_look", "refine"}
    assert error(refining, fine) < error(refining, rough)
    np.testing.assert_array_equal(fine.landmarks68_2d, rough.landmarks68_2d)
    assert fine.expression is not None and rough.expression is not None
    assert np.abs(fine.expression - rough.expression).max() > 0.01
    assert fine.expression.min() >= 0 and fine.expression.max() <= 1
    assert fine.identity.dtype == fine.expression.dtype == np.float32


def test_a_held_identity_is_the_networks(refining: Reconstructor, portrait: bytes) -> None:
    entry = {**refining.bundle.description["refine"], "identity": "held"}
    held_bundle = replace(refining.bundle, description={**refining.bundle.description, "refine": entry})
    held = Reconstructor(held_bundle, refining._localiser, refining._regressor)
    found, rough = held.reconstruct(portrait), held.reconstruct(portrait, refine=False)
    np.testing.assert_array_equal(found.identity, rough.identity)
    assert found.expression is not None and np.abs(found.expression - rough.expression).max() > 0.01


def test_how_sure_it_is_is_told(refining: Reconstructor, plain: Reconstructor, portrait: bytes) -> None:
    result = refining.reconstruct(portrait)
    assert result.sigma is not None and result.sigma.shape == (len(refining.bundle.mean),)
    assert result.personalisation is not None and 0 <= result.personalisation <= 1
    answer = json.loads(json.dumps(result.to_json()))
    assert answer["sigma_mm_median"] == pytest.approx(np.median(result.sigma), abs=1e-3)
    assert answer["personalisation"] == pytest.approx(result.personalisation, abs=1e-3)
    assert "sigma" not in answer
    silent = plain.reconstruct(portrait)
    assert silent.sigma is silent.personalisation is None
    assert not {"sigma_mm_median", "personalisation"} & set(silent.to_json())


def test_photos_of_one_person_share_the_head(refining: Reconstructor, photos: list[bytes]) -> None:
    found = refining.reconstruct_together(photos)
    alone = [refining.reconstruct(photo) for photo in photos]
    assert len(found) == 3
    for one, single in zip(found, alone, strict=True):
        np.testing.assert_array_equal(one.identity, found[0].identity)
        np.testing.assert_array_equal(one.reflectance, found[0].reflectance)
        np.testing.assert_array_equal(one.landmarks68_2d, single.landmarks68_2d)
        assert one.rotation is not None and one.seconds["refine"] > 0
        assert one.sigma is not None and single.sigma is not None
        assert np.all(one.sigma < single.sigma)
    assert np.abs(found[0].expression - found[1].expression).max() > 0.01


def test_without_refinement_they_share_the_mean(plain: Reconstructor, photos: list[bytes]) -> None:
    found = plain.reconstruct_together(photos)
    alone = [plain.reconstruct(photo) for photo in photos]
    for name in ("identity", "reflectance"):
        mean = np.mean([getattr(one, name) for one in alone], axis=0)
        for one in found:
            np.testing.assert_allclose(getattr(one, name), mean, atol=1e-5)
    for one, single in zip(found, alone, strict=True):
        np.testing.assert_array_equal(one.expression, single.expression)
        assert "pose" in one.seconds


def test_the_mean_goes_by_the_networks_own_sigmas(refining: Reconstructor, photos: list[bytes]) -> None:
    found = refining.reconstruct_together(photos[:2], refine=False)
    alone = [refining.reconstruct(photo, refine=False) for photo in photos[:2]]
    weights = [(0.5 + 0.02 * one.identity.sum()) ** -2 for one in alone]  # as the small bundle's network has it
    expected = np.average([one.identity for one in alone], axis=0, weights=weights)
    np.testing.assert_allclose(found[0].identity, expected, atol=1e-5)


def test_one_photo_together_is_one_photo(refining: Reconstructor, portrait: bytes) -> None:
    (together,), alone = refining.reconstruct_together([portrait]), refining.reconstruct(portrait)
    np.testing.assert_array_equal(together.identity, alone.identity)
    np.testing.assert_array_equal(together.sigma, alone.sigma)


def test_only_the_first_has_a_texture(plain: Reconstructor, photos: list[bytes]) -> None:
    first, second = plain.reconstruct_together(photos[:2], texture=1024)
    assert first.texture is not None and second.texture is None


def test_a_photo_that_fails_is_left_out(refining: Reconstructor, portrait: bytes) -> None:
    empty, blue = b"", jpeg(Image.new("RGB", (300, 200), (50, 90, 160)))
    failures: dict[int, str] = {}

    def failed(index: int, failure: Failure) -> None:
        failures[index] = failure.code

    (found,) = refining.reconstruct_together([empty, portrait, blue], failed=failed)
    assert failures == {0: "image_empty", 2: "face_none"}
    np.testing.assert_array_equal(found.identity, refining.reconstruct(portrait).identity)
    with pytest.raises(Failure) as raised:
        refining.reconstruct_together([blue, empty], failed=failed)
    assert raised.value.code == "face_none"
    with pytest.raises(ValueError, match="at least one"):
        refining.reconstruct_together([])


def test_it_can_be_cancelled(refining: Reconstructor, photos: list[bytes]) -> None:
    with pytest.raises(Failure) as raised:
        refining.reconstruct_together(photos, cancelled=lambda: True)
    assert raised.value.code == "cancelled"


def test_an_unknown_method_is_a_failure_of_all(refining: Reconstructor, photos: list[bytes]) -> None:
    with pytest.raises(Failure) as raised:
        refining.reconstruct_together(photos, method="mofa")
    assert raised.value.code == "method_unknown"


def test_a_damaged_refinement_is_found_when_the_bundle_opens(tmp_path: Path) -> None:
    folder = write_small_bundle(tmp_path, expression=True, refine=True)
    description = json.loads((folder / "bundle.json").read_text())
    description["refine"]["correlation"] = 0
    (folder / "bundle.json").write_text(json.dumps(description))
    with pytest.raises(Failure) as raised:
        Reconstructor.open(folder)
    assert raised.value.code == "bundle_damaged"
