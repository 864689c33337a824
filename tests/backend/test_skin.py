from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.bundle import open_bundle
from backend.pipeline import Reconstructor
from backend.skin import Skin
from tests.bundles import write_small_bundle


@pytest.fixture(scope="module")
def reconstructor(bundle_folder: Path) -> Reconstructor:
    return Reconstructor.open(bundle_folder)


def picture(text: str) -> NDArray[np.uint8]:
    with Image.open(BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image)


def test_a_texture_is_given_where_it_is_asked_for(reconstructor: Reconstructor, portrait: bytes) -> None:
    assert "texture" not in reconstructor.reconstruct(portrait).to_json()
    answer = reconstructor.reconstruct(portrait, texture=1024)
    made = answer.to_json()["texture"]
    albedo, origin = picture(made["albedo"]), picture(made["origin"])
    assert made["side"] == 1024 and albedo.shape == (1024, 1024, 3) and origin.shape == (1024, 1024)
    assert set(np.unique(origin)) <= {0, 128, 255} and (origin == 255).any()
    assert answer.seconds["texture"] > 0


def test_what_was_seen_has_the_photos_colours(reconstructor: Reconstructor, portrait: bytes) -> None:
    made = reconstructor.reconstruct(portrait, texture=1024).texture
    assert made is not None
    seen = made.albedo[made.origin == 255].astype(float)
    # Skin: red before green before blue, and not one flat colour.
    assert (np.diff(seen.mean(0)) < 0).all()
    assert seen.std(0).min() > 2.0


def test_colours_go_on_beyond_the_islands(reconstructor: Reconstructor, portrait: bytes) -> None:
    made = reconstructor.reconstruct(portrait, texture=1024).texture
    bundle = reconstructor.bundle
    inside = Skin(bundle, bundle.arrays)._atlas(1024)
    known = np.zeros(1024 * 1024, bool)
    known[inside.texel] = True
    known = known.reshape(1024, 1024)
    beside = ~known & (np.roll(known, 1, 0) | np.roll(known, -1, 0) | np.roll(known, 1, 1) | np.roll(known, -1, 1))
    assert made is not None and beside.any()
    assert (made.albedo[beside].sum(1) > 0).all()


def test_a_bundle_without_colours_gives_no_texture(tmp_path: Path, portrait: bytes) -> None:
    folder = write_small_bundle(tmp_path / "plain", landmarks=False)
    assert Skin.of(open_bundle(folder)) is not None
    assert Reconstructor.open(folder).reconstruct(portrait, texture=1024).texture is None, "no pose is known"
