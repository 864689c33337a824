from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from backend.crop import Crop, crop_from_keypoints
from backend.decode import Picture
from backend.failures import Failure
from backend.localise import MODEL, SIZE, Face, Localiser, _importance, anchors, blend, decode_boxes

FACE = np.array([223.0, 120.0])
EYES = np.array([[203.0, 102.0], [243.0, 102.0]])


@pytest.fixture(scope="module")
def photo(portrait: bytes) -> Image.Image:
    return Image.open(BytesIO(portrait)).convert("RGB")


def find(localiser: Localiser, image: Image.Image) -> list[Face]:
    return localiser.find(Picture(image, image.size))


def assert_eyes(face: Face, expected: np.ndarray, within: float) -> None:
    assert np.linalg.norm(face.keypoints[:2] - expected, axis=1).max() < within


def test_anchors_are_those_of_mediapipe() -> None:
    centres = anchors()
    assert centres.shape == (896, 2)
    assert np.allclose(centres[:3] * SIZE, [[4, 4], [4, 4], [12, 4]])
    assert np.allclose(centres[511] * SIZE, [124, 124])
    assert np.allclose(centres[512:519] * SIZE, [[8, 8]] * 6 + [[24, 8]])


def test_boxes_are_decoded_from_their_anchor() -> None:
    boxes = np.zeros((896, 16), np.float32)
    boxes[0, :8] = 10, 20, 30, 40, 1, 2, 3, 4
    logits = np.full((896, 1), -200.0, np.float32)
    logits[0] = 0.0
    (face,) = decode_boxes(boxes, logits, anchors(), Crop((64.0, 64.0), 128.0), 0.5)
    assert face.score == pytest.approx(0.5)
    assert face.box == pytest.approx((4 + 10 - 15, 4 + 20 - 20, 30, 40))
    assert np.allclose(face.keypoints[:3], [[5, 6], [7, 8], [4, 4]])


