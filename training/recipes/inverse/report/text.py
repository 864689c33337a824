"""The report as Markdown."""

from __future__ import annotations

from typing import Any

from training.recipes.reports import bars_table


def markdown(figures: dict[str, Any]) -> str:
    """The page: the table as the paper has it, what must be true, errors round by round."""
    faces = figures["faces"]
    lines = [
        "# Pose, shape, expression, skin and light, by breeding (paper 4)",
        "",
        f"Breeding is towards {faces['target']} faces ({figures['target']}), errors are those on {faces['test']} "
        f"others ({figures['test']}), whose truth nothing was trained on. Pictures have "
        f"{', '.join(map(str, figures['sizes']))} pixels.",
        *_skipped(figures["skipped"]),
        "",
        "| approach | batches | training | ms/image | photometric (8 bits) | geometric (mm) | with pose (mm) | IoU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        target = row["target"]
        lines.append(
            f"| {row['title']} | {row['steps']:,} | {_time(row['hours'])} | {row['milliseconds']:.1f} | "
            f"{_pair(target['photometric'], 2)} | {_pair(target['geometric'], 2)} | {_pair(target['posed'], 2)} | "
            f"{_share(target['overlap'])} |"
        )
    lines += [
        "",
        "Means and standard deviations over faces. Photometric: root mean square over the input's mask. Geometric: of",
        "corresponding vertices of the face, after similarity alignment; with pose: the rotation counts, translation",
        "and scale do not. IoU: of the input's mask and the estimate's. Breeding's training time holds everything:",
        "finding codes, perturbing, rasterising.",
        "",
        "On held-out faces of the first corpus:",
        "",
        "| approach | photometric (8 bits) | geometric (mm) | rotation | IoU |",
        "|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        drawn = row["drawn"]
        lines.append(
            f"| {row['title']} | {_pair(drawn['photometric'], 2)} | {_pair(drawn['geometric'], 2)} | "
            f"{drawn['degrees']['mean']:.1f}° | {_share(drawn['overlap'])} |"
        )
    lines += [
        "",
        *bars_table(figures["bars"]),
        "",
        "![errors round by round](rounds.png)",
        "",
        "![faces](faces.png)",
        "",
    ]
    return "\n".join(lines)


def _skipped(skipped: dict[str, dict[str, int]]) -> list[str]:
    found = [f"{count} {reason} ({name})" for name, reasons in skipped.items() for reason, count in reasons.items()]
    return ["", f"Left out: {'; '.join(found)}."] if found else []


def _pair(values: dict[str, float], digits: int) -> str:
    return f"{values['mean']:.{digits}f} ± {values['deviation']:.{digits}f}"


def _share(values: dict[str, float]) -> str:
    return f"{100 * values['mean']:.2f} ± {100 * values['deviation']:.2f} %"


def _time(hours: float) -> str:
    return f"{hours:.2f} h" if hours >= 1 else f"{60 * hours:.1f} min"
