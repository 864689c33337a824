from __future__ import annotations

import pytest

pytest.importorskip("torch")

from training.recipes.command import _changed
from training.recipes.inverse.config import shipped as inverse
from training.recipes.joint.config import paper, shipped


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ("subspace=512", "subspace", 512),
        ("first_loss=900", "first_loss", 900.0),
        ("posed=0.1,45", "posed", (0.1, 45.0)),
        ("posed=none", "posed", None),
        ("reshape=0.25,30", "reshape", (0.25, 30.0)),
        ("grey=false", "grey", False),
        ("basis=fixed", "basis", "fixed"),
    ],
)
def test_a_value_is_set_whatever_its_kind(change: str, name: str, value: object) -> None:
    assert getattr(_changed(paper(), change), name) == value


def test_values_within_are_set_by_their_path() -> None:
    assert _changed(shipped(), "schedule.early=0.6,96").schedule.early == (0.6, 96)
    assert _changed(inverse(), "breed=none").breed is None


@pytest.mark.parametrize(("change", "said"), [("subspace", "NAME=VALUE"), ("space=1", "no space"), ("losses=1", "set")])
def test_what_cannot_be_set_is_said(change: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _changed(paper(), change)
