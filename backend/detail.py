"""Fine relief of the skin from its shading in the photo: a displacement and a normal map in the head's UV.

Richardson et al. 2016, section 7, minimise a shading energy (Or-El et al. 2015) over the coarse depth map. Skin
scatters light, so that its brightness follows relief by a quarter to a half of what that energy expects; here a small
network, trained on renders of known relief, inverts the shading instead. What it sees and what its answer means is
`closeup.py`'s to say.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from .atlas import Atlas, make_atlas
from .bundle import Bundle
from .closeup import PIXEL_MM, Closeup, blurred, look_closely
from .failures import Failure
from .png import deep_png
from .raster import vertex_normals
from .runtime import open_session
from .texture import GRAZING, View

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

MODEL: Final = Path(__file__).parent / "models" / "detail.onnx"

SIDE: Final = 1024
"""Texels of the side of both maps: about one a millimetre of the face."""

RANGE_MM: Final = 4.0
"""What the displacement's whole range stands for; its middle is none."""

APART: Final = ("lips", "eyes", "brows", "lashes")
"""Regions beside which there is no relief, and at which it ends softly; likewise beside all skin that is no face."""

APART_MM: Final = (2.5, 7.0)
"""Nearer than the first number to one of them there is none, beyond the second, all."""

HIDDEN_MM: Final = 2.0
"""Skin this far behind what the closeup shows is hidden."""

QUIET: Final = (0.007, 0.0175)
"""Slopes, root mean square within some millimetres: what the network tells about skin that is smoother than the first
number is noise, and beyond the second number it is relief. That is 0.4 and 1 degrees."""

QUIET_MM: Final = 2.0
"""Standard deviation of that neighbourhood."""

TRUSTED: Final = (0.35, 0.75)
"""How well the texture says that skin is seen around a texel: below the first there is no relief, above the second, all
of it."""

_TRUST_TEXELS = 4  # of a side of 1024, on both sides of a texel
_DEEP = 65535


@dataclass(frozen=True)
class SkinDetail:
    """`displacement` (S, S) mm out of the skin and `normals` (S, S, 3), unit vectors in the tangent space of the UV map
    (x along u, y along v, z out of the skin); rows from the top, v = 1.
    """

    displacement: NDArray[np.float32]
    normals: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """Both maps as PNG files of 16 bits in base64, their side, and the mm that the displacement's range is."""
        share = np.clip(self.displacement / RANGE_MM + 0.5, 0.0, 1.0)
        return {
            "side": len(self.displacement),
            "range_mm": RANGE_MM,
            "displacement": _encoded(share),
            "normal": _encoded(0.5 * self.normals + 0.5),
        }


