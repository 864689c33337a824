from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.failures import Failure
from backend.pipeline import Reconstructor
from tests.bundles import write_small_bundle


@pytest.fixture(scope="module")
def reconstructor(bundle_folder: Path) -> Reconstructor:
    return Reconstructor.open(bundle_folder)


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def test_a_photo_becomes_coefficients(reconstructor: Reconstructor, portrait: bytes) -> None:
    result = reconstructor.reconstruct(portrait)
    assert result.identity.shape == (6,)
    assert np.isfinite(result.identity).all()
    assert result.image_size == (512, 512)
    assert (result.method, result.bundle) == ("joint", "small")
    assert result.expression is None
    x, y, width, height = result.face_box
    assert x < 223 < x + width and y < 120 < y + height
    assert set(result.seconds) == {"decode", "localise", "regress", "second_look", "pose"}


def test_the_landmarks_lie_on_the_face_and_the_pose_puts_the_head_there(
    reconstructor: Reconstructor, portrait: bytes
) -> None:
    result = reconstructor.reconstruct(portrait)
    assert result.landmarks68_2d is not None and result.rotation is not None and result.translation is not None
    assert result.focal is not None and 0.5 < result.focal / (50 / 36 * 512) < 2
    assert np.hypot(*(result.landmarks68_2d.mean(axis=0) - [223, 125])) < 25
    assert 60 < np.ptp(result.landmarks68_2d[:, 1]) < 150
    points = reconstructor.bundle.landmarks(result.identity) @ result.rotation.T + result.translation
    projected = result.focal * points[:, :2] / points[:, 2:] + 256
    assert np.sqrt(np.mean(np.sum((projected - result.landmarks68_2d) ** 2, axis=1))) < 3
    assert np.linalg.det(result.rotation) == pytest.approx(1)


def test_the_answer_is_json_without_what_is_not_estimated(tmp_path: Path, portrait: bytes) -> None:
    plain = Reconstructor.open(write_small_bundle(tmp_path, reflectance=0, landmarks=False))
    answer = json.loads(json.dumps(plain.reconstruct(portrait).to_json()))
    assert set(answer) == {
        "protocol", "method", "bundle", "bundle_sha256", "identity", "image_size", "face_box", "seconds",
    }  # fmt: skip


def test_one_pass_may_tell_expression_and_light_too(tmp_path: Path, portrait: bytes) -> None:
    whole = Reconstructor.open(write_small_bundle(tmp_path, expression=True, illumination=True))
    answer = json.loads(json.dumps(whole.reconstruct(portrait).to_json()))
    shapes = {name: np.shape(answer[name]) for name in ("identity", "reflectance", "expression", "illumination")}
    assert shapes == {"identity": (6,), "reflectance": (3,), "expression": (52,), "illumination": (9, 3)}


def test_a_turned_photo_gives_the_same_face_upright(reconstructor: Reconstructor, portrait: bytes) -> None:
    upright = reconstructor.reconstruct(portrait)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.open(BytesIO(portrait)).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    turned = reconstructor.reconstruct(jpeg(lying, exif=exif))
    assert np.abs(turned.identity - upright.identity).max() < 0.3
    assert np.abs(np.array(turned.face_box) - upright.face_box).max() < 6


def test_a_rolled_photo_gives_nearly_the_same_head(reconstructor: Reconstructor, portrait: bytes) -> None:
    upright = reconstructor.reconstruct(portrait)
    image = Image.open(BytesIO(portrait)).convert("RGB")
    rolled = reconstructor.reconstruct(jpeg(image.rotate(30, Image.Resampling.BICUBIC, expand=True)))
    assert np.abs(rolled.identity - upright.identity).max() < 1.0
    assert upright.rotation is not None and rolled.rotation is not None
    turn = rolled.rotation @ upright.rotation.T
    assert np.rad2deg(np.arctan2(turn[1, 0], turn[0, 0])) == pytest.approx(-30, abs=6)


def test_a_large_photo_keeps_its_own_pixels(reconstructor: Reconstructor, portrait: bytes) -> None:
    plain = reconstructor.reconstruct(portrait)
    large = Image.open(BytesIO(portrait)).convert("RGB").resize((4096, 4096), Image.Resampling.BICUBIC)
    result = reconstructor.reconstruct(jpeg(large))
    assert result.image_size == (4096, 4096)
    assert plain.landmarks68_2d is not None and result.landmarks68_2d is not None
    assert np.abs(result.landmarks68_2d / 8 - plain.landmarks68_2d).max() < 4


