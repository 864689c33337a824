from __future__ import annotations

import pytest

from blender_addon.picking import Overlay

WIDE = Overlay((1000, 500), (540, 840))


def test_the_photo_is_as_large_as_fits_and_in_the_middle() -> None:
    assert WIDE.scale == 0.5 and WIDE.size == (500.0, 250.0)
    assert WIDE.corner == (20.0, 295.0)
    low, high = WIDE.rectangle((0.0, 0.0, 1000.0, 500.0))
    assert low == WIDE.corner and high == (520.0, 545.0)


def test_a_box_near_the_top_of_the_photo_is_near_the_top_of_the_view() -> None:
    low, high = WIDE.rectangle((100.0, 0.0, 200.0, 100.0))
    assert (low, high) == ((70.0, 495.0), (170.0, 545.0))


def test_the_smallest_box_around_the_mouse_is_meant() -> None:
    boxes = [(0.0, 0.0, 500.0, 500.0), (100.0, 100.0, 100.0, 100.0), (600.0, 0.0, 50.0, 50.0)]
    inside = (90.0, 480.0)
    assert WIDE.hit(boxes, inside) == 1
    assert WIDE.hit(boxes, (30.0, 540.0)) == 0
    assert WIDE.hit(boxes, (500.0, 300.0)) is None


def test_dragging_draws_a_box_in_any_direction() -> None:
    corners = (70.0, 545.0), (170.0, 495.0)
    for start, end in (corners, corners[::-1]):
        assert WIDE.drawn(start, end) == pytest.approx((100.0, 0.0, 200.0, 100.0))


def test_a_box_stays_within_the_photo_and_a_click_draws_none() -> None:
    assert WIDE.drawn((0.0, 0.0), (2000.0, 2000.0)) == (0.0, 0.0, 1000.0, 500.0)
    assert WIDE.drawn((100.0, 400.0), (103.0, 402.0)) is None
    assert WIDE.drawn((100.0, 0.0), (400.0, 100.0)) is None, "all of it below the photo"
