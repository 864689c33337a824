from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from backend.decode import BACKGROUND, decode
from backend.failures import Failure

WIDTH, HEIGHT = 40, 24


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def marked() -> Image.Image:
    """Red at the top left, green at the top right, blue at the bottom left, white at the bottom right."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = 255, 0, 0
    pixels[: HEIGHT // 2, WIDTH // 2 :] = 0, 255, 0
    pixels[HEIGHT // 2 :, : WIDTH // 2] = 0, 0, 255
    pixels[HEIGHT // 2 :, WIDTH // 2 :] = 255, 255, 255
    return Image.fromarray(pixels)


def ramp(peak: float, dtype: type) -> np.ndarray:
    return np.linspace(0, peak, WIDTH).astype(dtype)[None].repeat(HEIGHT, axis=0)


def assert_ramp(content: bytes) -> None:
    grey = np.asarray(decode(content).image).astype(int)
    expected = np.round(np.linspace(0, 255, WIDTH))
    assert grey.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(grey - expected[None, :, None]).max() <= 1


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_common_formats_keep_their_pixels(format_: str) -> None:
    options = {"lossless": True} if format_ == "WEBP" else {}
    picture = decode(encoded(marked(), format_, **options))
    assert picture.image.mode == "RGB"
    assert picture.size == (WIDTH, HEIGHT)
    assert np.array_equal(np.asarray(picture.image), np.asarray(marked()))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, None),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_exif_orientation_turns_the_photo_upright(format_: str, orientation: int, turn: Image.Transpose | None) -> None:
    stored = marked() if turn is None else marked().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(stored, format_, exif=exif, **({"quality": 95} if format_ in ("JPEG", "WEBP") else {})))
    assert picture.size == picture.image.size == (WIDTH, HEIGHT)
    corners = np.asarray(picture.image)[[4, 4, -5, -5], [4, -5, 4, -5]].astype(int)
    assert np.abs(corners - [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]).max() < 40


def test_focal_length_comes_from_exif() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 85
    assert decode(encoded(marked(), "JPEG", exif=exif)).focal_35mm == 85
    assert decode(encoded(marked(), "JPEG")).focal_35mm is None


@pytest.mark.parametrize("focal", [0, 65535])
def test_an_absurd_focal_length_is_none(focal: int) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = focal
    assert decode(encoded(marked(), "JPEG", exif=exif)).focal_35mm is None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_exif_block_does_not_spoil_the_photo() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(marked(), "JPEG", exif=exif)
    start = content.index(b"Exif\x00\x00") + 6
    broken = content[: start + 4] + b"\xff\xff\xff\x7f" + content[start + 8 :]
    assert decode(broken).size == (WIDTH, HEIGHT)


def test_16_bit_grey_png_is_scaled() -> None:
    assert_ramp(encoded(Image.fromarray(ramp(65535, np.uint16)), "PNG"))


def test_16_bit_grey_tiff_is_scaled() -> None:
    assert_ramp(encoded(Image.fromarray(ramp(65535, np.uint16)), "TIFF"))


def test_float_tiff_is_scaled() -> None:
    assert_ramp(encoded(Image.fromarray(ramp(1.0, np.float32)), "TIFF"))


def test_16_bit_colour_png_is_scaled() -> None:
    row = b"\x00" + np.stack([ramp(65535, np.uint16)[0]] * 3, 1).astype(">u2").tobytes()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * HEIGHT)) + chunk(b"IEND", b"")
    assert_ramp(b"\x89PNG\r\n\x1a\n" + data)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_become_neutral_grey(mode: str) -> None:
    image = Image.new(mode, (8, 8), (200,) * (len(mode) - 1) + (0,))
    image.putpixel((3, 3), (200,) * (len(mode) - 1) + (255,))
    pixels = np.asarray(decode(encoded(image, "PNG")).image)
    assert tuple(pixels[0, 0]) == BACKGROUND
    assert tuple(pixels[3, 3]) == (200, 200, 200)


def test_transparent_palette_entry_becomes_neutral_grey() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)
    pixels = np.asarray(decode(encoded(image, "PNG", transparency=0)).image)
    assert tuple(pixels[0, 0]) == BACKGROUND
    assert tuple(pixels[4, 4]) == (200, 100, 50)


def test_cmyk_jpeg_has_its_colours() -> None:
    cmyk = marked().convert("CMYK")
    pixels = np.asarray(decode(encoded(cmyk, "JPEG", quality=95)).image).astype(int)
    assert np.abs(pixels[4, 4] - [255, 0, 0]).max() < 30
    assert np.abs(pixels[-5, -5] - 255).max() < 10


def test_lab_tiff_has_its_colours() -> None:
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(marked(), rgb, lab, outputMode="LAB")
    assert image is not None
    pixels = np.asarray(decode(encoded(image, "TIFF")).image).astype(int)
    assert np.abs(pixels[4, 4] - [255, 0, 0]).max() < 12


def test_first_frame_of_an_animation_is_used() -> None:
    frames = [marked(), Image.new("RGB", (WIDTH, HEIGHT), (9, 9, 9))]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert tuple(np.asarray(decode(content).image)[4, 4]) == (255, 0, 0)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    content = encoded(marked().resize((8000, 4800), Image.Resampling.NEAREST), "JPEG", quality=50)
    picture = decode(content)
    assert picture.size == (8000, 4800)
    assert picture.reduction == 4
    assert picture.image.size == (2000, 1200)


def test_a_large_cut_out_is_reduced_without_its_hidden_colours() -> None:
    image = Image.new("RGBA", (3300, 400), (255, 0, 0, 0))
    image.paste((40, 50, 60, 255), (1001, 0, 3300, 400))
    picture = decode(encoded(image, "PNG", compress_level=1))
    assert picture.size == (3300, 400)
    assert picture.reduction == 2
    edge = np.asarray(picture.image)[100, 498:503].astype(int)
    assert np.abs(edge[:2] - BACKGROUND).max() <= 1
    assert np.abs(edge[2] - np.mean([BACKGROUND, (40, 50, 60)], axis=0)).max() <= 1
    assert np.abs(edge[3:] - [40, 50, 60]).max() <= 1


def test_a_large_turned_jpeg_keeps_its_upright_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(encoded(Image.new("RGB", (3300, 1001)), "JPEG", exif=exif))
    assert picture.size == (1001, 3300)
    assert picture.reduction == 2
    assert picture.image.size == (501, 1650)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "image_empty"),
        (b"%PDF-1.7 not an image", "image_unreadable"),
        (bytes(range(256)) * 40, "image_unreadable"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image_unreadable"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image_heic"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "image_damaged"),
    ],
)
def test_what_is_not_an_image_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(Failure) as raised:
        decode(content)
    assert raised.value.code == code


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_cut_off_file_is_refused(format_: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = encoded(Image.fromarray(noise), format_)
    with pytest.raises(Failure) as raised:
        decode(content[: len(content) // 2])
    assert raised.value.code == "image_damaged"


def png_header(width: int, height: int) -> bytes:
    """A PNG of nothing but a size, which takes no memory to make."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    idat = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))


@pytest.mark.parametrize("size", [(20_000, 20_000), (100_000, 100_000)])
def test_a_20000_pixel_png_is_refused_before_it_takes_memory(size: tuple[int, int]) -> None:
    with pytest.raises(Failure) as raised:
        decode(png_header(*size))
    assert raised.value.code == "image_too_large"
    assert f"{size[0]} x {size[1]}" in str(raised.value)


def test_pillows_own_limit_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    decode(encoded(marked(), "PNG"))
    assert before == Image.MAX_IMAGE_PIXELS
