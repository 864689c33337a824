from __future__ import annotations

import numpy as np

from training.populations.anny import AnnyPopulation
from training.subjects.view import View, draw_view, lens_and_crop, view_camera


def _views(count: int) -> list[View]:
    return [draw_view(np.random.default_rng([3, index])) for index in range(count)]


def test_heads_turn_nod_and_tip_as_far_as_the_data_set_promises() -> None:
    views = _views(3000)
    yaw = np.abs([view.yaw for view in views])
    assert 85 < yaw.max() <= 90
    assert 0.6 < (yaw < 40).mean() < 0.95
    assert 25 < np.abs([view.pitch for view in views]).max() <= 40
    assert 20 < np.abs([view.roll for view in views]).max() <= 30


def test_the_camera_sees_all_landmarks(population: AnnyPopulation) -> None:
    template = population.template
    for view in _views(80):
        camera = view_camera(template, template.mean, view, 144)
        pixels = camera.project(template.mean[template.landmarks68])
        assert pixels.min() > 0.0
        assert pixels.max() < 144.0


def test_lenses_are_those_of_cameras(population: AnnyPopulation) -> None:
    for view in _views(80):
        camera = view_camera(population.template, population.template.mean, view, 144)
        lens, crop = lens_and_crop(camera)
        assert 24.0 <= lens <= 135.0
        assert np.isclose(lens * crop / 36.0, camera.focal / camera.size)