class Detail:
    """A bundle's face, and the network, which is loaded when it is first needed."""

    def __init__(self, bundle: Bundle, arrays: Mapping[str, NDArray[Any]], model: Path = MODEL) -> None:
        """`arrays` are those of `head.npz`."""
        description = bundle.description
        regions = dict(zip(description["region_names"], arrays["regions"], strict=True))
        self._bundle = bundle
        self.wanted = wanted_share(bundle.mean, regions)
        quads = arrays["quads"]
        skin = arrays["material"] == list(description["material_names"]).index("skin")
        self._quads = skin & (self.wanted[quads] > 0).any(1)
        self._arrays = quads, arrays["uv"], arrays["mirror"]
        self._atlas = functools.cache(self._make_atlas)
        self._session = functools.cache(functools.partial(_open, model))

    @classmethod
    def of(cls, bundle: Bundle, model: Path = MODEL) -> Detail | None:
        """The bundle's; None where it has no texture coordinates or no face."""
        needed = {"quads", "uv", "mirror", "material", "regions"}
        if not needed <= set(bundle.arrays) or "skin" not in bundle.description.get("material_names", ()):
            return None
        if "face" not in bundle.description.get("region_names", ()):
            return None
        return cls(bundle, bundle.arrays, model)

    def _make_atlas(self, side: int) -> Atlas:
        quads, uv, mirror = self._arrays
        return make_atlas(quads, uv, self._quads, mirror, side)

    def heights(self, look: Closeup) -> NDArray[np.float32]:
        """Heights (h, w) mm over the coarse surface; nothing where no relief is wanted.

        Raises Failure: `detail_missing`, `runtime_missing`, `regressor_failed`.
        """
        try:
            (height,) = self._session().run(["height"], {"channels": look.channels[None]})
        except Failure:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("regressor_failed", reason=str(error).splitlines()[0]) from error
        told = np.asarray(height[0], np.float32)
        relief: NDArray[np.float32] = told * _step(_roughness(told, look), *QUIET) * look.share
        return relief

    def detail(
        self,
        view: View,
        vertices: Floats,
        model: Floats,
        shift: Floats | None = None,
        trust: Floats | None = None,
        side: int = SIDE,
    ) -> SkinDetail | None:
        """The relief that a photo shows; None where it shows nothing of the face.

        `vertices` (N, 3) mm with the photo's expression, `model` (N, 3) linear albedo to go by, `shift` (N, 2) pixels
        as `make_texture` has it. `trust` (T, T), in the same UV and of any side, says how well the photo shows each
        texel, 0..1. Raises Failure as `heights` does.
        """
        triangles = self._bundle.triangles
        look = look_closely(view, vertices, triangles, model, self.wanted, shift)
        if look is None:
            return None
        height = self.heights(look)
        atlas = self._atlas(side)
        normals = vertex_normals(vertices, triangles)
        turned = (normals * view.directions(vertices)).sum(1) > 0
        part = np.flatnonzero((turned & (self.wanted > 0))[atlas.corners].any(1))
        seen = atlas.part(part)
        normal = _unit(seen.interpolate(normals))
        point = seen.interpolate(vertices)
        place = view.project(point)
        if shift is not None:
            place[:, :2] += seen.interpolate(shift)
        # To axes of the head, in which the tangents are.
        gradient = look.tilt(height) @ np.asarray(view.rotation, np.float32)
        maps = np.concatenate([height[..., None], gradient, look.depth[..., None]], 2)
        found = sampled(maps, look.places(place[:, :2]))
        facing = (normal * view.directions(point)).sum(1)
        behind = place[:, 2] - found[:, 4]
        sure = _step(facing, *GRAZING) * (1.0 - _step(np.abs(behind), 0.5 * HIDDEN_MM, HIDDEN_MM))
        if trust is not None:
            sure = sure * _step(_around(trust, side).ravel()[seen.texel], *TRUSTED)
        along = _unit(seen.interpolate(self.tangents(vertices, normals)))
        across = np.cross(normal, along)
        slopes = -sure[:, None] * found[:, 1:4]
        tangent = np.stack([(slopes * along).sum(1), (slopes * across).sum(1), np.ones(len(sure))], 1)
        whole = np.zeros((len(atlas.texel), 4), np.float32)
        whole[:, 3] = 1.0
        whole[part, 0] = found[:, 0] * sure
        whole[part, 1:] = _unit(tangent)
        pictures = atlas.image(whole)
        pictures[..., 3][~pictures.any(2)] = 1.0  # beyond the face
        return SkinDetail(pictures[..., 0], pictures[..., 1:])

    def tangents(self, vertices: Floats, normals: Floats) -> NDArray[np.float64]:
        """Unit vectors (N, 3) along u, across the normals: corners' tangents weighted by their angles, as MikkTSpace
        does (Mikkelsen 2008), which Blender's normal maps go by. The face's UV is one island and not mirrored.
        """
        quads, uv, _ = self._arrays
        corners, places = quads[self._quads], np.asarray(uv, np.float64)[self._quads]
        points = np.asarray(vertices, np.float64)[corners]
        total = np.zeros((len(vertices), 3))
        for corner in range(4):
            ahead, back = (corner + 1) % 4, (corner - 1) % 4
            first, second = points[:, ahead] - points[:, corner], points[:, back] - points[:, corner]
            du, dv = places[:, ahead] - places[:, corner], places[:, back] - places[:, corner]
            determinant = du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]
            tangent = (first * dv[:, 1:] - second * du[:, 1:]) * np.sign(determinant)[:, None]
            normal = normals[corners[:, corner]]
            tangent = _unit(tangent - (tangent * normal).sum(1, keepdims=True) * normal)
            angle = np.arccos(np.clip((_unit(first) * _unit(second)).sum(1), -1.0, 1.0))
            for axis in range(3):
                total[:, axis] += np.bincount(corners[:, corner], angle * tangent[:, axis], len(vertices))
        return _unit(total)


