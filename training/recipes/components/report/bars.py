"""What the recipe must do, and whether it does: each bar with the figures that answer it."""

from __future__ import annotations

from typing import Any

import numpy as np

# The shares of labels that the paper's promise is held to: pre-trained with the first, from scratch with the second.
FEW, MANY = 0.05, 0.25
_POSES = 0.95


def bars(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Of one folder's part of the report: the bar in words, the figures in words, whether it is met."""
    found = _table_2(part["closed form"]) + _table_1(part) + _shares(part["shares"])
    if part["kind"] == "objects":
        ours = part["best"]["iou"]
        for name in ("mean shape", "mean shape of the true kind", "nearest picture", "nearest shape"):
            other = part["controls"][name]["iou"]
            found.append(_bar(f"voxel IoU above that of the {name}", ours > other, f"{ours:.3f} against {other:.3f}"))
        return found
    ours, mean = part["best"]["face mm"], part["controls"]["mean shape"]["face mm"]
    found.append(_bar("error over the face below the mean head's", ours < mean, f"{ours:.2f} against {mean:.2f} mm"))
    if "pose invariant" in part["best"]:
        share = part["best"]["pose invariant"]
        text = f"{100 * share:.1f} % of the subjects"
        found.append(_bar(f"all poses nearer to each other than to another in {_POSES:.0%}", share >= _POSES, text))
    return found


def _table_2(found: dict[str, Any]) -> list[dict[str, Any]]:
    result = []
    for row in found["shares"]:
        direct = row["direct"]["rmse"]
        for name in ("low dimensional", "low dimensional, length chosen"):
            ours = row[name]["rmse"]
            words = f"least squares, {100 * row['share']:g} % of the pairs: {name} below direct"
            result.append(_bar(words, ours < direct, _against(ours, direct)))
    return result


def _table_1(part: dict[str, Any]) -> list[dict[str, Any]]:
    linear = part["closed form"]["low dimensional"]["rmse"]
    rows = {name: row["rmse"] for name, row in part["forms"].items()}
    mapped = {name: error for name, error in rows.items() if name.startswith("Lin")}
    convolutional = {name: error for name, error in rows.items() if name.startswith("Conv")}
    result = []
    for name, error in mapped.items():
        result.append(_bar(f"{name} below the linear mapping", error < linear, _against(error, linear)))
    if mapped and convolutional:
        best, other = min(convolutional, key=lambda name: convolutional[name]), min(linear, *mapped.values())
        words = f"a convolutional encoder ({best}) below both"
        result.append(_bar(words, convolutional[best] < other, _against(convolutional[best], other)))
    return result


def _shares(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    few = [run["rmse"] for run in runs if run["pretrained"] and run["share"] == FEW]
    many = [run["rmse"] for run in runs if not run["pretrained"] and run["share"] == MANY]
    if not few or not many:
        return []
    ours, other = float(np.mean(few)), float(np.mean(many))
    words = f"pre-trained with {FEW:.0%} of the labels at least as good as from scratch with {MANY:.0%}"
    return [_bar(words, ours <= other, _against(ours, other))]


def _against(ours: float, other: float) -> str:
    return f"RMSE {ours:.4f} against {other:.4f}"


def _bar(words: str, met: bool, figures: str) -> dict[str, Any]:
    return {"bar": words, "met": bool(met), "figures": figures}
