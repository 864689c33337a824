"""Fills in `MODEL_CARD.md`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from training.dataset import FaceSet
from training.evaluation.heads import markdown
from training.export.linear_basis import LinearBasis
from training.recipes.joint.finish import Finished
from training.recipes.joint.run import Trained

CHECKED = 32


@dataclass(frozen=True)
class CardFacts:
    """commands (lines) that made the bundle; what was solved in closed form, None where the run is as trained."""

    commands: tuple[str, ...]
    finished: Finished | None = None


def model_card(
    run: Trained,
    faces: FaceSet,
    basis: LinearBasis,
    differences: tuple[float, float],
    figures: dict[str, Any] | None,
    description: dict[str, Any],
    facts: CardFacts,
    people: str,
) -> str:
    """The card's text. `figures` are those of `training.evaluation.heads.report`, None if nothing was measured.

    `people` says whose shapes the heads have.
    """
    table = "Not measured." if figures is None else markdown(figures, "").partition("\n\n")[2].strip()
    licences = "\n".join(
        f"| {linked(e['source'], e['url'])} | {e['licence']} | {e['attribution']} |" for e in description["licences"]
    )
    template = Template(files("training.export").joinpath("model_card.md").read_text(encoding="utf-8"))
    return template.substitute(
        name=description["name"],
        vertices=f"{description['vertices']:,}",
        columns=len(basis.columns),
        expressions=description["expression"],
        reflectance=description["reflectance"],
        recipe=description["recipe"],
        figures=table,
        explained=f"{100 * basis.explained:.2f}",
        dropped=run.config.neurons - len(basis.columns),
        neurons=run.config.neurons,
        finished=_finished(facts.finished),
        checked=CHECKED,
        coefficient_difference=f"{differences[0]:.1e}",
        vertex_difference=f"{differences[1]:.1e}",
        count=f"{len(faces):,}",
        resolution=faces.images.shape[1],
        licences=licences,
        commands="\n".join(facts.commands),
        steps=f"{run.step:,}",
        batch=run.config.schedule.batch_size,
        size=run.config.size,
        commit=description["commit"],
        people=people,
    )


def linked(text: str, url: str) -> str:
    """Markdown of a text that leads to an address, if there is one."""
    return f"[{text}]({url})" if url else text


def _finished(finished: Finished | None) -> str:
    if finished is None:
        return "- Encoder and last layer are as they were trained."
    text = f"- Encoder and last layer were solved in closed form (ridge {finished.strength:g})"
    if finished.errors is None or finished.before is None:
        return f"{text}."
    after = finished.errors[finished.strength]
    squares = f"{finished.before:.3f} mm^2 before, {after:.3f} after"
    return f"{text}: mean squared distance on held-out\n  training faces {squares}."
