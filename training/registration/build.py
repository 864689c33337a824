"""Populations from registered models: mean, modes and expressions on the template."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.populations.linear import LinearPopulation, no_traits
from training.progress import Progress
from training.registration.align import UNITS, Similarity, fit_similarity
from training.registration.carry import Carrier
from training.registration.fit import MODEL_REACH_MM, register
from training.registration.lids import closed
from training.registration.models.model import FaceModel
from training.registration.rig import Rig
from training.registration.target import Target, clean_mesh
from training.registration.traits import TraitReader

Floats = NDArray[np.float64]

_CHUNK = 10


@dataclass(frozen=True)
class Registered:
    """A model on the template: target the model's mean in head space, vertices (U,3) the rig on it, its carrier."""

    target: Target
    pose: Similarity
    carrier: Carrier

    @property
    def vertices(self) -> Floats:
        """The rig's vertices (U,3) mm on the model's mean."""
        return self.carrier.vertices


def register_model(rig: Rig, model: FaceModel) -> Registered:
    """Registers a model's mean. Raises :class:`target.BadScan` for a mesh that cannot be used."""
    numbers = sorted(model.landmarks)
    marks = np.stack([model.landmarks[number] for number in numbers])
    pose = fit_similarity(marks, rig.neutral[rig.landmarks68[numbers]], scale=UNITS[model.unit])
    vertices, landmarks = pose(model.mean), pose(marks)
    triangles = clean_mesh(vertices, model.triangles, landmarks)
    target = Target.of(vertices, triangles, dict(zip(numbers, landmarks, strict=True)))
    start, fitted, pairs = register(rig, target, MODEL_REACH_MM)
    return Registered(target, pose, Carrier(rig, vertices, start, fitted, pairs, model.parts))


def population_from_model(
    rig: Rig, model: FaceModel, registered: Registered, name: str, traits: TraitReader | None = None
) -> LinearPopulation:
    """The model's modes and expressions carried over; actions that it lacks are the template's own."""
    carrier, pose = registered.carrier, registered.pose
    modes = np.empty((len(model.modes), len(rig.neutral), 3), np.float32)
    with Progress("modes", len(modes), unit="mode") as progress:
        for first in range(0, len(modes), _CHUNK):
            part = pose.vectors(np.asarray(model.modes[first : first + _CHUNK], np.float64))
            modes[first : first + len(part)] = carrier.identity(part.transpose(1, 2, 0)).transpose(2, 0, 1)
            progress.advance(len(part))
    actions = carried_actions(rig, registered, model.expression)
    return linear_population(rig, name, carrier.vertices, modes, actions, model.source, model.licence, traits)


def carried_actions(rig: Rig, registered: Registered, expression: dict[str, Floats]) -> Floats:
    """Offsets (52,U,3) mm of the template's actions on the registered rig."""
    names = [str(name) for name in rig.template.expression_names]
    actions = own_actions(rig, registered.vertices)
    eyes = np.concatenate(rig.eyes)
    for name in (name for name in names if name in expression):
        row = names.index(name)
        carried = registered.carrier.expression(registered.pose.vectors(expression[name])[..., None])[..., 0]
        # Eyeballs turn as the template's do: models leave that to their rigs.
        carried[eyes] = actions[row][eyes]
        actions[row] = carried
    return _blinking(rig, registered.vertices, actions)


def own_blinking_actions(rig: Rig, vertices: Floats) -> Floats:
    """The template's actions (52,U,3) on another head (U,3), its blinks closing that head's eyes."""
    return _blinking(rig, vertices, own_actions(rig, vertices))


def _blinking(rig: Rig, vertices: Floats, actions: Floats) -> Floats:
    names = [str(name) for name in rig.template.expression_names]
    for side, name in enumerate(("eyeBlinkLeft", "eyeBlinkRight")):
        row = names.index(name)
        actions[row] = closed(rig, vertices, actions[row], side)
    return actions


def own_actions(rig: Rig, vertices: Floats) -> Floats:
    """The template's actions (52,U,3) at the size of another head's vertices (U,3): its face's and its eyes'."""
    marks = rig.landmarks68
    actions = fit_similarity(rig.neutral[marks], vertices[marks]).scale * rig.expression
    for ids in rig.eyes:
        size = np.linalg.norm(np.ptp(vertices[ids], axis=0)) / np.linalg.norm(np.ptp(rig.neutral[ids], axis=0))
        actions[:, ids] = size * rig.expression[:, ids]
    return actions


def linear_population(
    rig: Rig,
    name: str,
    mean: Floats,
    modes: NDArray[np.float32],
    actions: Floats,
    source: str,
    licence: str,
    traits: TraitReader | None = None,
) -> LinearPopulation:
    """Mean (U,3), modes (K,U,3), actions (52,U,3) -> the population with its own template."""
    layout = rig.layout
    used = mean.astype(np.float32)
    neutral = layout.assemble(used)
    moved = []
    for action in actions.astype(np.float32):
        # Heads are centred on their tragi, which some actions move: a face that moves must not move the head.
        moved.append(layout.assemble(used + action) - neutral + action[layout.tragi].mean(0))
    template = replace(rig.template, mean=neutral, expression=np.stack(moved).astype(np.float32))
    made = LinearPopulation(name, used, modes, layout, template, no_traits(len(modes)), source, licence)
    return replace(made, trait_modes=traits.modes(made)) if traits else made
