"""The bytes of an image file -> upright 8-bit RGB pixels, whatever kind of image it is, in bounded memory."""

from __future__ import annotations

import functools
import struct
import threading
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from .failures import Failure

PIXELS_LIMIT: Final = 400_000_000
"""Larger pictures are refused whatever their kind."""

DECODED_LIMIT: Final = 64_000_000
"""Pixels that are decoded at most; a baseline JPEG above it is decoded at a half, a quarter or an eighth."""

ENOUGH: Final = 1600
"""Pictures are reduced as long as their larger side keeps at least this many pixels, JPEGs while they are decoded: a
face a fifth of the picture's height is then still larger than what the networks see."""

BACKGROUND: Final = (128, 128, 128)
"""Put under transparent pixels: neither a black nor a white edge around a cut-out face."""

# Left out: formats that run other programs (EPS), and those without a signature, which take any bytes for a picture.
FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM")

_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error, zlib.error)
_REDUCIBLE = ("RGB", "RGBA", "L", "CMYK", "YCbCr")
_ORIENTATION, _EXIF_IFD, _FOCAL_35MM = 0x0112, 0x8769, 0xA405
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_open_lock = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A decoded photo.

    `image` is RGB, upright, decoded at one `reduction`-th of the picture's size; `size` is the upright picture's own
    (width, height) in pixels. `focal_35mm` is EXIF's 35 mm equivalent focal length in mm, None where it is not told.
    """

    image: Image.Image
    size: tuple[int, int]
    reduction: int = 1
    focal_35mm: float | None = None


def decode(content: bytes) -> Picture:
    """Decode the first frame of an image file.

    EXIF's orientation is applied; 16-bit and floating-point greys are scaled to 8 bits; alpha is composited over
    neutral grey; CMYK goes through the embedded profile where there is one. Raises Failure: `image_empty`,
    `image_unreadable`, `image_heic`, `image_damaged`, `image_too_large`.
    """
    if not content:
        raise Failure("image_empty")
    try:
        with _open(content) as image:
            return _picture(image)
    except UnidentifiedImageError as error:
        raise Failure("image_heic" if _is_heic(content) else "image_unreadable") from error
    except _BROKEN as error:
        raise Failure("image_damaged") from error


def _open(content: bytes) -> Image.Image:
    # Pillow's limit is one number for the whole process and lower than what a JPEG can be reduced from;
    # `_picture` applies ours before any pixel is decoded.
    with _open_lock:
        theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(BytesIO(content), formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = theirs


@functools.cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _picture(image: Image.Image) -> Picture:
    width, height = image.size
    reduction = _draft(image)
    if width * height > PIXELS_LIMIT or image.width * image.height > DECODED_LIMIT:
        raise Failure("image_too_large", width=width, height=height, limit=f"{int(DECODED_LIMIT**0.5):,}")
    image.load()
    orientation, focal = _exif(image)
    factor = max(image.size) // ENOUGH
    if factor > 1 and image.mode in _REDUCIBLE:
        image, reduction = image.reduce(factor), reduction * factor
    pixels = _rgb(image)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    return Picture(pixels, (height, width) if orientation >= 5 else (width, height), reduction, focal)


def _draft(image: Image.Image) -> int:
    """Ask a JPEG's decoder for a fraction of the size; the fraction's denominator (1 for other formats)."""
    if image.format not in ("JPEG", "MPO"):
        return 1
    width, height = image.size
    if image.info.get("progressive") and width * height > DECODED_LIMIT:
        return 1  # its coefficients would all be held in memory at full size
    factor = next((f for f in (8, 4, 2) if max(width, height) // f >= ENOUGH), 1)
    if factor > 1:
        image.draft(None, (max(width // factor, 1), max(height // factor, 1)))
    return round(width / image.width) if width >= height else round(height / image.height)


def _exif(image: Image.Image) -> tuple[int, float | None]:
    """Orientation (1..8) and 35 mm equivalent focal length; a damaged EXIF block says nothing, the photo stays good."""
    try:
        tags = image.getexif()
        orientation = int(tags.get(_ORIENTATION, 1))
        focal = float(tags.get_ifd(_EXIF_IFD).get(_FOCAL_35MM, 0))
    except _BROKEN:
        return 1, None
    return (orientation if 1 <= orientation <= 8 else 1), (focal if 5 <= focal <= 2000 else None)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data:
        return image.copy()
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_grey_8_bit(np.asarray(image), image.mode)).convert("RGB")
    if image.mode in ("CMYK", "LAB"):
        return _through_profile(image)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        under = Image.new("RGBA", over.size, (*BACKGROUND, 255))
        return Image.alpha_composite(under, over).convert("RGB")
    return image.convert("RGB")


def _grey_8_bit(values: NDArray[np.generic], mode: str) -> NDArray[np.uint8]:
    """Scale by the type's range, or by the brightest value where the type does not bound it."""
    grey = np.nan_to_num(values.astype(np.float32))
    brightest = float(grey.max(initial=0.0))
    if mode == "F":
        white = 1.0 if brightest <= 1 else max(brightest, 255.0)
    else:
        white = 255.0 if mode == "I" and brightest <= 255 else max(brightest, 65535.0)
    return np.clip(grey * (255.0 / white) + 0.5, 0, 255).astype(np.uint8)


def _through_profile(image: Image.Image) -> Image.Image:
    """CMYK and LAB to sRGB by the embedded profile; CMYK without one by Pillow's plain formula."""
    srgb = ImageCms.createProfile("sRGB")
    embedded = image.info.get("icc_profile")
    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif embedded:
            source = ImageCms.ImageCmsProfile(BytesIO(embedded))
        else:
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except ImageCms.PyCMSError:
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")


def _is_heic(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS
