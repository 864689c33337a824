"""A population as a linear model: a mean head and modes of variation, from scans or from a published face model."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.populations.actions import fitted_actions
from training.populations.identity import Identity, Traits
from training.template import HeadLayout, Template
from training.whole_file import whole_file

Floats = NDArray[np.float32]

KIND = "linear"

# Draws: no coefficient beyond this, and no head farther from the mean than nearly all heads are.
_LIMIT = 2.5
_RADIUS = 1.15

# Traits that shapes tell of, in the order of a population's `trait_modes`, and how far a draw's follow from its shape.
TRAITS = ("female", "african", "asian", "caucasian", "age")
_TOLD = 0.85


@dataclass(frozen=True)
class LinearPopulation:
    """mean (U,3) and modes (K,U,3), mm per standard deviation, of the base-mesh vertices that the layout uses (U).

    Eyes, brows and lashes follow by the layout. The template's `mean` and `expression` are this population's own.
    trait_modes (5,K): unit directions in the coefficients along which heads look more like each of ``TRAITS``; zeros
    where nothing is known, and traits are then drawn apart from the shape.
    source says where the shapes come from, licence under which terms, both for the model card.
    """

    name: str
    mean: Floats
    modes: Floats
    layout: HeadLayout
    template: Template
    trait_modes: Floats
    source: str = ""
    licence: str = ""

    def save(self, path: Path) -> None:
        """Writes everything to a file that loads without pickle; the file is there whole or not at all."""
        arrays = {f"layout_{field.name}": getattr(self.layout, field.name) for field in fields(HeadLayout)}
        arrays |= {f"template_{field.name}": getattr(self.template, field.name) for field in fields(Template)}
        texts = {"kind": KIND, "name": self.name, "source": self.source, "licence": self.licence}
        with whole_file(path) as file:
            np.savez_compressed(
                file,
                mean=self.mean,
                modes=self.modes,
                trait_modes=self.trait_modes,
                **{key: np.array(text) for key, text in texts.items()},
                **arrays,
            )

    @staticmethod
    def load(path: Path) -> LinearPopulation:
        """Reads what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return LinearPopulation(
                name=str(arrays["name"]),
                mean=arrays["mean"],
                modes=arrays["modes"],
                trait_modes=arrays.get("trait_modes", no_traits(len(arrays["modes"]))),
                layout=HeadLayout(**{f.name: arrays[f"layout_{f.name}"] for f in fields(HeadLayout)}),
                template=Template.from_arrays(arrays, "template_"),
                source=str(arrays["source"]),
                licence=str(arrays["licence"]),
            )

    def draw(self, rng: np.random.Generator) -> Identity:
        """One adult identity: normal coefficients within a plausible range, traits as the shape suggests them."""
        coefficients = np.clip(rng.normal(0.0, 1.0, len(self.modes)), -_LIMIT, _LIMIT)
        radius = np.linalg.norm(coefficients)
        coefficients *= min(1.0, _RADIUS * np.sqrt(len(coefficients)) / max(radius, 1e-9))
        told = _TOLD * np.linalg.norm(self.trait_modes, axis=1)
        looks = told * (self.trait_modes @ coefficients) + np.sqrt(1.0 - told**2) * rng.normal(0.0, 1.0, len(TRAITS))
        gender, *ancestry, age = looks
        shares = np.exp(2.5 * np.array(ancestry))
        shares /= shares.sum()
        traits = Traits(
            age=float(np.interp(_normal_share(age), _AGE_SHARES, _AGES)),
            # Most heads look like one or the other.
            female=_normal_share(2.5 * gender),
            african=float(shares[0]),
            asian=float(shares[1]),
            caucasian=float(shares[2]),
        )
        return Identity(self.name, tuple(float(value) for value in coefficients), traits)

    def vertices(self, identity: Identity) -> Floats:
        """Neutral template vertices (N,3), head space mm."""
        moved = np.tensordot(np.asarray(identity.coefficients, np.float32), self.modes, 1)
        return self.layout.assemble(self.mean + moved)

    def expression(self, identity: Identity) -> Floats:
        """Offsets (52,N,3) mm of this population's facial actions at 1, fitted to the identity."""
        return fitted_actions(self.template, self.vertices(identity))


def no_traits(count: int) -> Floats:
    """Trait modes (5,count) of a population of which nothing is known."""
    return np.zeros((len(TRAITS), count), np.float32)


def _normal_share(value: float) -> float:
    """The share of normal draws below a value."""
    return 0.5 * (1.0 + math.erf(float(value) / math.sqrt(2.0)))


# Ages of the adults in photos: many young ones, some very old; the share of people younger than each.
_AGES = (18.0, 25.0, 32.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
_AGE_SHARES = (0.0, 0.16, 0.34, 0.52, 0.70, 0.83, 0.92, 0.98, 1.0)
