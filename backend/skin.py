"""The bundle's skin, and the photo painted on it: what the texture of an answer is made from."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .alignment import landmark_shift
from .atlas import Atlas, make_atlas
from .bundle import Bundle
from .pose import Pose
from .raster import vertex_normals
from .texture import Regions, Texture, View, make_texture, sampled
from .tone import Sighting, Tone, sighting

Floats = NDArray[np.floating[Any]]

SIDES: Final = (1024, 2048, 4096)
"""Texels of the side of a texture."""

CONTOUR: Final = 17
"""The first of the 68 landmarks are on the outline, which slides over the skin: they correct nothing."""

BROWS: Final = slice(17, 27)

FEATURE_MM: Final = (4.0, 10.0)
"""Skin nearer than this to a landmark of brows, eyes, nose or lips is of it; beyond the second number it is plain."""

_LEVELS = 8192  # of linear light, so fine that no sRGB value is left out


@dataclass(frozen=True)
class SkinTexture:
    """`albedo` (S, S, 3) sRGB 0..255 and `origin` (S, S): 255 seen in the photo, 128 mirrored, 0 invented; rows from
    the top, v = 1.
    """

    albedo: NDArray[np.uint8]
    origin: NDArray[np.uint8]

    def to_json(self) -> dict[str, Any]:
        """Both pictures as PNG files in base64, and their side."""
        return {"side": len(self.albedo), "albedo": _png(self.albedo), "origin": _png(self.origin)}


@dataclass(frozen=True)
class Portrait:
    """A photo and the head that was found in it.

    `picture` is decoded at one `reduction`-th of the size that `pose` and `landmarks` (68, 2) speak of; `vertices`
    (N, 3) mm are the head with the photo's expression.
    """

    picture: Image.Image
    reduction: int
    pose: Pose
    landmarks: Floats
    vertices: Floats

    @functools.cached_property
    def view(self) -> View:
        """The photo in linear RGB and how the head stands in it: tone, texture and detail all look at it."""
        pose, reduction = self.pose, self.reduction
        return View(_linear(np.asarray(self.picture)), pose.rotation, pose.translation, pose.focal / reduction)


class Skin:
    """What a bundle knows of its skin; atlases are made once for a side and kept."""

    def __init__(self, bundle: Bundle, arrays: Mapping[str, NDArray[Any]]) -> None:
        """`arrays` are those of `head.npz`."""
        description = bundle.description
        self._bundle = bundle
        self._quads, self._uv, self._mirror = arrays["quads"], arrays["uv"], arrays["mirror"]
        self._skin = arrays["material"] == list(description["material_names"]).index("skin")
        regions = dict(zip(description["region_names"], arrays["regions"], strict=True))
        face = regions["face"].astype(np.float32)
        covered = regions.get("scalp", np.zeros(len(bundle.mean), bool)).astype(np.float32)
        self._mean, self._columns = arrays["reflectance_mean"], arrays["reflectance"]
        self._apart = bundle.mean
        if "jawOpen" in description.get("expression_names", ()):
            # Distances are taken with the mouth open: the lips touch, and yet are not neighbours.
            self._apart = bundle.mean + bundle.expression[description["expression_names"].index("jawOpen")]
        inner = bundle.mean[bundle.landmarks68[CONTOUR:]]
        distance = np.linalg.norm(bundle.mean[:, None] - inner, axis=2).min(1)
        features = np.clip((FEATURE_MM[1] - distance) / (FEATURE_MM[1] - FEATURE_MM[0]), 0.0, 1.0)
        brows = bundle.mean[bundle.landmarks68[BROWS], 1].mean()
        plain = face * (bundle.mean[:, 1] < brows - FEATURE_MM[1])
        self._regions = Regions(face, plain, features, covered)
        self._face = np.flatnonzero(face)
        self._plain = np.flatnonzero(plain * (1.0 - features) * (1.0 - covered) > 0.5)
        self._tone = Tone.of(description)
        self._atlas = functools.lru_cache(maxsize=1)(self._make_atlas)

    @classmethod
    def of(cls, bundle: Bundle) -> Skin | None:
        """The bundle's skin; None where it has no texture coordinates or no colours."""
        needed = {"quads", "uv", "mirror", "material", "regions", "reflectance_mean", "reflectance"}
        if not needed <= set(bundle.arrays) or "skin" not in bundle.description.get("material_names", ()):
            return None
        if "face" not in bundle.description.get("region_names", ()):
            return None
        return cls(bundle, bundle.arrays)

    def _make_atlas(self, side: int) -> Atlas:
        return make_atlas(self._quads, self._uv, self._skin, self._mirror, side)

    def texture(self, portrait: Portrait, reflectance: Floats | None, side: int) -> tuple[Atlas, Texture]:
        """What a photo shows of the head's skin, texel by texel.

        `reflectance` (R,) is what the method says of its colour, `side` that of the texture.
        """
        view, shift = self.sight(portrait)
        atlas, model = self._atlas(side), self.model(reflectance)
        triangles = self._bundle.triangles
        return atlas, make_texture(atlas, view, portrait.vertices, triangles, model, self._regions, shift)

    def model(self, reflectance: Floats | None) -> Floats:
        """Linear albedo (N, 3) of the vertices by `reflectance` (R,), the mean's for None."""
        model: Floats = self._mean
        if reflectance is not None:
            model = model + np.tensordot(reflectance, self._columns, 1)
        return model

    def toned(self, portrait: Portrait, reflectance: Floats) -> Floats:
        """The estimate `reflectance` (R,) with the mean tone that the photo tells, or as it is where none is told.

        Of all changes of the coefficients it is the one by which the face comes nearest to the estimate's, as much
        brighter or darker in each channel as `Tone.correction` says.
        """
        if self._tone is None or len(self._plain) == 0:
            return reflectance
        seen = self.tone_sighting(portrait, reflectance)
        if seen is None:
            return reflectance
        change = np.exp(self._tone.correction(seen)) - 1.0
        model = np.asarray(self.model(reflectance)[self._face], np.float64)
        columns = np.asarray(self._columns[:, self._face], np.float64).reshape(len(self._columns), -1)
        moved = np.linalg.lstsq(columns.T, (model * change).ravel(), rcond=1e-6)[0]
        return np.asarray(reflectance + moved, np.float32)

    def tone_sighting(self, portrait: Portrait, reflectance: Floats) -> Sighting | None:
        """What the photo shows of the skin's tone; None where it shows too little."""
        view, shift = self.sight(portrait, self._plain)
        normals = vertex_normals(portrait.vertices, self._bundle.triangles)[self._plain]
        points = portrait.vertices[self._plain]
        facing = (normals * view.directions(points)).sum(1)
        places = view.project(points)[:, :2] + shift
        inside = ((places >= 0) & (places < view.picture.shape[1::-1])).all(1)
        model = self.model(reflectance)[self._plain]
        landmarks = portrait.landmarks / portrait.reduction
        return sighting(view.picture, sampled(view.picture, places), facing * inside, model, landmarks)

    @property
    def knows_tone(self) -> bool:
        """Whether the bundle says how photos correct the skin's tone."""
        return self._tone is not None

    def plain_tone(self, albedo: Floats) -> NDArray[np.float64]:
        """Mean linear albedo (3,) of plain skin, of vertices' (N, 3)."""
        mean: NDArray[np.float64] = np.asarray(albedo, np.float64)[self._plain].mean(0)
        return mean

    def sight(
        self, portrait: Portrait, chosen: NDArray[np.intp] | slice = slice(None)
    ) -> tuple[View, NDArray[np.float64]]:
        """The photo and how the head stands in it, and how far (N, 2) in its pixels it shows each vertex from there, of
        those that are `chosen`.
        """
        view = portrait.view
        inner = self._bundle.landmarks68[CONTOUR:]
        offsets = portrait.landmarks[CONTOUR:] / portrait.reduction - view.project(portrait.vertices[inner])[:, :2]
        return view, landmark_shift(self._apart[chosen], self._apart[inner], offsets)


def painted(atlas: Atlas, texture: Texture) -> SkinTexture:
    """The texture as pictures."""
    return SkinTexture(atlas.image(_encoded(texture.albedo)), atlas.image(texture.origin[:, None])[..., 0])


def _linear(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB 0..255 -> linear light 0..1 (IEC 61966-2-1)."""
    share = np.arange(256) / 255.0
    table = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear: NDArray[np.float32] = table[values]
    return linear


def _encoded(linear: Floats) -> NDArray[np.uint8]:
    """Linear light 0..1 -> sRGB 0..255 (IEC 61966-2-1)."""
    share = np.arange(_LEVELS + 1) / _LEVELS
    table = np.where(share <= 0.0031308, 12.92 * share, 1.055 * np.maximum(share, 1e-6) ** (1 / 2.4) - 0.055)
    encoded: NDArray[np.uint8] = np.rint(255.0 * table).astype(np.uint8)[
        (np.clip(linear, 0.0, 1.0) * _LEVELS + 0.5).astype(np.int32)
    ]
    return encoded


def _png(values: NDArray[np.uint8]) -> str:
    with BytesIO() as file:
        Image.fromarray(values).save(file, "PNG", compress_level=1)
        return base64.b64encode(file.getvalue()).decode()
