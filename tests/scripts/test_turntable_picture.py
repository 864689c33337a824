from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.bundles import write_small_bundle

pytest.importorskip("bpy")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]


def test_the_picture_shows_the_photo_and_the_head_from_every_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("turntable_picture", ROOT / "scripts" / "turntable_picture.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "PANEL", (40, 48))
    monkeypatch.setattr(script, "ANGLES", (0.0, 90.0))
    monkeypatch.setattr(script, "TEXTURE", 1024)
    output = tmp_path / "turntable.jpg"
    bundle = write_small_bundle(tmp_path / "bundle")
    monkeypatch.setattr(sys, "argv", ["turntable_picture.py", "--output", str(output), "--bundle", str(bundle)])
    assert script.main() == 0
    with Image.open(output) as image:
        assert image.size == (3 * 40, 48)
        sides = [image.crop((40 * k, 0, 40 * (k + 1), 48)).tobytes() for k in range(3)]
    assert len(set(sides)) == 3
