"""Photographic skins: textures in the base mesh's UV, as ratios to the face's mean, so that they can be recoloured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float32]

_SIDE = 768
_LOWEST, _HIGHEST = 0.3, 1.98


@dataclass(frozen=True)
class PhotoSkin:
    """ratio (S,S,3) of linear albedo to the face's mean, rows downwards; box (u0, v0, u1, v1) its part of the UV.

    at_vertices (N,3) is the ratio at the template's vertices, 1 where they are not skin.
    """

    name: str
    ratio: Floats
    box: tuple[float, float, float, float]
    at_vertices: Floats


def load_photo_skin(path: Path, template: Template, side: int = _SIDE) -> PhotoSkin:
    """Reads a skin texture (any square size). Raises ``ValueError`` when the file cannot be read as a picture."""
    from PIL import Image  # Blender's own Python has none; only photographic skins need it there

    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except OSError as error:
        raise ValueError(f"The skin {path} cannot be read ({error}): put the original back, or delete it.") from error
    head = template.region("face") | template.region("scalp") | template.region("ears")
    quads = template.material == 0
    corners = template.uv[quads][head[template.quads[quads]].any(1)].reshape(-1, 2)
    (u0, v0), (u1, v1) = corners.min(0) - 0.005, corners.max(0) + 0.005
    width, height = picture.size
    part = picture.crop((round(u0 * width), round((1.0 - v1) * height), round(u1 * width), round((1.0 - v0) * height)))
    linear = _linear(np.asarray(part.resize((side, side), Image.Resampling.LANCZOS), np.float32) / 255.0)
    box = (float(u0), float(v0), float(u1), float(v1))
    face = _mask(template, template.region("face"), box, side, blur=0) > 0.5
    mean = np.median(linear[face], axis=0)
    ratio = np.clip(linear / mean, _LOWEST, _HIGHEST)
    # Hair that is painted on the scalp gives way to plain skin: hair is a part of its own here.
    scalp = _mask(template, template.region("scalp"), box, side, blur=side / 60)[..., None]
    ratio = ratio * (1.0 - scalp) + scalp
    return PhotoSkin(path.stem, ratio.astype(np.float32), box, _at_vertices(template, ratio, box))


def _linear(srgb: Floats) -> Floats:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _mask(
    template: Template, vertices: NDArray[np.bool_], box: tuple[float, float, float, float], side: int, blur: float
) -> Floats:
    """Where the quads of these vertices lie in the box, (side,side) 0..1."""
    from PIL import Image, ImageDraw, ImageFilter

    u0, v0, u1, v1 = box
    picture = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(picture)
    for corners in template.uv[(template.material == 0) & vertices[template.quads].all(1)]:
        x = (corners[:, 0] - u0) / (u1 - u0) * side
        y = (v1 - corners[:, 1]) / (v1 - v0) * side
        draw.polygon([(float(a), float(b)) for a, b in zip(x, y, strict=True)], fill=255)
    if blur > 0:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(picture, np.float32) / 255.0


def _at_vertices(template: Template, ratio: Floats, box: tuple[float, float, float, float]) -> Floats:
    from PIL import Image, ImageFilter

    side = len(ratio)
    u0, v0, u1, v1 = box
    # About a vertex spacing wide, so that a vertex stands for the skin around it.
    small = Image.fromarray((ratio * 127.5).astype(np.uint8)).filter(ImageFilter.GaussianBlur(side / 200))
    blurred = np.asarray(small, np.float32) / 127.5
    skin = template.material == 0
    ids, uv = template.quads[skin].ravel(), template.uv[skin].reshape(-1, 2)
    column = ((uv[:, 0] - u0) / (u1 - u0) * side).astype(int)
    row = ((v1 - uv[:, 1]) / (v1 - v0) * side).astype(int)
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    values = np.ones((len(template.mean), 3), np.float32)
    values[ids[inside]] = blurred[row[inside], column[inside]]
    return values
