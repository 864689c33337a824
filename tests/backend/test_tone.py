from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.bundle import open_bundle
from backend.decode import decode
from backend.failures import Failure
from backend.pipeline import Reconstructor
from backend.skin import Skin
from backend.tone import LARGEST, Sighting, Tone, eye_white, sighting
from tests.bundles import write_small_bundle

Floats = NDArray[np.float64]


def tone(with_white: float = 0.0, without: float = 0.0, constant: float = 0.0) -> Tone:
    """Corrections by so much of the skin's brightness in the photo, and a constant."""
    tables = []
    for rows, share in ((10, with_white), (7, without)):
        table = np.zeros((rows, 3))
        table[3:6] = share * np.eye(3)
        table[-1] = constant
        tables.append(table)
    return Tone(*tables)


def eyes(white: tuple[float, float, float]) -> tuple[NDArray[np.float32], Floats]:
    """A dark picture with two eyes, half white and half black, and the landmarks around them."""
    picture = np.full((100, 100, 3), 0.2, np.float32)
    landmarks = np.zeros((68, 2))
    for first, left in ((36, 20.0), (42, 60.0)):
        landmarks[first : first + 6] = [
            (left, 40), (left + 5, 36), (left + 15, 36), (left + 20, 40), (left + 15, 44), (left + 5, 44),
        ]  # fmt: skip
        picture[30:50, int(left) : int(left) + 10] = white
        picture[30:50, int(left) + 10 : int(left) + 20] = 0.01
    return picture, landmarks


def test_the_white_of_the_eyes_is_found_beside_the_iris() -> None:
    picture, landmarks = eyes((0.7, 0.6, 0.5))
    found = eye_white(picture, landmarks)
    assert found is not None
    assert np.exp(found) == pytest.approx([0.7, 0.6, 0.5], rel=1e-3)


def test_eyes_of_a_few_pixels_and_those_outside_show_no_white() -> None:
    picture, landmarks = eyes((0.7, 0.6, 0.5))
    assert eye_white(picture, landmarks / 10) is None
    assert eye_white(picture, landmarks + 500) is None


def test_what_is_seen_are_medians_of_skin_that_faces_the_camera() -> None:
    picture, landmarks = eyes((0.7, 0.6, 0.5))
    colours = np.full((100, 3), 0.3)
    colours[:10] = 5.0
    facing = np.ones(100)
    facing[50:] = 0.1
    colours[50:] = 0.01
    seen = sighting(picture, colours, facing, np.full((100, 3), 0.4), landmarks)
    assert seen is not None
    assert np.exp(seen.skin) == pytest.approx([0.3] * 3) and np.exp(seen.estimate) == pytest.approx([0.4] * 3)
    assert len(seen.numbers()) == 10 and len(replace(seen, white=None).numbers()) == 7
    assert sighting(picture, colours, 0.1 * facing, np.full((100, 3), 0.4), landmarks) is None


def test_corrections_are_linear_and_limited() -> None:
    seen = Sighting(np.zeros(3), np.log([0.5, 0.4, 0.3]), None)
    assert tone(without=0.5).correction(seen) == pytest.approx(0.5 * seen.skin)
    assert tone(with_white=9.0, without=0.1).correction(replace(seen, white=np.zeros(3))).tolist() == [-LARGEST] * 3


def test_a_photo_without_colour_changes_no_hue() -> None:
    grey = Sighting(np.log([0.5, 0.4, 0.3]), np.log([0.3, 0.3, 0.3]), None)
    weights = np.zeros((7, 3))
    weights[-1] = (0.1, 0.2, 0.6)
    assert Tone(np.zeros((10, 3)), weights).correction(grey) == pytest.approx([0.3] * 3)


def test_a_description_keeps_it_and_a_wrong_one_is_a_sentence() -> None:
    known = tone(0.1, 0.2, 0.3)
    again = Tone.of({"tone": json.loads(json.dumps(known.to_json()))})
    assert again is not None and np.allclose(again.with_white, known.with_white)
    assert Tone.of({}) is None
    for wrong in ({}, {"with_white": [[1]], "without": [[1]]}, {"with_white": "a", "without": [[1]]}, [1]):
        with pytest.raises(Failure, match="tone"):
            Tone.of({"tone": wrong})


def test_the_answers_skin_has_the_tone_that_the_photo_tells(tmp_path: Path, portrait: bytes) -> None:
    folder = write_small_bundle(tmp_path / "bundle")
    path = folder / "bundle.json"
    plain = Reconstructor.open(folder).reconstruct(portrait)
    description = json.loads(path.read_text())
    path.write_text(json.dumps(description | {"tone": tone(constant=np.log(0.8)).to_json()}))
    reconstructor = Reconstructor.open(folder)
    answer = reconstructor.reconstruct(portrait)
    skin = Skin.of(open_bundle(folder))
    assert skin is not None and plain.reflectance is not None and answer.reflectance is not None
    before, after = (skin.plain_tone(skin.model(found.reflectance)) for found in (plain, answer))
    # As near as its few columns come.
    assert (after < before).all() and np.abs(np.log(after / before) - np.log(0.8)).max() < 0.12
    assert answer.seconds["tone"] >= 0 and "tone" not in plain.seconds
    assert np.array_equal(answer.identity, plain.identity)
    assert decode(portrait).size == answer.image_size
