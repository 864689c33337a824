"""Heads at -45, 0 and 45 degrees, neutral, without hair: the faces that paper 2 trains on, made of our population.

Kamyab & Azimifar 2017, section 5.1: "faces having natural expression rendered with 3 poses, i.e. -45, 0, 45 degrees";
theirs were drawn from the Basel Face Model. Skin differs from person to person, light from picture to picture.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Population
from training.render.axes import to_blender
from training.render.turntable import Turntable, View
from training.render.views import grey_and_alpha, render_views
from training.subjects.skin import Painter, draw_skin
from training.template import Template
from training.views import TEMPLATE, ViewsInfo, open_views

AZIMUTHS = (45.0, 90.0, 135.0)

_METRES_TO_UNITS = 4.0  # a head is a quarter of a metre
_FRAME = 1.35  # of the box around the 68 landmarks
_IRIS, _PUPIL = 0.075, 0.03  # in the eyes' radial UV
_DARK = (0.03, 0.02, 0.015)
_LIT = {"mouth": (0.25, 0.06, 0.05), "teeth": (0.7, 0.66, 0.55), "brow": _DARK, "lash": _DARK}


def heads_info(
    population: Population, count: int, seed: int, resolution: int, samples: int, per_chunk: int
) -> ViewsInfo:
    """The settings of a folder of heads."""
    digest = hashlib.sha256(population.template.mean.tobytes()).hexdigest()[:12]
    return ViewsInfo("heads", count, per_chunk, resolution, samples, AZIMUTHS, 0, seed, f"{population.name} {digest}")


def render_heads(population: Population, folder: Path, info: ViewsInfo) -> list[str]:
    """Renders the folder's missing chunks; see :func:`training.render.views.render_views`."""
    template = population.template
    open_views(folder, info)
    template.save(folder / TEMPLATE)
    table = Turntable(info.resolution, info.samples)
    looks = HeadPaint(template)
    table.show(_placed(template.mean), template.quads, np.ones(3))

    def draw(index: int, path: Path) -> tuple[str, str, NDArray[np.uint8], dict[str, NDArray[Any]]]:
        rng = np.random.default_rng([info.seed, index])
        identity = population.draw(rng)
        vertices = population.vertices(identity)
        table.move(_placed(vertices), looks.colours(draw_skin(rng, identity.traits), rng))
        framed = _placed(vertices[template.landmarks68])
        pictures = [grey_and_alpha(table.picture(_view(azimuth, rng), framed, _FRAME, path)) for azimuth in AZIMUTHS]
        return f"head/{info.seed}/{index:06d}", "head", np.stack(pictures), {"vertices": vertices}

    return render_views(folder, info, draw, "heads")


class HeadPaint:
    """Colours (N,3), linear RGB, of a whole head: skin as the project paints it, eyes, brows, lashes, mouth."""

    def __init__(self, template: Template) -> None:
        self.painter = Painter(template)
        names = [str(name) for name in template.material_names]
        self.parts = {name: np.unique(template.quads[template.material == number]) for number, name in enumerate(names)}
        radius = np.full(len(template.mean), np.inf)
        eyes = template.material == names.index("eye")
        radius[template.quads[eyes]] = np.linalg.norm(template.uv[eyes] - 0.5, axis=2)
        self.iris, self.pupil = radius < _IRIS, radius < _PUPIL

    def colours(self, skin: Any, rng: np.random.Generator) -> NDArray[np.float32]:
        """Colours of somebody with this skin; the iris is drawn."""
        colours = self.painter.albedo(skin)
        for name, colour in _LIT.items():
            colours[self.parts[name]] = colour
        colours[self.parts["eye"]] = (0.72, 0.70, 0.68)
        colours[self.iris] = rng.uniform(0.02, 0.25) * np.array([1.0, 0.8, 0.6])
        colours[self.pupil] = 0.005
        return colours


def _placed(points: NDArray[np.floating]) -> NDArray[np.float32]:
    return to_blender(points) * np.float32(_METRES_TO_UNITS)


def _view(azimuth: float, rng: np.random.Generator) -> View:
    return View(
        azimuth=azimuth,
        elevation=float(rng.normal(0.0, 3.0)),
        key_turn=float(rng.uniform(-60.0, 60.0)),
        key_height=float(rng.uniform(15.0, 60.0)),
        ambient=float(rng.uniform(0.3, 0.6)),
        roll=float(rng.normal(0.0, 3.0)),
    )
