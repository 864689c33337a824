"""A photo laid over a view, and boxes on it: where things lie in both, and which box the mouse means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, width, height in pixels of the upright photo, y down
Point = tuple[float, float]  # pixels of a view's region, y up

MARGIN = 20.0
SMALLEST_DRAG = 8.0  # pixels of the view; less is a click


@dataclass(frozen=True)
class Overlay:
    """A photo of `photo` (width, height) as large as fits into a region of `region` (width, height)."""

    photo: tuple[int, int]
    region: tuple[int, int]

    @property
    def scale(self) -> float:
        """View pixels for a pixel of the photo."""
        room = [max(length - 2 * MARGIN, 1.0) for length in self.region]
        return min(room[0] / self.photo[0], room[1] / self.photo[1])

    @property
    def size(self) -> Point:
        """Of the photo in the view."""
        return self.photo[0] * self.scale, self.photo[1] * self.scale

    @property
    def corner(self) -> Point:
        """The lower left one of the photo in the view."""
        width, height = self.size
        return (self.region[0] - width) / 2, (self.region[1] - height) / 2

    def rectangle(self, box: Box) -> tuple[Point, Point]:
        """Lower left and upper right corner of a box in the view."""
        (x, y), scale = self.corner, self.scale
        left, top, width, height = box
        upper = y + (self.photo[1] - top) * scale
        return (x + left * scale, upper - height * scale), (x + (left + width) * scale, upper)

    def hit(self, boxes: Sequence[Box], at: Point) -> int | None:
        """The number of the smallest box around a point of the view, None where there is none."""
        inside = [number for number, box in enumerate(boxes) if self._contains(box, at)]
        return min(inside, key=lambda number: boxes[number][2] * boxes[number][3], default=None)

    def drawn(self, start: Point, end: Point) -> Box | None:
        """The box dragged from one point of the view to another, within the photo; None for a mere click."""
        if max(abs(end[0] - start[0]), abs(end[1] - start[1])) < SMALLEST_DRAG:
            return None
        xs, ys = zip(self._on_photo(start), self._on_photo(end), strict=True)
        left, top = min(xs), min(ys)
        width, height = max(xs) - left, max(ys) - top
        return (left, top, width, height) if min(width, height) > 0.0 else None

    def _contains(self, box: Box, at: Point) -> bool:
        low, high = self.rectangle(box)
        return low[0] <= at[0] <= high[0] and low[1] <= at[1] <= high[1]

    def _on_photo(self, at: Point) -> Point:
        (x, y), scale = self.corner, self.scale
        across = min(max((at[0] - x) / scale, 0.0), float(self.photo[0]))
        down = min(max(self.photo[1] - (at[1] - y) / scale, 0.0), float(self.photo[1]))
        return across, down
