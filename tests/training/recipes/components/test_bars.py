from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from training.recipes.components.report.bars import bars


def part(few: float, many: float, poses: float) -> dict[str, Any]:
    closed = {"rmse": 0.5, "norm": 5.0}
    row = {"share": 1.0, "direct": {"rmse": 0.6}, "low dimensional": {"rmse": 0.5}}
    row["low dimensional, length chosen"] = {"rmse": 0.7}
    return {
        "kind": "heads",
        "closed form": {"low dimensional": closed, "shares": [row]},
        "forms": {"Lin - FF - Lin": {"rmse": 0.45}, "Conv - FF - Lin": {"rmse": 0.46}},
        "shares": [
            {"share": 0.05, "pretrained": True, "rmse": few},
            {"share": 0.25, "pretrained": False, "rmse": many},
            {"share": 0.25, "pretrained": True, "rmse": 0.1},
        ],
        "best": {"face mm": 1.5, "pose invariant": poses},
        "controls": {"mean shape": {"face mm": 2.0}},
    }


def test_bars_say_what_is_met_and_what_is_not() -> None:
    found = {one["bar"]: one["met"] for one in bars(part(0.3, 0.31, 0.94))}
    assert list(found.values()) == [True, False, True, False, True, True, False]
    found = {one["bar"]: one["met"] for one in bars(part(0.32, 0.31, 0.95))}
    assert list(found.values())[-3:] == [False, True, True]
