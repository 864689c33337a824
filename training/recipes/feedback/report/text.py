"""The report as Markdown."""

from __future__ import annotations

from typing import Any

from training.recipes.feedback.report.study import FEEDBACK, PERSPECTIVE
from training.recipes.reports import bars_table


def markdown(figures: dict[str, Any]) -> str:
    """The page: errors by iteration and of the rivals, cameras, what must be true."""
    lines = [
        "# Iterative error feedback (paper 3)",
        "",
        f"{figures['faces']} faces that no training drew, identity and expression both, {figures['size']} pixels; "
        f"networks trained over {figures['steps']:,} batches. Mean distance of the face's vertices with their "
        "expression, after similarity alignment, and as a share of that of the mean head.",
        "",
        "| | mm | of the mean head's |",
        "|---|---|---|",
    ]
    for k, one in enumerate(figures["iterations"]):
        lines.append(_row("the mean head" if k == 0 else f"error feedback, iteration {k}", one))
    lines.append(_row("the same network, trained to answer once", figures["once"]))
    lines += [_row(f"closed form, {name}", one) for name, one in figures["landmarks"].items()]
    near, far = figures["distance"]
    lines += [
        "",
        "Landmarks are fitted with the very columns that the faces are made of, which no detector's user has.",
        "",
        "## Weak and full perspective",
        "",
        f"| trained on | seen from afar | seen from {near / 1000:.2g} to {far / 1000:.2g} m |",
        "|---|---|---|",
    ]
    for name, label in ((FEEDBACK, "weak perspective"), (PERSPECTIVE, "full perspective")):
        one = figures["cameras"][name]
        lines.append(f"| {label} | {one['far']['mm']:.3f} mm | {one['near']['mm']:.3f} mm |")
    lines += [
        "",
        *bars_table(figures["bars"]),
        "",
        "![errors by iteration](iterations.png)",
        "",
        "![faces](faces.png)",
        "",
    ]
    return "\n".join(lines)


def _row(name: str, one: dict[str, float]) -> str:
    return f"| {name} | {one['mm']:.3f} | {one['of_control']:.3f} |"
