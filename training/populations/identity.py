"""What every population gives: identities as plain numbers, and heads on the template made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.template import Template

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Traits:
    """What looks depend on beside shape: age in years, female 0..1, ancestry shares that sum to one."""

    age: float
    female: float
    african: float
    asian: float
    caucasian: float


@dataclass(frozen=True)
class Identity:
    """One adult: the name of the population it came from, its coefficients there, and its traits."""

    population: str
    coefficients: tuple[float, ...]
    traits: Traits


class Population(Protocol):
    """A source of identities; all populations share the template's topology."""

    @property
    def name(self) -> str:
        """How identities name it."""
        ...

    @property
    def template(self) -> Template:
        """Topology, landmarks, regions; `mean` is this population's own neutral mean head."""
        ...

    def draw(self, rng: np.random.Generator) -> Identity:
        """One adult identity."""
        ...

    def vertices(self, identity: Identity) -> Floats:
        """Neutral template vertices (N,3), head space mm."""
        ...

    def expression(self, identity: Identity) -> Floats:
        """Offsets (52,N,3) mm of the facial actions at 1, for this identity's population."""
        ...
