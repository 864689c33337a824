from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.training.recipes.components.toy import toy, write_toy_heads, write_toy_objects
from training.evaluation.components import rmse, vertex_errors
from training.recipes.components import linear
from training.recipes.components.report.closed_form import closed_form


def test_the_short_way_gives_what_the_equations_give_on_all_numbers(tmp_path: Path) -> None:
    _, pairs, split = toy(write_toy_heads(tmp_path))
    found = closed_form(pairs, split)
    known, asked = pairs.of(split.training), pairs.of(split.test)
    X, X_test = (pairs.images[p].reshape(len(p), -1).T.astype(np.float64) / 255 for p in (known, asked))
    low = pairs.shapes[split.training].min((0, 1))
    span = pairs.shapes[split.training].max((0, 1)) - low
    vectors = ((pairs.shapes - low) / span).reshape(len(pairs.shapes), -1).T.astype(np.float64)
    Z, Z_test = (vectors[:, pairs.owner[p]] for p in (known, asked))
    bases = linear.basis(X, 60), linear.basis(vectors[:, split.training], 98)
    for name, model in (
        ("low dimensional", linear.low_dimensional(*bases, X, Z)),
        ("direct", linear.direct(X, Z)),
    ):
        estimate = model.reconstruct(X_test)
        assert found[name]["rmse"] == pytest.approx(rmse(estimate.T, Z_test.T), rel=0.02)
        shapes = estimate.T.reshape(len(asked), -1, 3) * span + low
        errors = vertex_errors(shapes[:, pairs.region], pairs.shapes[pairs.owner[asked]][:, pairs.region])
        assert found[name]["face mm"] == pytest.approx(errors.mean(), rel=0.02)
    mean = np.repeat(vectors[:, split.training].mean(1, keepdims=True), len(asked), 1)
    assert found["mean shape"]["rmse"] == pytest.approx(rmse(mean.T, Z_test.T), rel=1e-4)


def test_objects_are_measured_for_every_share(tmp_path: Path) -> None:
    _, pairs, split = toy(write_toy_objects(tmp_path))
    found = closed_form(pairs, split)
    rows = {row["share"]: row for row in found["shares"]}
    assert set(rows) >= {0.25, 1.0}
    assert rows[1.0]["pairs"] == len(pairs.of(split.training))
    assert rows[1.0]["direct"]["rmse"] == found["direct"]["rmse"]
    assert rows[0.25]["low dimensional, length chosen"]["rmse"] > rows[1.0]["low dimensional, length chosen"]["rmse"]
    assert 0 < found["mean shape"]["iou"] < found["low dimensional, length chosen"]["iou"] < 1
