"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluation.product.measure import Figures, Row, correlations, figures, groups

_LEAST_SEEN = 5


def tables(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Figures on rendered faces of unseen people as Markdown; `names` are those of the actions."""
    head = "| faces | n | error, mm | control | ratio | worse than control | within sigma | eight points |"
    lines = [
        "On rendered faces of unseen people, by the product's whole way from a picture to a head. Error: mean distance",
        "of corresponding vertices of the neutral face after similarity alignment; the control returns the mean head",
        "for all. Within sigma: vertices whose error is below what the product says. Eight points: mean distance of",
        "eye corners, nose tip, mouth corners and chin of the head under its camera, in outer-eye distances.",
        "",
        head,
        "|---|---|---|---|---|---|---|---|",
        _line("**all**", figures(rows)),
    ]
    for table, parts in groups(rows).items():
        lines += [_line(f"{table} {name.lstrip('123 ') if table == 'skin' else name}", figures(part))
                  for name, part in parts.items() if len(part) >= _LEAST_SEEN]  # fmt: skip
    return "\n".join([*lines, "", *_actions(rows, names)]) + "\n"


def _actions(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    seen, could = _ordered(correlations(rows), names), _ordered(correlations(rows, visible=True), names)
    if not seen:
        return []
    best, least = (", ".join(f"{name} {value:.2f}" for value, name in part) for part in (seen[:6], seen[-4:]))
    lines = [
        f"Actions: correlation with the truth {_mean(seen):.2f} on average over the {len(seen)} that vary;",
        f"{best}; least {least}.",
    ]
    if could:
        lines.append(f"Over the pictures that could show them, {_mean(could):.2f} on average over {len(could)}.")
    return lines


def _ordered(values: NDArray[np.float64], names: Sequence[str]) -> list[tuple[float, str]]:
    return sorted(((float(v), n) for n, v in zip(names, values, strict=True) if v == v), reverse=True)


def _mean(ordered: Sequence[tuple[float, str]]) -> float:
    return sum(value for value, _ in ordered) / len(ordered)


def _line(title: str, f: Figures) -> str:
    cells = [f"{f.error:.3f}", f"{f.control:.3f}", f"**{f.ratio:.3f}**", f"{100 * f.worse:.0f} %"]
    cells += [f"{100 * f.inside:.0f} %" if f.inside == f.inside else "–"]
    cells += [f"{100 * f.points:.2f} %" if f.points == f.points else "–"]
    return f"| {title} | {f.count} | " + " | ".join(cells) + " |"
