"""The face model fitted to what the populations draw: heads, facial actions, skins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from training.dataset import mirror_vertices
from training.formation.face_model import FaceModel, principal_columns
from training.populations.identity import Population
from training.populations.mixture import Mixture
from training.progress import Progress
from training.subjects.beard import beard_cover, beard_shade, draw_beard
from training.subjects.brows import brow_cover, brow_shade, draw_brows
from training.subjects.hair import draw_hair
from training.subjects.skin import Painter, draw_skin
from training.template import Template

Floats = NDArray[np.float32]

# What is not face counts little: columns shall say what pictures of faces show.
_OUTSIDE = 0.1
# Eyes have uv (0.5, 0.5) at the pupil, and radii that grow with the angle from the axis.
_PUPIL, _IRIS = 0.03, 0.075
# Parts whose colour is fixed, linear RGB: the model explains skin, the rest only has to look like what it is.
_FIXED = {"eye": (0.62, 0.58, 0.55), "mouth": (0.16, 0.04, 0.04), "teeth": (0.60, 0.55, 0.46)}
_HAIRY = {"brow": (0.05, 0.035, 0.025), "lash": (0.02, 0.015, 0.012)}
_IRIS_COLOUR, _PUPIL_COLOUR = (0.10, 0.06, 0.03), (0.005, 0.005, 0.005)


@dataclass(frozen=True)
class FitSizes:
    """Columns of the model, and how many heads and skins they are found on."""

    identity: int = 128
    expression: int = 64
    reflectance: int = 128
    heads: int = 1500


def fit_face_model(
    population: Population, sizes: FitSizes, rng: np.random.Generator, progress: bool = True
) -> FaceModel:
    """Principal components of heads, actions and skins that the population draws.

    The expression columns compress the actions of all its parts, as the papers compress two sets of blend shapes: they
    have unit variance over the actions, about the neutral face, and the first one opens the mouth (Kim et al. 2018,
    section 5).
    """
    template = population.template
    weights = np.where(template.region("face"), 1.0, _OUTSIDE).astype(np.float32)
    painter = Painter(template)
    heads, skins = [], []
    parts = rng.spawn(sizes.heads)
    with Progress("face model", sizes.heads, unit="head", shown=progress) as bar:
        for part in parts:
            identity = population.draw(part)
            heads.append(population.vertices(identity))
            hair = draw_hair(part, identity.traits)
            roots = hair.colour, hair.grey, hair.grey_colour
            beard, brows = draw_beard(part, identity.traits, *roots), draw_brows(part, identity.traits, *roots)
            covers = (
                (beard_cover(template, beard), beard_shade(beard)),
                (brow_cover(template, brows), brow_shade(brows)),
            )
            skins.append(painter.albedo(draw_skin(part, identity.traits), covers))
            bar.advance()
    shapes = np.stack(heads)
    mean = (shapes.mean(0) + mirror_vertices(shapes.mean(0), template.mirror)) / 2
    both = np.concatenate([shapes, mirror_vertices(shapes, template.mirror)]) - mean
    reflectance_mean, reflectance, limits = fit_skins(np.stack(skins), template, sizes.reflectance)
    return FaceModel(
        mean=mean.astype(np.float32),
        identity=principal_columns(both, weights, sizes.identity)[0],
        expression=_expression(population, weights, sizes.expression),
        reflectance_mean=reflectance_mean,
        reflectance=reflectance,
        reflectance_limits=limits,
        actions=template.expression,
        template={field.name: getattr(template, field.name) for field in fields(Template)},
    )


def fit_skins(skins: Floats, template: Template, count: int) -> tuple[Floats, Floats, Floats]:
    """Mean (N,3), columns (K,N,3) and their coefficients' limits (K,2) of skins (n,N,3).

    Vertices of other materials have fixed colours.
    """
    weights = np.where(template.region("face"), 1.0, _OUTSIDE).astype(np.float32)
    skin = np.zeros(len(template.mean), bool)
    skin[np.unique(template.quads[template.material == list(template.material_names).index("skin")])] = True
    mean = np.where(skin[:, None], skins.mean(0), _fixed_colours(template))
    columns, found = principal_columns((skins - skins.mean(0)) * skin[:, None], weights, count)
    return mean.astype(np.float32), columns, np.stack([found.min(0), found.max(0)], 1)


def _expression(population: Population, weights: Floats, count: int) -> Floats:
    parts: Sequence[Population] = population.parts if isinstance(population, Mixture) else (population,)
    actions = np.concatenate([part.template.expression for part in parts])
    columns, _ = principal_columns(actions, weights, count)
    names = [str(name) for name in population.template.expression_names]
    opening = population.template.expression[names.index("jawOpen")]
    if (columns[0] * opening).sum() < 0:
        columns[0] *= -1
    return columns


def _fixed_colours(template: Template) -> Floats:
    colours = np.zeros((len(template.mean), 3), np.float32)
    names = [str(name) for name in template.material_names]
    for name, colour in {**_FIXED, **_HAIRY}.items():
        if name in names:
            colours[np.unique(template.quads[template.material == names.index(name)])] = colour
    if "eye" in names:
        chosen = template.material == names.index("eye")
        radius = np.full(len(colours), np.inf)
        corners = np.linalg.norm(template.uv[chosen] - 0.5, axis=2)
        np.minimum.at(radius, template.quads[chosen].ravel(), corners.ravel())
        colours[radius <= _IRIS] = _IRIS_COLOUR
        colours[radius <= _PUPIL] = _PUPIL_COLOUR
    return colours
