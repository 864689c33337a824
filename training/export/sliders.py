"""Named sliders: directions in a learned basis along which one thing about a face changes and hardly anything else.

What a face is called by are its measurements and, where the population knows them, its phenotypes. Each is regressed on
the basis's coefficients (ridge); a slider is then the least change of coefficients, in standard deviations, that
changes its own attribute by one standard deviation of the population and keeps the others. Keeping all others wholly
would bend the face in unlikely ways where attributes go together in people, so a slider may take along as much of the
others as `LEAST_RATIO` lets it: the directions are W^T (W W^T + damping I)^-1 with the largest damping that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.export.measurements import Measurement, measured, measurements
from training.populations.anny import PHENOTYPES, AnnyPopulation
from training.populations.identity import Identity, Population
from training.populations.mixture import Mixture

Floats = NDArray[np.float64]

LEAST_RATIO = 4.0
"""A slider changes its own attribute at least so many times as much as any other, each in standard deviations."""

PEOPLE = 1200
_RIDGE = 5.0
_CHUNK = 100
_REACH = 2.0  # sliders are measured from minus so much to plus so much
_DAMPINGS = (3.0, 1.0, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 1e-4)
_TRIED_ON = 6

# What the anny population knows of a person beside the shape, and how it is called as a slider.
_PHENOTYPES = (("Age", "age", 1.0), ("Masculinity", "gender", -1.0), ("Weight", "weight", 1.0))
_PERSON = "Person"


@dataclass(frozen=True)
class NamedSliders:
    """names (S,) and groups (S,) in the order of a panel, directions (S,K): coefficients for one unit of a slider.

    A unit is one standard deviation of the attribute in the population.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    directions: NDArray[np.float32]

    def arrays(self) -> dict[str, NDArray]:
        """As they stand in a bundle's `head.npz`."""
        return {
            "slider_names": np.array(self.names),
            "slider_groups": np.array(self.groups),
            "sliders": self.directions,
        }


