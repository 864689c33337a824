from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from tests.bundles import ARKIT_NAMES

bpy = pytest.importorskip("bpy")

from blender_addon import head, headless, preview  # noqa: E402  needs bpy

MakeAnswer = Callable[..., dict[str, Any]]


def gltf(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a .glb (glTF 2.0, section 4.4)."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


COMPONENTS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}


def positions(document: dict[str, Any], binary: bytes, accessor: int) -> np.ndarray:
    described = document["accessors"][accessor]
    count = described["count"]

    def numbers(part: dict[str, Any], kind: int, length: int) -> np.ndarray:
        start = document["bufferViews"][part["bufferView"]].get("byteOffset", 0) + part.get("byteOffset", 0)
        return np.frombuffer(binary, COMPONENTS[kind], length, start)

    if "bufferView" in described:
        found = numbers(described, 5126, 3 * count).reshape(-1, 3).copy()
    else:
        found = np.zeros((count, 3), np.float32)
    if sparse := described.get("sparse"):
        rows = numbers(sparse["indices"], sparse["indices"]["componentType"], sparse["count"])
        found[rows] = numbers(sparse["values"], 5126, 3 * sparse["count"]).reshape(-1, 3)
    return found


def test_blend(bundle_folder: Path, bundle: Bundle, make_answer: MakeAnswer, tmp_path: Path) -> None:
    headless.build_file(bundle_folder, make_answer(), tmp_path / "new" / "head.blend", Path("me.jpg"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "new" / "head.blend"))
    made = bpy.data.objects["Head"]
    assert head.is_head(made)
    assert len(made.data.shape_keys.key_blocks) == 1 + len(bundle.identity) + 52
    scene = bpy.context.scene
    assert scene.camera is not None
    assert (scene.render.resolution_x, scene.render.resolution_y) == (640, 480)
    assert made[head.PHOTO] == "me.jpg"
    assert any(thing.type == "LIGHT" for thing in scene.objects), "studio lights, where the photo's is not known"


def test_the_photos_light_is_the_world_where_it_is_told(
    bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path
) -> None:
    from blender_addon import illumination

    light = [[3.0, 2.5, 2.0]] + [[0.1, 0.0, -0.1]] * 8
    headless.build_file(bundle_folder, make_answer(illumination=light), tmp_path / "head.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    assert bpy.context.scene.world.name == illumination.NAME
    assert not any(thing.type == "LIGHT" for thing in bpy.context.scene.objects)


def test_glb_has_the_baked_identity_and_named_targets(
    bundle_folder: Path, bundle: Bundle, make_answer: MakeAnswer, tmp_path: Path
) -> None:
    answer = make_answer()
    headless.build_file(bundle_folder, answer, tmp_path / "head.glb")
    document, binary = gltf(tmp_path / "head.glb")
    (mesh,) = document["meshes"]
    assert mesh["extras"]["targetNames"] == list(ARKIT_NAMES)
    assert [node["name"] for node in document["nodes"] if "mesh" in node] == ["Head"]
    vertices = bundle.mean + np.tensordot(np.float32(answer["identity"]), bundle.identity, 1)
    moved = np.abs(bundle.expression[ARKIT_NAMES.index("jawOpen")]).sum()
    found, found_moved = [], 0.0
    for primitive in mesh["primitives"]:
        assert len(primitive["targets"]) == 52
        found.append(positions(document, binary, primitive["attributes"]["POSITION"]))
        target = primitive["targets"][ARKIT_NAMES.index("jawOpen")]["POSITION"]
        found_moved += np.abs(positions(document, binary, target)).sum()
    points = np.concatenate(found) * 1000  # glTF is y up, as head space is
    distance = np.abs(points[:, None] - vertices[None]).max(axis=2).min(axis=1)
    assert distance.max() < 0.01
    assert found_moved > 0.5 * moved / 1000


@pytest.mark.parametrize("ending", [".fbx", ".obj"])
def test_other_formats_can_be_read_again(
    bundle_folder: Path, bundle: Bundle, make_answer: MakeAnswer, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"head{ending}"
    headless.build_file(bundle_folder, make_answer(), path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if ending == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.wm.obj_import(filepath=str(path))
    (mesh,) = bpy.data.meshes
    assert len(mesh.vertices) == len(bundle.mean)
    assert len(mesh.polygons) == len(bundle.quads)
    if ending == ".fbx":
        assert {key.name for key in mesh.shape_keys.key_blocks} >= set(ARKIT_NAMES)


def test_only_the_head_is_left_after_an_export(bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path) -> None:
    headless.build_file(bundle_folder, make_answer(), tmp_path / "head.obj")
    assert [thing.name for thing in bpy.data.objects if thing.type == "MESH"] == ["Head"]
    assert len(bpy.data.meshes) == len(bpy.data.shape_keys) == 1


def test_an_ending_that_is_not_known(bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        headless.build_file(bundle_folder, make_answer(), tmp_path / "head.stl")
    assert caught.value.code == "output_ending"


def test_a_folder_that_cannot_be_written_to(bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure) as caught:
        headless.build_file(bundle_folder, make_answer(), tmp_path / "file" / "head.blend")
    assert caught.value.code == "output_failed"


@pytest.mark.slow
def test_the_preview_shows_photo_and_head(bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (640, 480), (10, 200, 30)).save(photo)
    headless.build_file(bundle_folder, make_answer(), tmp_path / "head.blend", photo, tmp_path / "preview.png")
    with Image.open(tmp_path / "preview.png") as picture:
        pixels = np.asarray(picture).astype(int)
    width, height = preview.PANEL
    assert pixels.shape == (height, 3 * width, 3)
    assert np.abs(pixels[height // 2, width // 2] - [10, 200, 30]).max() <= 2
    for panel in (1, 2):
        middle = pixels[height // 2, panel * width + width // 2]
        assert middle[0] > max(middle[2], 120), "lit skin; what is behind is dark and blue"


@pytest.mark.slow
def test_a_preview_without_photo_and_pose(bundle_folder: Path, make_answer: MakeAnswer, tmp_path: Path) -> None:
    answer = make_answer()
    for name in ("rotation", "translation", "focal", "landmarks68_2d", "face_box"):
        del answer[name]
    headless.build_file(bundle_folder, answer, tmp_path / "head.blend", None, tmp_path / "preview.png")
    with Image.open(tmp_path / "preview.png") as picture:
        assert picture.size == (2 * preview.PANEL[0], preview.PANEL[1])
