"""The report in words."""

from __future__ import annotations

from typing import Any

import numpy as np


def markdown(record: dict[str, Any]) -> str:
    """The report as Markdown, from what stands in `report.json`."""
    lines = [
        "# Three components: the report",
        "",
        f"Study `{record['study']}`. Splits are by thing: no thing that is measured on was seen in training. RMSE is",
        "per number of a shape vector: occupancies of a 30^3 grid, or coordinates scaled to 0..1 over the training",
        "heads; the norm is the paper's eq. 12, the root of the mean squared length of the whole difference.",
        "",
    ]
    for title, part in record["data"].items():
        lines += [f"## {title}", "", _facts(part), "", *_bars(part)]
        lines += _closed_form(part) + _forms(part) + _shares(part)
        if part["kind"] == "objects":
            lines += _voxels(part)
        else:
            lines += _heads(part)
    lines += ["![Error over the share of labelled pairs](shares.png)", ""]
    return "\n".join(lines)


def _facts(part: dict[str, Any]) -> str:
    return f"{part['pictures']} pictures of {part['things']} things, {part['test things']} of them only measured on."


def _bars(part: dict[str, Any]) -> list[str]:
    rows = [[one["bar"], one["figures"], "yes" if one["met"] else "**no**"] for one in part["bars"]]
    return _table(["what must be", "found", "met"], rows)


def _closed_form(part: dict[str, Any]) -> list[str]:
    found, extra = part["closed form"], _extra(part)
    names = ("low dimensional", "low dimensional, length chosen", "direct", "mean shape")
    rows = [(name, found[name]) for name in names if name in found]
    lines = ["### Table 2: closed form", ""]
    lines += _table(
        ["least squares", "rmse", "norm", extra], [[n, *_cells(r, ["rmse", "norm", extra])] for n, r in rows]
    )
    shares = [
        [f"{100 * row['share']:g} %", str(row["pairs"]), *(f"{row[name]['rmse']:.4f}" for name in names[:3])]
        for row in found["shares"]
    ]
    lines += _table(["labelled pairs, RMSE", "number", *names[:3]], shares)
    chosen = ", ".join(f"{row['length']} for {100 * row['share']:g} %" for row in found["shares"])
    return [*lines, f"Lengths of the picture's code: the paper's 60, or chosen on held-out pairs: {chosen}.", ""]


def _forms(part: dict[str, Any]) -> list[str]:
    lines = ["### Table 1: forms of the three components", ""]
    columns, found = ["rmse", "norm", _extra(part)], part["closed form"]
    rows = {"Mean shape": found["mean shape"], "Lin - Lin - Lin (least squares)": found["low dimensional"]}
    return lines + _table(["form", *columns], [[n, *_cells(r, columns)] for n, r in (rows | part["forms"]).items()])


def _extra(part: dict[str, Any]) -> str:
    return "iou" if part["kind"] == "objects" else "face mm"


def _shares(part: dict[str, Any]) -> list[str]:
    lines = ["### How little labelled data is enough", ""]
    rows = []
    for share in sorted({run["share"] for run in part["shares"]}):
        row = [f"{100 * share:g} %"]
        for pretrained in (True, False):
            found = [run["rmse"] for run in part["shares"] if run["share"] == share and run["pretrained"] == pretrained]
            spread = f" ± {np.std(found):.4f}" if len(found) > 1 else ""
            row.append(f"{np.mean(found):.4f}{spread}")
        rows.append(row)
    return lines + _table(["labelled pairs", "pre-trained, RMSE", "from scratch, RMSE"], rows)


def _voxels(part: dict[str, Any]) -> list[str]:
    lines = ["### Voxel IoU on unseen renders", ""]
    rows = {"**ours**": part["best"], **part["controls"]}
    kinds = sorted(part["best"]["iou by kind"])
    table = [
        [name, f"{row['iou']:.3f}", *(f"{row['iou by kind'][kind]:.3f}" for kind in kinds)]
        for name, row in rows.items()
    ]
    note = '"Nearest shape" is the training shape most like the true one: a bound for looking up, not a method.'
    return lines + _table(["", "all", *kinds], table) + [note, ""]


def _heads(part: dict[str, Any]) -> list[str]:
    best, control = part["best"], part["controls"]["mean shape"]
    lines = ["### Heads", ""]
    rows = [["estimate", f"{best['face mm']:.2f} mm"], ["mean head", f"{control['face mm']:.2f} mm"]]
    lines += _table(["", "mean distance over the face, in head space"], rows)
    if "pose invariant" in best:
        share = 100 * best["pose invariant"]
        lines += [
            f"Pose invariance: in {share:.1f} % of the test subjects the shapes from all poses lie nearer to each",
            "other than to any other subject's.",
            "",
        ]
    return lines


def _cells(row: dict[str, Any], columns: list[str]) -> list[str]:
    return [f"{row[column]:.4f}" if column in row else "–" for column in columns]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]
