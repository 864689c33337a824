"""What a bundle's named sliders change on a face, measured: their own attribute, and every other one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.export.sliders import PEOPLE, NamedSliders, effects
from training.populations.identity import Population

LEAST_RATIO = 3.0
"""What a slider is held to: it changes its own attribute so many times as much as any other."""


@dataclass(frozen=True)
class Effect:
    """One slider moved from -2 to 2: how its own attribute changes, and the other that changes most.

    Changes are means over people, in standard deviations of the attribute in the population.
    """

    name: str
    group: str
    own: float
    other: float
    other_name: str

    @property
    def ratio(self) -> float:
        """Own over other."""
        return self.own / max(self.other, 1e-9)


def of_bundle(folder: Path) -> tuple[NamedSliders, NDArray[np.float32], NDArray[np.float32]]:
    """A bundle's sliders, mean (N,3) mm, identity columns (K,N,3) mm. Raises `ValueError` where it has no sliders."""
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        if "sliders" not in arrays:
            raise ValueError(f"{folder} has no named sliders: export it with --population")
        names, groups = (tuple(str(text) for text in arrays[key]) for key in ("slider_names", "slider_groups"))
        return NamedSliders(names, groups, arrays["sliders"]), arrays["mean"], arrays["identity"]


def measure(
    sliders: NamedSliders,
    mean: NDArray[np.float32],
    columns: NDArray[np.float32],
    population: Population,
    rng: np.random.Generator,
    people: int = PEOPLE,
) -> tuple[Effect, ...]:
    """Every slider's effect on people that `rng` draws; arguments as of `training.export.sliders.effects`."""
    table = effects(sliders, mean, columns, population, rng, people)
    found = []
    for at, (name, group, row) in enumerate(zip(sliders.names, sliders.groups, table, strict=True)):
        others = np.where(np.arange(len(row)) == at, -1.0, row)
        most = int(others.argmax())
        found.append(Effect(name, group, float(row[at]), float(others[most]), sliders.names[most]))
    return tuple(found)


def as_table(found: tuple[Effect, ...]) -> str:
    """A Markdown table, a line for each slider."""
    lines = ["| group | slider | its own attribute | the other it changes most | by | times as much |"]
    lines += ["|---|---|---|---|---|---|"]
    for one in found:
        row = (one.group, one.name, f"{one.own:.2f}", one.other_name, f"{one.other:.2f}", f"{one.ratio:.1f}")
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"
