"""What the tests of props share: some heads, and many draws of one kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from training.populations.anny import AnnyPopulation
from training.populations.identity import Traits
from training.subjects.props import Floats, MeshProp, Prop

T = TypeVar("T")

MAN = Traits(age=35.0, female=0.1, african=0.3, asian=0.3, caucasian=0.4)
WOMAN = replace(MAN, female=0.9)
OLD = replace(MAN, age=80.0)


def heads(population: AnnyPopulation, count: int) -> list[Floats]:
    """Neutral heads (N,3) mm."""
    return [population.vertices(population.draw(np.random.default_rng([5, index]))) for index in range(count)]


def draws(draw: Callable[[np.random.Generator, Traits], T | None], traits: Traits, count: int) -> list[T | None]:
    """One draw from each of ``count`` generators."""
    return [draw(np.random.default_rng([8, index]), traits) for index in range(count)]


def meshes(props: tuple[Prop, ...]) -> list[MeshProp]:
    """The meshes among props, each checked to be whole."""
    found = [prop for prop in props if isinstance(prop, MeshProp)]
    assert len({prop.topology for prop in found}) == len(found)
    for prop in found:
        assert np.isfinite(prop.vertices).all()
        assert prop.faces.min() >= -1
        assert prop.faces.max() < len(prop.vertices)
        assert prop.uv is None or prop.uv.shape == (*prop.faces.shape, 2)
        assert prop.material is None or (
            len(prop.material) == len(prop.faces) and prop.material.max() < len(prop.surfaces)
        )
    return found


def check_topologies(built: list[tuple[Prop, ...]]) -> None:
    """Props of one topology name have the same faces, uv and materials."""
    first: dict[str, MeshProp] = {}
    for props in built:
        for prop in meshes(props):
            known = first.setdefault(prop.topology, prop)
            assert np.array_equal(known.faces, prop.faces)
            assert len(known.vertices) == len(prop.vertices)
            assert len(known.surfaces) == len(prop.surfaces)
            for one, other in ((known.uv, prop.uv), (known.material, prop.material)):
                assert (one is None) == (other is None)
                assert one is None or other is None or np.array_equal(one, other)