@dataclass(frozen=True)
class _Study:
    """Attributes of people and how a basis shows them: slopes (S,K) in standard deviations per coefficient."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    deviation: Floats
    slopes: Floats
    people: Floats
    mean: NDArray[np.float32]
    columns: NDArray[np.float32]

    def decoded(self, coefficients: Floats) -> NDArray[np.float32]:
        moved = coefficients.astype(np.float32) @ self.columns.reshape(len(self.columns), -1)
        return self.mean + moved.reshape(len(coefficients), *self.mean.shape)

    def attributes(self, coefficients: Floats) -> Floats:
        """(n,S) in standard deviations: phenotypes as the regression reads them, the rest measured on the heads."""
        phenotypes = len(self.names) - len(self.measurements)
        heads = self.decoded(coefficients)
        shape = measured(self.measurements, heads) / self.deviation[phenotypes:]
        return np.concatenate([coefficients @ self.slopes[:phenotypes].T, shape], axis=1)

    def effect(self, direction: Floats, bases: Floats) -> Floats:
        """(S,) how much each attribute changes as a slider goes from one end to the other, mean over `bases` (n,K)."""
        change = self.attributes(bases + _REACH * direction) - self.attributes(bases - _REACH * direction)
        return np.abs(change).mean(0)


def named_sliders(
    mean: NDArray[np.float32],
    columns: NDArray[np.float32],
    population: Population,
    rng: np.random.Generator,
    people: int = PEOPLE,
) -> NamedSliders:
    """The sliders of a basis: mean (N,3) and columns (K,N,3) mm per standard deviation, on the population's template.

    Raises `ValueError` where the basis is on another template than the population.
    """
    study = _study(mean, columns, population, rng, people)
    bases = study.people[:_TRIED_ON]
    directions = [_direction(study, own, bases) for own in range(len(study.names))]
    return NamedSliders(study.names, study.groups, np.stack(directions).astype(np.float32))


def _direction(study: _Study, own: int, bases: Floats) -> Floats:
    """Coefficients (K,) for one unit of slider `own`, with the largest damping that leaves others alone enough."""
    gram = study.slopes @ study.slopes.T
    low, high = 0, len(_DAMPINGS) - 1
    while True:
        tried = high if low == high else (low + high) // 2
        mix = np.linalg.solve(gram + _DAMPINGS[tried] * np.eye(len(gram)), np.eye(len(gram))[own])
        direction: Floats = mix @ study.slopes
        direction /= direction @ study.slopes[own]
        effect = study.effect(direction, bases)
        enough = effect[own] >= LEAST_RATIO * np.delete(effect, own).max()
        if low == high:
            return 2 * _REACH / effect[own] * direction
        low, high = (low, tried) if enough else (tried + 1, high)


def effects(
    sliders: NamedSliders,
    mean: NDArray[np.float32],
    columns: NDArray[np.float32],
    population: Population,
    rng: np.random.Generator,
    people: int = PEOPLE,
) -> Floats:
    """(S,S): by how many standard deviations slider s, moved from -2 to 2, changes attribute t.

    Mean over people that `rng` draws anew; phenotypes are read by a regression on those people alone.
    """
    study = _study(mean, columns, population, rng, people)
    bases = study.people[: 2 * _TRIED_ON]
    return np.stack([study.effect(direction.astype(np.float64), bases) for direction in sliders.directions])


def _study(
    mean: NDArray[np.float32],
    columns: NDArray[np.float32],
    population: Population,
    rng: np.random.Generator,
    people: int,
) -> _Study:
    if population.template.mean.shape != mean.shape:
        raise ValueError(
            f"the basis has {len(mean)} vertices and the population's template {len(population.template.mean)}: "
            "use the population that the training data was drawn from"
        )
    kinds = measurements(population.template)
    flat = columns.reshape(len(columns), -1).astype(np.float64)
    to_coefficients = np.linalg.solve(flat @ flat.T, flat).T
    coefficients, seen, shown = [], [], []
    for _, heads in _people(population, rng, people):
        found = (heads - mean).reshape(len(heads), -1).astype(np.float64) @ to_coefficients
        decoded = mean + (found @ flat).reshape(heads.shape).astype(np.float32)
        coefficients.append(found)
        seen.append(measured(kinds, heads))
        shown.append(measured(kinds, decoded))
    code = np.concatenate(coefficients)
    names, groups = [one.name for one in kinds], [one.group for one in kinds]
    deviation = np.concatenate(seen).std(0)
    slopes = _ridge(code, np.concatenate(shown) / deviation)
    knowing = _knowing(population)
    if knowing is not None and people > 2 * len(columns):
        known, person = [], []
        for identities, heads in _people(knowing, rng, people):
            known.append((heads - mean).reshape(len(heads), -1).astype(np.float64) @ to_coefficients)
            person += [_phenotypes(identity) for identity in identities]
        spread = np.std(person, axis=0)
        slopes = np.concatenate([_ridge(np.concatenate(known), np.array(person) / spread), slopes])
        deviation = np.concatenate([spread, deviation])
        names = [name for name, _, _ in _PHENOTYPES] + names
        groups = [_PERSON] * len(_PHENOTYPES) + groups
    return _Study(tuple(names), tuple(groups), kinds, deviation, slopes, code, mean, columns)


def _people(
    population: Population, rng: np.random.Generator, count: int
) -> Iterator[tuple[list[Identity], NDArray[np.float32]]]:
    for start in range(0, count, _CHUNK):
        identities = [population.draw(rng) for _ in range(min(_CHUNK, count - start))]
        yield identities, np.stack([population.vertices(identity) for identity in identities])


def _knowing(population: Population) -> AnnyPopulation | None:
    """The part of a population that knows its people's phenotypes: in a mixture few may, and few tell too little."""
    parts = population.parts if isinstance(population, Mixture) else (population,)
    return next((part for part in parts if isinstance(part, AnnyPopulation)), None)


def _phenotypes(identity: Identity) -> list[float]:
    return [sign * identity.coefficients[PHENOTYPES.index(name)] for _, name, sign in _PHENOTYPES]


def _ridge(coefficients: Floats, values: Floats) -> Floats:
    """(S,K) slopes of values (n,S) on coefficients (n,K), their means left aside (Hoerl and Kennard 1970, eq. 2.1)."""
    centred = coefficients - coefficients.mean(0)
    normal = centred.T @ centred + _RIDGE * np.eye(coefficients.shape[1])
    slopes: Floats = np.linalg.solve(normal, centred.T @ (values - values.mean(0))).T
    return slopes