def test_a_mirrored_look_says_the_same(localiser: Localiser, photo: Image.Image) -> None:
    (plain,) = find(localiser, photo)
    (mirrored,) = find(localiser, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    back = mirrored.keypoints[[1, 0, 2, 3, 5, 4]] * (-1, 1) + (photo.width, 0)
    assert np.abs(back - plain.keypoints).max() < 3


def test_overlapping_findings_become_their_weighted_mean() -> None:
    points = np.zeros((6, 2))
    faces = [
        Face((0.0, 0.0, 100.0, 100.0), points, 0.9),
        Face((10.0, 0.0, 100.0, 100.0), points + 10, 0.6),
        Face((300.0, 0.0, 50.0, 50.0), points, 0.7),
    ]
    first, second = blend(faces)
    assert first.box == pytest.approx((4.0, 0.0, 100.0, 100.0))
    assert np.allclose(first.keypoints, 4.0)
    assert first.score == 0.9
    assert second.box == (300.0, 0.0, 50.0, 50.0)


def test_findings_without_an_area_do_no_harm() -> None:
    flat = Face((5.0, 5.0, 0.0, 0.0), np.zeros((6, 2)), 0.9)
    assert len(blend([flat, flat])) == 2


def test_the_portrait_has_one_face_where_it_is(localiser: Localiser, photo: Image.Image) -> None:
    (face,) = find(localiser, photo)
    assert_eyes(face, EYES, 8)
    assert np.hypot(*(np.array(face.centre) - FACE)) < 15
    assert face.score > 0.8
    assert abs(face.roll) < np.deg2rad(8)


def test_the_first_crop_holds_the_face(localiser: Localiser, photo: Image.Image) -> None:
    (face,) = find(localiser, photo)
    crop = crop_from_keypoints(face.keypoints, face.centre)
    # Brows to chin is about 110 px in this portrait, and the crop 1.45 times that.
    assert 135 < crop.side < 190
    assert np.hypot(*(np.array(crop.centre) - FACE)) < 20


@pytest.mark.parametrize("angle", [-90, -45, -20, 20, 45, 90])
def test_a_rolled_face_is_found_with_its_roll(localiser: Localiser, photo: Image.Image, angle: int) -> None:
    (upright,) = find(localiser, photo)
    face = find(localiser, photo.rotate(angle, Image.Resampling.BILINEAR, expand=True))[0]
    turned = (face.roll - upright.roll + np.deg2rad(angle) + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.rad2deg(turned)) < 8


@pytest.mark.parametrize("size", [(810, 540), (960, 540)])
def test_a_face_a_fifth_of_the_height_is_found(localiser: Localiser, photo: Image.Image, size: tuple[int, int]) -> None:
    canvas = Image.new("RGB", size, (90, 100, 110))
    canvas.paste(photo, (size[0] - 512, 28))
    face = find(localiser, canvas)[0]
    assert_eyes(face, EYES + np.array([size[0] - 512, 28]), 8)


def test_a_face_that_fills_the_picture_is_found(localiser: Localiser, photo: Image.Image) -> None:
    assert_eyes(find(localiser, photo.crop((165, 60, 280, 180)))[0], EYES - np.array([165, 60]), 10)


@pytest.mark.parametrize("factor", [0.2, 1.8])
def test_dark_and_bright_photos_have_a_face(localiser: Localiser, photo: Image.Image, factor: float) -> None:
    assert_eyes(find(localiser, ImageEnhance.Brightness(photo).enhance(factor))[0], EYES, 10)


def test_several_faces_come_the_largest_first(localiser: Localiser, photo: Image.Image) -> None:
    pair = Image.new("RGB", (900, 512))
    pair.paste(photo.resize((300, 300)), (20, 150))
    pair.paste(photo, (388, 0))
    faces = find(localiser, pair)
    assert len(faces) == 2
    assert_eyes(faces[0], EYES + np.array([388, 0]), 8)
    assert_eyes(faces[1], EYES * (300 / 512) + np.array([20, 150]), 8)


def test_a_face_that_the_edge_cuts_off_comes_after_whole_ones(localiser: Localiser, photo: Image.Image) -> None:
    pair = Image.new("RGB", (900, 512), (90, 100, 110))
    pair.paste(photo.resize((300, 300)), (20, 150))
    pair.paste(photo, (900 - 223, 0))
    faces = find(localiser, pair)
    assert_eyes(faces[0], EYES * (300 / 512) + np.array([20, 150]), 8)


def test_the_edge_may_be_touched() -> None:
    def face(x: float, side: float) -> Face:
        return Face((x, 50.0, side, side), np.zeros((6, 2)), 0.9)

    size = (400, 300)
    whole, touching, slightly, half = face(100, 100), face(-4, 100), face(-12, 130), face(-100, 200)
    assert _importance(touching, size) == _importance(whole, size)
    assert _importance(slightly, size) > _importance(whole, size), "a larger face that lacks little"
    assert _importance(half, size) < _importance(whole, size)
    assert _importance(face(-300, 100), size) == _importance(face(0, 0), size) == 0.0


def test_a_reduced_picture_gives_positions_in_its_own_pixels(localiser: Localiser, photo: Image.Image) -> None:
    (face,) = localiser.find(Picture(photo.reduce(2), photo.size, 2))
    assert_eyes(face, EYES, 10)


@pytest.mark.parametrize("kind", ["black", "white", "noise", "gradient", "one pixel", "a line"])
def test_pictures_without_a_face_have_none(localiser: Localiser, kind: str) -> None:
    rng = np.random.default_rng(0)
    shades = {
        "black": np.zeros((300, 400, 3)),
        "white": np.full((300, 400, 3), 255),
        "noise": rng.integers(0, 256, (300, 400, 3)),
        "gradient": np.linspace(0, 255, 400)[None, :, None].repeat(300, 0).repeat(3, 2),
        "one pixel": np.zeros((1, 1, 3)),
        "a line": np.zeros((1, 2000, 3)),
    }
    assert find(localiser, Image.fromarray(shades[kind].astype(np.uint8))) == []


def test_a_damaged_network_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "localiser.onnx"
    with pytest.raises(Failure) as missing:
        Localiser.open(broken)
    broken.write_bytes(b"not a network")
    with pytest.raises(Failure) as damaged:
        Localiser.open(broken)
    assert missing.value.code == damaged.value.code == "localiser_missing"


def test_the_network_is_the_one_whose_origin_is_written_down() -> None:
    text = (MODEL.parent / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() in text
    assert (MODEL.parent / "LICENSE-BlazeFace").read_text(encoding="utf-8").count("Apache License") > 0


def test_the_foremost_face_is_the_first_of_all(localiser: Localiser, photo: Image.Image) -> None:
    both = Image.new("RGB", (2 * photo.width, photo.height), (90, 90, 90))
    both.paste(photo, (0, 0))
    both.paste(photo.resize((photo.width // 2, photo.height // 2)), (photo.width, 0))
    # A large face whose better half the picture's edge cuts off, beside a whole one.
    cut = Image.new("RGB", (photo.width, photo.height), (90, 90, 90))
    large = photo.resize((2 * photo.width, 2 * photo.height))
    cut.paste(large.crop((2 * int(FACE[0]), 0, large.width, photo.height)), (0, 0))
    cut.paste(photo.resize((photo.width // 2, photo.height // 2)), (photo.width // 2, photo.height // 2))
    for picture in (photo, both, cut):
        faces = find(localiser, picture)
        foremost = localiser.foremost(Picture(picture, picture.size))
        assert foremost is not None
        assert np.abs(foremost.keypoints - faces[0].keypoints).max() < 0.05 * faces[0].side
    blank = Image.new("RGB", (300, 200), (120, 130, 140))
    assert localiser.foremost(Picture(blank, blank.size)) is None
