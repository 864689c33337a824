from __future__ import annotations

import asyncio
import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from backend.failures import Failure
from backend.voxels import VoxelReconstructor, open_object_bundle, prepared
from tests.objects_bundle import RESOLUTION, write_objects_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_objects_bundle(tmp_path_factory.mktemp("objects"))


def stool(background: tuple[int, ...], mode: str = "RGB", shade: float = 0.0) -> Image.Image:
    """A dark T, 120 wide and 100 high, in the right half of a picture."""
    image = Image.new(mode, (400, 300), background)
    if shade:
        ramp = np.asarray(image, float) + shade * np.linspace(-1, 1, 400)[None, :, None]
        image = Image.fromarray(ramp.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    dark = (40, 30, 30, 255)[: len(background)]
    draw.rectangle((240, 80, 359, 99), fill=dark)
    draw.rectangle((290, 80, 309, 179), fill=dark)
    return image


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=85)
    return file.getvalue()


@pytest.mark.parametrize(
    "image",
    [
        stool((255, 255, 255)),
        stool((180, 190, 210), shade=30),
        stool((0, 0, 0, 0), "RGBA"),
        stool((90, 200, 110)),
    ],
    ids=["white", "shaded", "transparent", "green"],
)
def test_the_object_is_found_on_any_plain_background(image: Image.Image) -> None:
    under = Image.new("RGB", image.size, (128, 128, 128))
    under.paste(image.convert("RGB"), mask=image.getchannel("A") if image.mode == "RGBA" else None)
    pixels, box = prepared(under, 32)
    assert box == pytest.approx((240, 80, 120, 100), abs=2)
    assert pixels.shape == (32, 32)
    assert pixels[0].min() == 255  # the background is white now
    assert pixels[5, 16] < 80  # the seat
    assert pixels[20, 16] < 80  # the leg
    assert pixels[20, 5] == 255


@pytest.mark.parametrize("colour", [(255, 255, 255), (20, 20, 20)])
def test_a_picture_of_nothing_is_refused(colour: tuple[int, int, int]) -> None:
    with pytest.raises(Failure, match="No object") as caught:
        prepared(Image.new("RGB", (200, 100), colour), 32)
    assert caught.value.code == "object_none"


def test_a_picture_that_is_all_texture_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (100, 120, 3), dtype=np.uint8)
    with pytest.raises(Failure, match="No object"):
        prepared(Image.fromarray(noise), 32)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_becomes_a_grid(bundle: Path, kind: str) -> None:
    found = VoxelReconstructor.open(bundle).reconstruct(encoded(stool((240, 240, 240)), kind))
    inside = found.occupancy > found.threshold
    assert inside.shape == (RESOLUTION,) * 3
    heights = np.flatnonzero(inside.any((0, 1)))
    assert inside[:, :, heights[-1]].any(1).sum() > 3 * inside[:, :, heights[0]].any(1).sum()  # the seat is on top
    answer = json.loads(json.dumps(found.to_json()))
    packed = np.frombuffer(base64.b64decode(answer["occupancy"]), np.uint8).reshape((answer["resolution"],) * 3)
    np.testing.assert_allclose(packed / 255, found.occupancy, atol=1 / 500)
    assert answer["method"] == "components-objects"


def test_a_large_photo_gives_its_own_pixels(bundle: Path) -> None:
    image = stool((240, 240, 240)).resize((3600, 2700))
    found = VoxelReconstructor.open(bundle).reconstruct(encoded(image))
    assert found.image_size == (3600, 2700)
    assert found.box == pytest.approx((2160, 720, 1080, 900), abs=40)


def test_a_missing_bundle_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"docs/components\.md"):
        VoxelReconstructor.open(tmp_path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schema": 2}, "bundle_schema"),
        ({"method": "joint"}, "objects_missing"),
        ({"resolution": None}, "bundle_damaged"),
        ({"files": {"objects.onnx": "0"}}, "bundle_damaged"),
        ({"regressor": {"file": "../x.onnx", "size": 32}, "files": {"../x.onnx": "0"}}, "bundle_damaged"),
        ({"regressor": {"file": "y.onnx", "size": 32}, "files": {"y.onnx": "0"}}, "bundle_missing"),
    ],
)
def test_a_damaged_bundle_is_refused(tmp_path: Path, change: dict[str, object], code: str) -> None:
    folder = write_objects_bundle(tmp_path)
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Failure) as caught:
        open_object_bundle(folder)
    assert caught.value.code == code


def test_a_network_of_something_else_is_a_failure(tmp_path: Path) -> None:
    folder = write_objects_bundle(tmp_path)
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"resolution": 30}))
    with pytest.raises(Failure, match="could not be run"):
        VoxelReconstructor.open(folder).reconstruct(encoded(stool((240, 240, 240))))


def test_the_server_answers_for_objects(
    bundle: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import httpx

    from backend.pipeline import Reconstructor
    from backend.server import create_app

    app = create_app(Reconstructor.open(bundle_folder), "secret")
    photo = encoded(stool((255, 255, 255)))

    def ask() -> httpx.Response:
        async def post() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://likeness") as client:
                headers = {"Authorization": "Bearer secret", "Likeness-Protocol": "1"}
                return await client.post("/v1/reconstruct?method=components-objects", headers=headers, content=photo)

        return asyncio.run(post())

    monkeypatch.setenv("LIKENESS_OBJECTS_BUNDLE", str(tmp_path))
    refused = ask()
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "objects_missing"
    monkeypatch.setenv("LIKENESS_OBJECTS_BUNDLE", str(bundle))
    answer = ask()
    assert answer.status_code == 200
    assert answer.json()["resolution"] == RESOLUTION
