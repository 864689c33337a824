"""Relief on the skin: in the file, in the materials, and in exported copies."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.png import deep_png
from blender_addon.bundle import Bundle
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

from blender_addon import detail, export, material, result  # noqa: E402  needs bpy
from blender_addon.result import Shot  # noqa: E402

SIDE = 16
TILT = (42000, 30000, 60000)


def encoded(values: np.ndarray) -> str:
    return base64.b64encode(deep_png(values.astype(np.uint16))).decode()


@pytest.fixture
def made(scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Any:
    maps = {
        "side": SIDE,
        "range_mm": 4.0,
        "normal": encoded(np.full((SIDE, SIDE, 3), TILT)),
        "displacement": encoded(np.full((SIDE, SIDE), 33000)),
    }
    answer = Reconstruction.from_answer(make_answer(detail=maps), bundle)
    return result.add(scene, scene.collection, bundle, [Shot(answer, "me.jpg")]).head


def skin_of(head: Any) -> Any:
    return next(slot for slot in head.data.materials if slot[material.KIND] == "skin")


def test_the_normal_map_bends_the_skin_below_its_pores(made: Any) -> None:
    nodes = skin_of(made).node_tree.nodes
    bent = next(node for node in nodes if node.type == "NORMAL_MAP")
    assert bent.uv_map == material.UV and bent.inputs["Color"].is_linked
    (link,) = bent.outputs["Normal"].links
    assert link.to_node.type == "BUMP" and link.to_node.outputs["Normal"].is_linked


def test_the_pictures_are_inside_the_file_and_sixteen_bits_deep(made: Any, tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    image = detail.of(bpy.data.objects["Head"])
    assert image.packed_file is not None and image.colorspace_settings.name == "Non-Color"
    pixels = np.empty(4 * SIDE * SIDE, np.float32)
    image.pixels.foreach_get(pixels)
    assert pixels[:3] == pytest.approx(np.array(TILT) / 65535, abs=2e-5)
    heights = bpy.data.images[detail.DISPLACEMENT]
    assert heights.packed_file is not None and heights[detail.RANGE] == 4.0


def test_a_slider_says_how_strong_it_is(made: Any) -> None:
    strength = detail.strength(made)
    assert strength.default_value == 1.0
    strength.default_value = 0.25
    assert detail.strength(made).default_value == 0.25


def test_a_head_without_relief_has_no_slider(
    scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]
) -> None:
    answer = Reconstruction.from_answer(make_answer(), bundle)
    head = result.add(scene, scene.collection, bundle, [Shot(answer, "me.jpg")]).head
    assert detail.strength(head) is None and detail.of(head) is None


def test_gltf_carries_map_and_strength(made: Any, tmp_path: Path) -> None:
    detail.strength(made).default_value = 0.5
    export.write(made, tmp_path / "head.glb")
    data = (tmp_path / "head.glb").read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    told = [one for one in json.loads(data[20 : 20 + length])["materials"] if "normalTexture" in one]
    assert told and told[0]["normalTexture"]["scale"] == pytest.approx(0.5)
    assert detail.of(made) is not None, "the head keeps its own materials"


def test_fbx_carries_the_map(made: Any, tmp_path: Path) -> None:
    export.write(made, tmp_path / "head.fbx")
    assert b"NormalMap" in (tmp_path / "head.fbx").read_bytes()
