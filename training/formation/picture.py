"""Pictures of faces from rasterised triangles, with gradients, and the masks that leave a face of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.formation.code import Code
from training.formation.decoder import FaceDecoder, Seen, Surface
from training.formation.raster import NOTHING, Engine, rasterise

# iBUG-68: the outline of a face is jaw and brows; eye openings and the mouth's inside are no skin.
OUTLINE = (*range(17), *range(26, 16, -1))
HOLES = (tuple(range(36, 42)), tuple(range(42, 48)), tuple(range(60, 68)))


@dataclass(frozen=True)
class Picture:
    """images (B,3,S,S) sRGB 0..1, black where nothing is; covered (B,S,S) bool; landmarks (B,68,2) px."""

    images: Tensor
    covered: Tensor
    landmarks: Tensor

    def masked(self) -> Picture:
        """What the outline of the landmarks holds of it, without eyes and the mouth's inside."""
        size = self.images.shape[-1]
        mask = face_mask(self.landmarks, size) & self.covered
        return Picture(self.images * mask[:, None], mask, self.landmarks)


def draw(decoder: FaceDecoder, surface: Surface, seen: Seen, size: int, engine: Engine = "auto") -> Picture:
    """The surface's picture: colours interpolated over the triangles that the pixels show, corrected for perspective.

    Gradients reach the colours and, through the barycentric weights, the points; a triangle's border against what
    is behind it has none.
    """
    found = rasterise(seen.points, decoder.triangles, size, engine)
    covered = found != NOTHING
    face, row, column = covered.nonzero(as_tuple=True)
    corners = decoder.triangles[found[covered]]
    # Rows of one long table: whole rows are copied, which indexing by two numbers does not do.
    rows = (corners + face[:, None] * seen.points.shape[1]).flatten()
    points = seen.points.flatten(0, 1).index_select(0, rows).reshape(-1, 3, 3)
    at = torch.stack([column, row], 1).to(points.dtype) + 0.5
    weights = _barycentric(points, at)
    colours = surface.colours.flatten(0, 1).index_select(0, rows).reshape(-1, 3, 3)
    shown = torch.bmm(weights[:, None], colours)[:, 0]
    images = shown.new_zeros(len(found) * size * size, 3)
    images = images.index_copy(0, covered.flatten().nonzero()[:, 0], shown.clamp(max=1))
    images = images.reshape(len(found), size, size, 3)
    return Picture(images.permute(0, 3, 1, 2), covered, seen.landmarks)


def _barycentric(points: Tensor, at: Tensor) -> Tensor:
    """Weights (P,3), perspective-correct, of pixels (P,2) in triangles (P,3,3) of pixels and depth."""
    xy, depth = points[..., :2], points[..., 2]
    rest = xy - at[:, None]
    x, y = rest.unbind(-1)
    # The area opposite each corner.
    areas = x.roll(-1, 1) * y.roll(-2, 1) - x.roll(-2, 1) * y.roll(-1, 1)
    weights = areas / depth
    return weights / weights.sum(1, keepdim=True)


def framed_picture(
    decoder: FaceDecoder, code: Code, distance: Tensor, size: int, fill: float, engine: Engine = "auto"
) -> Picture:
    """The masked picture of a code, framed by its own landmarks (Kim et al. 2018, section 6.1); distance (B,) mm."""
    surface = decoder.surface(code)
    translation, focal = decoder.frame(surface, distance, size, fill)
    return draw(decoder, surface, decoder.see(surface, translation, focal, size), size, engine).masked()


def face_mask(landmarks: Tensor, size: int) -> Tensor:
    """Masks (B,size,size) of the face that landmarks (B,68,2) px outline, without eyes and the mouth's inside."""
    mask = inside_polygon(landmarks[:, list(OUTLINE)], size)
    for hole in HOLES:
        mask &= ~inside_polygon(landmarks[:, list(hole)], size)
    return mask


def inside_polygon(corners: Tensor, size: int) -> Tensor:
    """Pixels (B,size,size) whose centres lie inside polygons (B,P,2) px, by the even-odd rule.

    A row's pixel is inside when an odd number of sides crosses the row to its left.
    """
    line = torch.arange(size, device=corners.device, dtype=corners.dtype) + 0.5
    x, y = corners.unbind(-1)
    x2, y2 = x.roll(-1, 1), y.roll(-1, 1)
    crosses = (y[:, :, None] > line) != (y2[:, :, None] > line)
    rise = torch.where(y2 == y, torch.ones_like(y), y2 - y)
    at = x[:, :, None] + (line - y[:, :, None]) * ((x2 - x) / rise)[:, :, None]
    # Crossings are counted where they are, then summed along the row: no pixel is held against every side.
    place = torch.ceil(at - 0.5).clamp(0, size).long()
    counted = torch.zeros(len(corners), size, size + 1, dtype=torch.int32, device=corners.device)
    rows = torch.arange(size, device=corners.device).expand_as(place)
    which = torch.arange(len(corners), device=corners.device)[:, None, None].expand_as(place)
    counted.index_put_((which, rows, place), crosses.to(torch.int32), accumulate=True)
    return counted.cumsum(2)[:, :, :size] % 2 == 1
