"""A population as a linear model: a mean head and modes of variation, from scans or from a published face model."""

from __future__ import annotations

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


@dataclass(frozen=True)
class LinearPopulation:
    """mean (U,3) and modes (K,U,3), mm per standard deviation, of the base-mesh vertices that the layout uses (U).

    Eyes, brows and lashes follow by the layout. The template's `mean` and `expression` are this population's own.
    source says where the shapes come from, licence under which terms, both for the model card.
    """

    name: str
    mean: Floats
    modes: Floats
    layout: HeadLayout
    template: Template
    source: str = ""
    licence: str = ""

    def save(self, path: Path) -> None:
        """Writes everything to a file that loads without pickle; the file is there whole or not at all."""
        arrays = {f"layout_{field.name}": getattr(self.layout, field.name) for field in fields(HeadLayout)}
        arrays |= {f"template_{field.name}": getattr(self.template, field.name) for field in fields(Template)}
        texts = {"kind": KIND, "name": self.name, "source": self.source, "licence": self.licence}
        with whole_file(path) as file:
            np.savez_compressed(
                file, mean=self.mean, modes=self.modes, **{k: np.array(v) for k, v in texts.items()}, **arrays
            )

    @staticmethod
    def load(path: Path) -> LinearPopulation:
        """Reads what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return LinearPopulation(
                name=str(arrays["name"]),
                mean=arrays["mean"],
                modes=arrays["modes"],
                layout=HeadLayout(**{f.name: arrays[f"layout_{f.name}"] for f in fields(HeadLayout)}),
                template=Template.from_arrays(arrays, "template_"),
                source=str(arrays["source"]),
                licence=str(arrays["licence"]),
            )

    def draw(self, rng: np.random.Generator) -> Identity:
        """One adult identity: normal coefficients within a plausible range.

        The traits are drawn apart from the shape, because scans rarely come with labels.
        """
        coefficients = np.clip(rng.normal(0.0, 1.0, len(self.modes)), -_LIMIT, _LIMIT)
        radius = np.linalg.norm(coefficients)
        coefficients *= min(1.0, _RADIUS * np.sqrt(len(coefficients)) / max(radius, 1e-9))
        gender = rng.beta(0.25, 0.25)
        ancestry = rng.dirichlet([0.45, 0.45, 0.45])
        traits = Traits(
            age=float(18.0 + 72.0 * rng.beta(1.2, 2.2)),
            female=float(gender),
            african=float(ancestry[0]),
            asian=float(ancestry[1]),
            caucasian=float(ancestry[2]),
        )
        return Identity(self.name, tuple(float(value) for value in coefficients), traits)

    def vertices(self, identity: Identity) -> Floats:
        """Neutral template vertices (N,3), head space mm."""
        moved = np.tensordot(np.asarray(identity.coefficients, np.float32), self.modes, 1)
        return self.layout.assemble(self.mean + moved)

    def expression(self, identity: Identity) -> Floats:
        """Offsets (52,N,3) mm of this population's facial actions at 1, fitted to the identity."""
        return fitted_actions(self.template, self.vertices(identity))
