"""Faces with known relief shaded by rule, a second each: many more lights and wrinkles than there is time to render.

What is kept of light in skin: lamps and an ambient dome that valleys see less of, shadows that relief casts, scattering
under the surface as in Christensen & Burley 2015 (their profile's transform is in closed form), gloss, marks in the
albedo, and what a camera makes of it. What is not kept, renders teach.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from backend.closeup import PIXEL_MM, Closeup, look_closely, with_picture
from backend.raster import rasterise
from backend.texture import View
from training.camera import rotation_from_angles
from training.detail.examples import Example, example_of, linear, misfit, wanted
from training.detail.fine import relief_mask
from training.detail.relief import Relief, ReliefArtist, map_places
from training.populations.identity import Population
from training.subjects.expression import draw_expression, posed_vertices
from training.subjects.view import draw_view, view_camera

Floats = NDArray[np.floating]

_SIZE = 512


class Simulator:
    """Faces of one population."""

    def __init__(self, population: Population) -> None:
        template = population.template
        self._population, self._template = population, template
        self._artists = ReliefArtist(template), ReliefArtist(template, deep=True)
        self._wanted, self._mask = wanted(template), relief_mask(template)
        self._places = map_places(template.mean)
        self._actions = tuple(str(name) for name in template.expression_names)

    def draw(self, rng: np.random.Generator) -> Example | None:
        """One face; None where it is not in the picture."""
        identity = self._population.draw(rng)
        neutral, expression = self._population.vertices(identity), self._population.expression(identity)
        vertices = posed_vertices(neutral, expression, self._actions, draw_expression(rng))
        view = draw_view(rng)
        camera = view_camera(self._template, vertices, view, _SIZE)
        yaw, pitch = np.clip(rng.normal(0.0, 18.0), -45.0, 45.0), np.clip(rng.normal(0.0, 9.0), -25.0, 25.0)
        turned = rotation_from_angles(float(yaw), float(pitch), view.roll)
        sight = View(np.full((_SIZE, _SIZE, 3), 0.5, np.float32), turned, camera.translation, camera.focal)
        even, triangles = np.full((len(vertices), 3), 0.5), self._template.triangles
        # Half of the faces are seen with the coarse geometry of an estimate.
        estimate = misfit(vertices, rng) if rng.random() < 0.5 else vertices
        seen = look_closely(sight, estimate, triangles, even, self._wanted)
        look = None if seen is None else look_closely(sight, vertices, triangles, even, self._wanted, like=seen)
        if seen is None or look is None:
            return None
        relief = self._artists[int(rng.integers(2))].draw(rng)
        height, tint = self._relief(sight, vertices, look, relief)
        gradient = look.tilt(height)
        normals = look.normals - gradient
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        picture = photographed(shaded(rng, look, height, normals, tint), rng)
        told = with_picture(seen, picture, np.full(picture.shape, 0.5))
        return example_of(look, normals, look.present, told.channels)

    def _relief(
        self, sight: View, vertices: Floats, look: Closeup, relief: Relief
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Heights (h,w) mm and tint (h,w,3) at the closeup's pixels."""
        seen = sight.project(vertices)
        pixels = np.concatenate([look.places(seen[:, :2]), seen[:, 2:]], 1)
        triangles = self._template.triangles
        rows, columns = look.present.shape
        raster = rasterise(pixels, triangles, (columns, rows))
        drawn = raster.interpolate(triangles, np.concatenate([self._places, self._mask[:, None]], 1))
        height, _, tint = relief.sample(drawn[..., :2].reshape(-1, 2))
        raised = height.reshape(rows, columns) * drawn[..., 2] * look.present
        return raised.astype(np.float32), tint.reshape(rows, columns, 3).astype(np.float32)


