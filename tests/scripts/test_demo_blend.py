from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.bundles import write_small_bundle

bpy = pytest.importorskip("bpy")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_holds_a_head_that_smiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("demo_blend", ROOT / "scripts" / "demo_blend.py")
    assert spec is not None and spec.loader is not None
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    output = tmp_path / "demo.blend"
    bundle = write_small_bundle(tmp_path / "bundle")
    monkeypatch.setattr(sys, "argv", ["demo_blend.py", "--output", str(output), "--bundle", str(bundle)])
    assert demo.main() == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix.startswith(".blend")] == [output.name]
    bpy.ops.wm.open_mainfile(filepath=str(output))
    scene = bpy.context.scene
    head = next(thing for thing in bpy.data.objects if "likeness_method" in thing)
    keys = head.data.shape_keys.key_blocks
    markers = {marker.name: marker.frame for marker in scene.timeline_markers}
    assert {"Smile", "Surprise", "Wink"} <= set(markers) and scene.frame_end > max(markers.values())
    assert keys["mouthSmileLeft"].value > 0.5, "the file opens at the smile"
    scene.frame_set(markers["Smile"])
    assert keys["mouthSmileLeft"].value == 0.0
    assert scene.camera is not None and any(thing.type == "LIGHT" for thing in bpy.data.objects)