def wanted_share(mean: Floats, regions: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.float32]:
    """How much each vertex (N,) of the mean head (N, 3) mm may have of relief, 0..1: the face's skin, but for what lies
    beside eyes, lips, brows and the face's border.
    """
    nothing = np.zeros(len(mean), bool)
    inside = regions["face"] & ~regions.get("lips", nothing)
    # What lies in the mouth is near the chin's skin and yet not beside it.
    apart = regions.get("skin", ~nothing) & ~regions["face"] & ~regions.get("mouth", nothing)
    for name in APART:
        apart = apart | regions.get(name, nothing)
    share = np.zeros(len(apart), np.float32)
    chosen = np.flatnonzero(inside & ~apart)
    others = np.asarray(mean, np.float32)[apart]
    for few in np.array_split(chosen, max(1, len(chosen) // 256)):
        nearest = np.linalg.norm(np.asarray(mean, np.float32)[few, None] - others, axis=2).min(1, initial=np.inf)
        share[few] = _step(nearest, *APART_MM)
    return share


def _open(model: Path) -> InferenceSession:
    try:
        return open_session(model.read_bytes(), accelerated=False)
    except Failure:
        raise
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise Failure("detail_missing", name=model.name) from error


def _roughness(height: NDArray[np.float32], look: Closeup) -> NDArray[np.float32]:
    """Root mean square slope (h, w) about each pixel that shows the face."""
    square = (look.tilt(height) ** 2).sum(2) * look.present
    sums = blurred(np.stack([square, look.present], 2).astype(np.float32), QUIET_MM / PIXEL_MM)
    rough: NDArray[np.float32] = np.sqrt(sums[..., 0] / np.maximum(sums[..., 1], 1e-3))
    return rough


def _encoded(share: Floats) -> str:
    return base64.b64encode(deep_png(np.rint(share * _DEEP).astype(np.uint16))).decode()


def _unit(vectors: Floats) -> NDArray[Any]:
    unit: NDArray[Any] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def _step(values: Floats, low: float, high: float) -> NDArray[Any]:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    smooth: NDArray[Any] = t * t * (3.0 - 2.0 * t)
    return smooth


def sampled(maps: NDArray[np.float32], places: Floats) -> NDArray[np.float32]:
    """Bilinear samples (K, C) of maps (h, w, C) at (K, 2), centres at .5; zero outside."""
    height, width = maps.shape[:2]
    at = np.asarray(places) - 0.5
    corner = np.floor(at).astype(np.int64)
    share = (at - corner).astype(np.float32)
    total = np.zeros((len(at), maps.shape[2]), np.float32)
    for right in (0, 1):
        for down in (0, 1):
            x, y = corner[:, 0] + right, corner[:, 1] + down
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            weight = (share[:, 0] if right else 1 - share[:, 0]) * (share[:, 1] if down else 1 - share[:, 1])
            total += (weight * inside)[:, None] * maps[y.clip(0, height - 1), x.clip(0, width - 1)]
    return total


def _around(trust: Floats, side: int) -> NDArray[np.float32]:
    """The mean of trust (T, T) around each texel of a map of `side`; what is no skin counts as not seen."""
    factor = max(1, len(trust) // side)
    values: NDArray[np.float32] = np.asarray(trust, np.float32).reshape(side, factor, side, factor).mean((1, 3))
    count = 2 * _TRUST_TEXELS + 1
    for axis in (0, 1):
        padding = [(_TRUST_TEXELS + 1, _TRUST_TEXELS) if k == axis else (0, 0) for k in range(2)]
        total = np.cumsum(np.pad(values, padding), axis, np.float64)
        window = np.take(total, np.arange(count, count + side), axis) - np.take(total, np.arange(side), axis)
        values = (window / count).astype(np.float32)
    return values
