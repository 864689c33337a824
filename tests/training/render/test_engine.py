from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from training.render import engine  # noqa: E402
from training.render.engine import BlackPicture, DiskFull, NoPicture, NotFinite, configure, render_frame  # noqa: E402

SIZE = 16


@pytest.fixture
def scene() -> Iterator[bpy.types.Scene]:
    """A square, 1 m wide, 2 m before the camera, in white light."""
    with engine.quiet():
        bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    assert configure(scene, "cycles", SIZE, 1, 1) in (True, False)
    scene.view_layers[0].use_pass_z = True
    mesh = bpy.data.meshes.new("square")
    mesh.from_pydata(
        [(x, y, -2.0) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))], [], [(0, 1, 2, 3)]
    )
    for name, data in (("square", mesh), ("camera", bpy.data.cameras.new("camera"))):
        scene.collection.objects.link(bpy.data.objects.new(name, data))
    scene.camera = bpy.data.objects["camera"]
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    yield scene


def light(scene: bpy.types.Scene) -> bpy.types.NodeSocket:
    return scene.world.node_tree.nodes["Background"].inputs["Strength"]


def test_a_frame_is_a_picture_and_its_layers(scene: bpy.types.Scene, tmp_path: Path) -> None:
    frame = render_frame(scene, tmp_path / "frame.jpg")
    assert frame.picture.startswith(b"\xff\xd8")
    depth = frame.channels["ViewLayer.Depth.Z"]
    assert depth.shape == (SIZE, SIZE)
    assert depth[SIZE // 2, SIZE // 2] == pytest.approx(2.0)
    assert depth[0, 0] > 1e6


def test_faults_have_names(scene: bpy.types.Scene, tmp_path: Path) -> None:
    light(scene).default_value = 0.0
    with pytest.raises(BlackPicture, match="light"):
        render_frame(scene, tmp_path / "frame.jpg")
    light(scene).default_value = 1.0
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(NoPicture):
        render_frame(scene, blocked / "frame.jpg")


def test_what_is_no_number_is_no_picture() -> None:
    with pytest.raises(NotFinite):
        engine._check(np.array([0.5, np.nan], np.float32))


def test_a_full_disk_is_named(scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_FRAME_BYTES", 1 << 62)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(DiskFull, match="free some space"):
        render_frame(scene, blocked / "frame.jpg")


def test_an_engine_that_this_blender_lacks_is_named(scene: bpy.types.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine.ENGINES, "eevee", ("BLENDER_GAME",))
    with pytest.raises(ValueError, match="--engine"):
        configure(scene, "eevee", SIZE, 1, 1)


@pytest.mark.slow
def test_eevee_draws_and_gives_depth(scene: bpy.types.Scene, tmp_path: Path) -> None:
    assert configure(scene, "eevee", SIZE, 1, 1) is False
    frame = render_frame(scene, tmp_path / "frame.jpg")
    assert frame.channels["ViewLayer.Depth.Z"][SIZE // 2, SIZE // 2] == pytest.approx(2.0, abs=1e-3)