def test_the_other_face_can_be_chosen(reconstructor: Reconstructor, portrait: bytes) -> None:
    photo = Image.open(BytesIO(portrait)).convert("RGB")
    pair = Image.new("RGB", (900, 512))
    pair.paste(photo.resize((300, 300)), (20, 150))
    pair.paste(photo, (388, 0))
    first, second = (reconstructor.reconstruct(jpeg(pair), face=number) for number in (0, 1))
    assert first.face_box[0] > 388 > second.face_box[0]


def test_all_faces_are_told(reconstructor: Reconstructor, portrait: bytes) -> None:
    photo = Image.open(BytesIO(portrait)).convert("RGB")
    pair = Image.new("RGB", (900, 512))
    pair.paste(photo.resize((300, 300)), (20, 150))
    pair.paste(photo, (388, 0))
    found = reconstructor.faces(jpeg(pair))
    assert found.image_size == (900, 512)
    assert [box[0] > 388 for box in found.boxes] == [True, False]
    assert reconstructor.faces(jpeg(Image.new("RGB", (300, 200)))).boxes == ()


def test_a_drawn_box_is_believed(reconstructor: Reconstructor, portrait: bytes) -> None:
    wanted = reconstructor.reconstruct(portrait)
    assert wanted.landmarks68_2d is not None
    low, high = wanted.landmarks68_2d.min(axis=0), wanted.landmarks68_2d.max(axis=0)
    drawn = reconstructor.reconstruct(portrait, box=(*low, *(high - low)))
    assert drawn.landmarks68_2d is not None
    assert drawn.face_box == (*low, *(high - low))
    assert np.abs(drawn.landmarks68_2d - wanted.landmarks68_2d).mean() < 6
    elsewhere = reconstructor.reconstruct(portrait, box=(300.0, 300.0, 90.0, 90.0))
    assert elsewhere.landmarks68_2d is not None
    assert elsewhere.landmarks68_2d.min() > 200, "no face is there, and none is looked for elsewhere"


@pytest.mark.parametrize("box", [(600, 0, 50, 50), (-60, 10, 50, 50), (0, 0, 0, 9), (float("nan"), 0, 9, 9)])
def test_a_box_beside_the_picture_is_a_failure(reconstructor: Reconstructor, portrait: bytes, box: tuple) -> None:
    with pytest.raises(Failure) as raised:
        reconstructor.reconstruct(portrait, box=box)
    assert raised.value.code == "box_outside"


@pytest.mark.parametrize("face", [1, 7, -1])
def test_a_face_that_is_not_there_is_a_failure(reconstructor: Reconstructor, portrait: bytes, face: int) -> None:
    with pytest.raises(Failure, match="1 face") as raised:
        reconstructor.reconstruct(portrait, face=face)
    assert raised.value.code == "face_number"


def test_a_picture_without_a_face_is_a_failure(reconstructor: Reconstructor) -> None:
    with pytest.raises(Failure, match="No face") as raised:
        reconstructor.reconstruct(jpeg(Image.new("RGB", (300, 200), (50, 90, 160))))
    assert raised.value.code == "face_none"


def test_an_unknown_method_is_a_failure(reconstructor: Reconstructor, portrait: bytes) -> None:
    with pytest.raises(Failure, match="joint") as raised:
        reconstructor.reconstruct(portrait, method="mofa")
    assert raised.value.code == "method_unknown"


def test_it_can_be_cancelled_between_any_two_stages(reconstructor: Reconstructor, portrait: bytes) -> None:
    stages = 6
    for last in range(stages):
        asked = 0

        def cancelled(last: int = last) -> bool:
            nonlocal asked
            asked += 1
            return asked > last

        with pytest.raises(Failure) as raised:
            reconstructor.reconstruct(portrait, cancelled=cancelled)
        assert raised.value.code == "cancelled"


def test_importing_it_is_cheap() -> None:
    heavy = "{'onnxruntime', 'uvicorn', 'starlette', 'torch', 'bpy'} & set(sys.modules)"
    code = f"import sys, backend.pipeline; print(sorted({heavy}))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
