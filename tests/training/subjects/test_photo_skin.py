from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.populations.anny import AnnyPopulation
from training.subjects.photo_skin import load_photo_skin


def test_one_colour_gives_no_detail(population: AnnyPopulation, tmp_path: Path) -> None:
    Image.new("RGB", (256, 256), (180, 120, 90)).save(tmp_path / "plain.png")
    skin = load_photo_skin(tmp_path / "plain.png", population.template, side=64)
    assert np.abs(skin.ratio - 1.0).max() < 0.02
    assert np.abs(skin.at_vertices - 1.0).max() < 0.02


def test_a_spot_shows_at_its_vertex(population: AnnyPopulation, tmp_path: Path) -> None:
    template = population.template
    nose = int(template.landmarks68[30])
    corner = np.argwhere((template.quads == nose) & (template.material == 0)[:, None])[0]
    u, v = template.uv[tuple(corner)]
    picture = np.full((512, 512, 3), 128, np.uint8)
    row, column = int((1.0 - v) * 512), int(u * 512)
    picture[row - 8 : row + 8, column - 8 : column + 8] = 60
    Image.fromarray(picture).save(tmp_path / "spot.png")
    skin = load_photo_skin(tmp_path / "spot.png", template, side=256)
    assert skin.at_vertices[nose].max() < 0.6
    assert skin.at_vertices[template.landmarks68[8]].min() > 0.95


def test_what_is_no_picture_is_named(population: AnnyPopulation, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="broken"):
        load_photo_skin(tmp_path / "broken.png", population.template)