def shaded(
    rng: np.random.Generator, look: Closeup, height: Floats, normals: Floats, tint: Floats
) -> NDArray[np.float32]:
    """The face's linear radiance (h,w,3) under light that is drawn."""
    up = _unit(np.array([rng.normal(0.0, 0.6), -1.0, rng.normal(-0.3, 0.6)]))
    bias = rng.uniform(0.1, 0.8)
    dome = (1.0 + bias * normals @ up) * _open_sky(height)
    lamps, gloss = np.zeros(dome.shape), np.zeros(dome.shape)
    power = 10.0 ** rng.uniform(0.8, 1.8)
    for _ in range(int(rng.integers(0, 4))):
        azimuth, lift = rng.uniform(-1.7, 1.7), rng.uniform(-0.3, 1.3)
        lamp = np.array([np.sin(azimuth) * np.cos(lift), -np.sin(lift), -np.cos(azimuth) * np.cos(lift)])
        strength = rng.uniform(0.2, 1.5)
        lit = strength * _shadow(height, look, lamp, rng.uniform(0.05, 0.5))
        lamps += lit * np.maximum(normals @ lamp, 0.0)
        half = _unit(lamp + np.array([0.0, 0.0, -1.0]))
        gloss += lit * np.maximum(normals @ half, 0.0) ** power * (power + 2.0) / 8.0 * (look.normals @ lamp > 0)
    incident = rng.uniform(0.2, 1.0) * dome + lamps
    middle = max(float(incident[look.present].mean()), 1e-3)
    # mean free paths in mm, from what Cycles does with skin's to what skin does (Jensen et al. 2001).
    reach = np.exp(rng.uniform(np.log(0.05), np.log(0.9))) * np.array([1.0, 0.37, 0.2])
    albedo = np.array([0.5, 0.35, 0.28]) * np.exp(rng.normal(0.0, 0.4)) * tint
    colour = np.exp(rng.normal(0.0, 0.1, 3))
    scattered = np.stack([_scattered(incident, one / PIXEL_MM, look.present, middle) for one in reach], 2)
    share = rng.uniform(0.5, 1.0)
    leaving = share * scattered + (1.0 - share) * incident[..., None]
    shiny = rng.uniform(0.005, 0.05) * gloss + rng.uniform(0.0, 0.03) * dome
    radiance = (albedo.clip(0.0, 1.0) * leaving + shiny[..., None]) * colour / middle
    return np.asarray(radiance, np.float32)


def photographed(radiance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What a camera makes of it, as the product decodes it (h,w,3): lens, noise, contrast, eight bits, JPEG."""
    from PIL import Image

    soft = gaussian_filter(radiance, (*[rng.uniform(0.3, 0.8)] * 2, 0.0))
    exposed = soft * np.exp2(rng.normal(-0.3, 0.5))
    exposed = np.maximum(exposed + rng.normal(0.0, 0.02 * rng.random() ** 2, exposed.shape), 0.0) ** rng.uniform(
        0.75, 1.1
    )
    bent = exposed / (1.0 + exposed) * 1.6 if rng.random() < 0.4 else exposed
    encoded = np.where(bent <= 0.0031308, 12.92 * bent, 1.055 * np.maximum(bent, 1e-6) ** (1 / 2.4) - 0.055)
    with io.BytesIO() as file:
        picture = Image.fromarray((255.0 * encoded.clip(0.0, 1.0) + 0.5).astype(np.uint8))
        picture.save(file, "JPEG", quality=int(rng.integers(75, 97)))
        with Image.open(file) as opened:
            return linear(np.asarray(opened))


def _open_sky(height: Floats) -> NDArray[np.float64]:
    """How much of the dome each point sees, about 1 where it is flat: less in valleys, of whatever width.

    Between two banks that rise at an angle it is the angle's cosine: hardly less than 1 where relief is shallow.
    """
    rise = np.zeros(height.shape)
    for sigma in (1.0, 2.0, 4.0, 8.0):
        rise = np.maximum(rise, (gaussian_filter(height, sigma) - height) / (sigma * PIXEL_MM))
    return 1.0 / np.sqrt(1.0 + (1.5 * rise) ** 2)


def _shadow(height: Floats, look: Closeup, lamp: Floats, soft: float) -> NDArray[np.float64]:
    """What of a lamp each point sees, 0..1, past the relief that lies towards it within some millimetres."""
    rise = np.maximum((look.normals @ lamp), 0.05)
    flat = np.hypot(lamp[0], lamp[1])
    if flat < 0.05:
        return np.ones(height.shape)
    blocked = np.full(height.shape, -1.0)
    for step in (1.0, 2.0, 3.0, 5.0, 8.0):
        right, down = (round(step * axis / flat) for axis in lamp[:2])
        there = np.roll(height, (-down, -right), (0, 1))
        blocked = np.maximum(blocked, (there - height) / (step * PIXEL_MM) - rise / np.maximum(flat, 1e-3))
    return np.clip(0.5 - blocked / soft, 0.0, 1.0)


def _scattered(incident: Floats, reach: float, present: NDArray[np.bool_], middle: float) -> NDArray[np.float64]:
    """Light that enters the skin and leaves it elsewhere: blurred by Burley's profile of length `reach` pixels."""
    filled = np.where(present, incident, middle)
    rows, columns = np.fft.fftfreq(filled.shape[0])[:, None], np.fft.rfftfreq(filled.shape[1])[None]
    turn = (2.0 * np.pi * reach) ** 2 * (rows**2 + columns**2)
    profile = 0.25 / np.sqrt(1.0 + turn) + 0.75 / np.sqrt(1.0 + 9.0 * turn)
    return np.fft.irfft2(np.fft.rfft2(filled) * profile, filled.shape)


def _unit(vector: Floats) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), np.float64)
