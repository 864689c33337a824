from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import small_head, write_small_bundle
from tests.training.export.test_sliders import Waves
from tests.training.toy_faces import toy_template
from training.evaluation.named_sliders import as_table, measure, of_bundle
from training.export.sliders import named_sliders
from training.template import Template

PEOPLE = 150


def test_a_slider_that_moves_another_along_is_seen() -> None:
    columns = small_head(identity=40, reflectance=0)["identity"].astype(np.float32) * 0.2
    people = Waves(Template.from_arrays(toy_template()), columns)
    mean = people.template.mean
    good = named_sliders(mean, columns, people, np.random.default_rng(0), PEOPLE)
    own = good.names.index("Nose Width")
    directions = good.directions.copy()
    directions[own] += 0.5 * directions[good.names.index("Jaw Width")]
    before, after = (
        measure(sliders, mean, columns, people, np.random.default_rng(1), PEOPLE)[own]
        for sliders in (good, replace(good, directions=directions))
    )
    assert before.ratio > 3.0
    assert after.other_name == "Jaw Width" and after.ratio < 3.0
    head, rule, row = as_table((after,)).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") and "Nose Width" in row


def test_a_bundle_without_sliders_is_told_so(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    sliders, mean, columns = of_bundle(write_small_bundle(tmp_path / "with"))
    assert sliders.directions.shape == (len(sliders.names), len(columns)) and mean.shape == columns.shape[1:]
    with pytest.raises(ValueError, match="--population"):
        of_bundle(write_small_bundle(tmp_path / "without", sliders=False))
