"""Fills in `MODEL_CARD.md` of a bundle of the recipe `default`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from training.export.calibration import Calibration
from training.export.model_card import linked


@dataclass(frozen=True)
class CardNumbers:
    """What the card says beside `description` and calibration: differences of ONNX and PyTorch (coefficients, mm).

    `held` of the `count` faces were held out; `steps` of `batch` faces; `commands` that made the bundle; `table` as
    `tables` writes it, empty where nothing was measured.
    """

    differences: tuple[float, float]
    count: int
    held: int
    steps: int
    batch: int
    commands: Sequence[str]
    table: str = ""


def card(description: Mapping[str, Any], found: Calibration, numbers: CardNumbers) -> str:
    """The card's text."""
    licences = "\n".join(
        f"| {linked(e['source'], e['url'])} | {e['licence']} | {e['attribution']} |" for e in description["licences"]
    )
    template = Template(files("training.export").joinpath("default_card.md").read_text(encoding="utf-8"))
    return template.substitute(
        name=description["name"],
        vertices=f"{description['vertices']:,}",
        columns=description["identity"],
        expressions=description["expression"],
        reflectance=description["reflectance"],
        points=description["points"],
        recipe=description["recipe"],
        figures=numbers.table.strip() or "Not measured: `likeness evaluate default` does.",
        coefficient_difference=f"{numbers.differences[0]:.1e}",
        vertex_difference=f"{numbers.differences[1]:.1e}",
        held=numbers.held,
        trials=_trials(found),
        sigma_scale=f"{found.sigma_scale:.2f}",
        count=f"{numbers.count:,}",
        licences=licences,
        commands="\n".join(numbers.commands),
        steps=f"{numbers.steps:,}",
        batch=numbers.batch,
        size=description["regressor"]["size"],
        commit=description["commit"],
    )


def _trials(found: Calibration) -> str:
    lines = []
    for setting, (neutral, acted, seen) in found.trials.items():
        chosen = setting == (found.free, found.correlation)
        name = "the network's own" if setting is None else "free" if setting[0] else "held"
        weight = "–" if setting is None else f"{setting[1]:g}"
        line = f"| {name} | {weight} | {neutral:.3f} | {acted:.3f} | {seen:.3f} |"
        lines.append(line.replace("| ", "| **", 1).replace(" |", "** |", 1) if chosen else line)
    return "\n".join(lines)
