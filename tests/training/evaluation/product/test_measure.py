from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.evaluation.product.measure import Row, _normalised, correlations, figures, groups
from training.evaluation.product.table import tables

ACTIONS = ("jawOpen", "mouthSmileLeft")


def _row(error: float, found: bool = True, acted: float = 0.0, seen: bool = True, **parameters: Any) -> Row:
    traits = {"age": 30.0, "female": 0.9, "african": 0.1, "asian": 0.8, "caucasian": 0.1}
    known = {
        "identity": {"population": "anny", "traits": traits}, "skin": {"melanin": 0.6}, "yaw": -20.0,
        "beard": {"style": "none"}, "glasses": None,
    }  # fmt: skip
    actions = np.array([acted, 0.0])
    return Row(
        known | parameters, found, error, 2.0, 0.7 if found else np.nan, 0.03, actions, actions, np.array([seen, True])
    )


def test_a_face_that_is_not_found_counts_as_the_control() -> None:
    rows = [_row(1.0), _row(2.0, found=False), _row(3.0)]
    found = figures(rows)
    assert found.found == pytest.approx(2 / 3)
    assert found.ratio == pytest.approx(1.0)
    assert found.worse == pytest.approx(1 / 3)
    assert found.inside == pytest.approx(0.7)


def test_people_are_told_apart_by_what_is_asked_about() -> None:
    rows = [_row(1.0), _row(1.0, yaw=70.0, glasses={"shape": "round"}), _row(1.0, beard={"style": "full"})]
    found = {table: {name: len(part) for name, part in parts.items()} for table, parts in groups(rows).items()}
    assert found["yaw"] == {"15-30°": 2, "60-90°": 1}
    assert found["glasses"] == {"no": 2, "yes": 1}
    assert found["beard"] == {"no": 2, "yes": 1}
    assert found["skin"] == {"3 dark": 3} and found["sex"] == {"female": 3} and found["ancestry"] == {"asian": 3}


def test_actions_that_hardly_vary_are_not_counted() -> None:
    rows = [_row(1.0, acted=value) for value in (0.0, 0.5, 1.0)]
    found = correlations(rows)
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1])
    text = tables(rows, ACTIONS)
    assert "1.00 on average over the 1 that vary" in text
    assert "| **all** | 3 | 1.000 | 2.000 | **0.500** | 0 % | 70 % | 3.00 % |" in text


def test_actions_count_where_pictures_could_show_them() -> None:
    shown = [_row(1.0, acted=value / 40) for value in range(40)]
    hidden = [replace(_row(1.0, acted=0.9, seen=False), expression=np.zeros(2)) for _ in range(40)]
    assert correlations(shown + hidden)[0] < 0.5
    assert correlations(shown + hidden, visible=True)[0] == pytest.approx(1.0)
    assert np.isnan(correlations(shown[:20], visible=True)[0])
    assert "Over the pictures that could show them, 1.00 on average over 1." in tables(shown + hidden, ACTIONS)


def test_a_constant_offset_of_a_point_is_a_convention() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(20, 8, 2))
    truth[:, 0], truth[:, 3] = (0, 0), (1, 0)
    turn = rng.uniform(-0.5, 0.5, 20)
    spin = np.stack([np.stack([np.cos(turn), -np.sin(turn)], 1), np.stack([np.sin(turn), np.cos(turn)], 1)], 1)
    offset = rng.normal(size=(8, 2)) * 0.1
    found = 100 * np.einsum("nij,npj->npi", spin, truth + offset)
    plain, corrected = _normalised(found, 100 * np.einsum("nij,npj->npi", spin, truth))
    np.testing.assert_allclose(plain, np.linalg.norm(offset, axis=1).mean())
    np.testing.assert_allclose(corrected, 0, atol=1e-9)


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from likeness.cli import main

    pytest.importorskip("onnxruntime")
    assert main(["evaluate", "default"]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["evaluate", "default", "--data", str(tmp_path)]) == 2
    assert "likeness render" in capsys.readouterr().err
