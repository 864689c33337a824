"""The report as Markdown."""

from __future__ import annotations

from typing import Any

from training.recipes.reports import bars_table


def markdown(figures: dict[str, Any]) -> str:
    """The page: errors before and after (figure 10), what must be true, decoders (figures 12, 13), photos."""
    lines = [
        "# Learning pose, shape, expression, skin and light without labels (paper 5)",
        "",
        f"Trained on pictures alone, {figures['scenes']:,} scenes of {figures['size']} pixels; errors are those on "
        f"{figures['held_out']} others, before the first batch -> after the last.",
        "",
        "| encoder | batches | training | ms/image | geometric (mm) | photometric | landmarks (px) | rotation | IoU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        before, after = row["before"], row["after"]
        cells = [
            row["title"],
            f"{row['steps']:,}",
            _time(row["hours"]),
            f"{row['milliseconds']:.1f}",
            f"{before['geometric']:.2f} -> {after['geometric']:.2f}",
            f"{before['photometric']:.3f} -> {after['photometric']:.3f}",
            f"{before['landmarks']:.1f} -> {after['landmarks']:.1f}",
            f"{after['degrees']:.1f}°",
            f"{100 * after['overlap']:.1f} %",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Geometric: mean distance of corresponding vertices of the face; the rotation counts, translation and scale",
        "do not. Photometric: mean distance in colour of the vertices that face the camera, channels 0..1.",
        "Landmarks: mean distance of 46 points, in pixels of a picture of 240. IoU: of what the two faces cover.",
        "",
        *bars_table(figures["bars"]),
        "",
        "![errors over the training](curves.png)",
        "",
        "![faces](faces.png)",
    ]
    if figures["decoders"]:
        lines += [
            "",
            "## The model as decoder, and decoders that are learned",
            "",
            "Over the pixels that both the true and the estimated face cover.",
            "",
            "| decoder | distance in colour | distance of edges |",
            "|---|---|---|",
        ]
        for name, values in figures["decoders"].items():
            lines.append(f"| {name} | {values['colour']:.4f} | {values['edges']:.4f} |")
        lines += ["", "![decoders](decoders.png)"]
    if figures["photos"]:
        lines += ["", *_photos(figures["photos"])]
    return "\n".join(lines) + "\n"


def _photos(photos: dict[str, Any]) -> list[str]:
    skipped = "; ".join(f"{count} {reason}" for reason, count in photos["skipped"].items())
    names = {
        "photometric": "photometric",
        "landmarks": "landmarks (px of 240), against the detector's",
        "geometric": "geometric, with rotation (mm)",
        "shape": "geometric, after similarity alignment (mm)",
        "degrees": "rotation (degrees)",
    }
    lines = [
        "## On photos",
        "",
        f"Trained on {photos['photos']:,} faces of {photos['source']}"
        + (f"; left out: {skipped}." if skipped else "."),
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    for key, text in names.items():
        if key in photos["after"]:
            lines.append(f"| {text} | {photos['before'][key]:.3f} | {photos['after'][key]:.3f} |")
    return lines


def _time(hours: float) -> str:
    return f"{hours:.2f} h" if hours >= 1 else f"{60 * hours:.1f} min"
