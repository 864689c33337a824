from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.bundles import write_small_bundle
from tests.training.toy_faces import write_toy_faces

pytest.importorskip("bpy")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]


def test_the_picture_shows_photo_overlay_and_turned_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("gallery_picture", ROOT / "scripts" / "gallery_picture.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "PANEL", (40, 48))
    output, bundle = tmp_path / "gallery.jpg", write_small_bundle(tmp_path / "bundle")
    data = write_toy_faces(tmp_path / "data", count=2)
    words = [
        "gallery_picture.py",
        "--data",
        str(data),
        "--count",
        "1",
        "--output",
        str(output),
        "--bundle",
        str(bundle),
    ]
    monkeypatch.setattr(sys, "argv", [*words, "--bundle", str(bundle)])
    assert script.main() == 0
    with Image.open(output) as image:
        pixels = np.asarray(image, int)
    panels = [pixels[:, 40 * k : 40 * (k + 1)] for k in range(3)]
    # The corners of the overlay are the photo's, those of the turned head the background's.
    assert np.abs(panels[1][:3, :3] - panels[0][:3, :3]).mean() < 8
    assert np.abs(panels[1] - panels[0]).mean() > 8
    strips = [np.full((4, 6, 3), 10 * k, np.uint8) for k in range(1, 5)]
    whole = script.compose(strips)
    assert whole.shape == (2 * 4 + script.GAP, 3 * 6 + 2 * script.GAP, 3)
    assert (whole[0, 0] == 10).all() and (whole[-1, 0] == 40).all() and (whole[-1, -1] == 255).all()
