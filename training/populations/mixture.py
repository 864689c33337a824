"""Several populations drawn from by weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.populations.identity import Identity, Population
from training.template import Template

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Mixture:
    """Populations with different names on one topology, and the share (sums to one) of identities from each.

    Raises ``ValueError`` when names clash, weights are not positive or templates differ.
    """

    parts: tuple[Population, ...]
    weights: tuple[float, ...]
    name: str = "mixture"

    @staticmethod
    def of(parts: Sequence[Population], weights: Sequence[float]) -> Mixture:
        """Weights in any unit."""
        total = float(sum(weights))
        return Mixture(tuple(parts), tuple(float(weight) / total for weight in weights) if total > 0 else ())

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.weights) or not self.parts or min(self.weights) <= 0:
            raise ValueError("Give every population a weight above zero.")
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise ValueError(f"Populations that are mixed need different names, these are called {', '.join(names)}.")
        first = self.parts[0].template
        for part in self.parts[1:]:
            same = (
                np.array_equal(part.template.quads, first.quads)
                and np.array_equal(part.template.landmarks68, first.landmarks68)
                and np.array_equal(part.template.landmarks_dense, first.landmarks_dense)
                and np.array_equal(part.template.expression_names, first.expression_names)
            )
            if not same:
                raise ValueError(
                    f"The populations {names[0]} and {part.name} are made on different versions of the template: "
                    "make both again with this version of likeness."
                )

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {part.name: part for part in self.parts}

    @cached_property
    def template(self) -> Template:
        """The shared topology; mean and expression are the parts', averaged by weight."""
        templates = [part.template for part in self.parts]
        mean = sum(w * t.mean for w, t in zip(self.weights, templates, strict=True))
        expression = sum(w * t.expression for w, t in zip(self.weights, templates, strict=True))
        return replace(templates[0], mean=np.asarray(mean, np.float32), expression=np.asarray(expression, np.float32))

    def draw(self, rng: np.random.Generator) -> Identity:
        """One adult identity of one of the parts, under that part's name."""
        return self.parts[int(rng.choice(len(self.parts), p=self.weights))].draw(rng)

    def vertices(self, identity: Identity) -> Floats:
        """Neutral template vertices (N,3), head space mm. Raises ``KeyError`` for another population's identity."""
        return self._of(identity).vertices(identity)

    def expression(self, identity: Identity) -> Floats:
        """Offsets (52,N,3) mm of the facial actions at 1, those of the identity's population."""
        return self._of(identity).expression(identity)

    def _of(self, identity: Identity) -> Population:
        try:
            return self._by_name[identity.population]
        except KeyError:
            known = ", ".join(self._by_name)
            raise KeyError(f"No population called {identity.population} is in this mixture of {known}.") from None
