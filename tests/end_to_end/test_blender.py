"""A photo through the operator, the real backend as a child process, and back into Blender, without a window."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundles import write_small_bundle

bpy = pytest.importorskip("bpy")
pytest.importorskip("onnxruntime")

import blender_addon  # noqa: E402  its register needs bpy
from tests.blender_addon.test_registration import state  # noqa: E402  needs bpy

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "docs" / "samples" / "eileen_collins.jpg"
KINDS = ("objects", "meshes", "materials", "node_groups", "shape_keys", "images", "cameras", "lights", "worlds")


def contents() -> dict[str, list[str]]:
    return {kind: [item.name for item in getattr(bpy.data, kind)] for kind in KINDS}


def heads() -> list[Any]:
    return [thing for thing in bpy.data.objects if "likeness_method" in thing]


def reconstruct(**options: Any) -> str:
    """Run the operator as a script would; return its failure's sentence, or "" where it has worked."""
    try:
        assert bpy.ops.likeness.reconstruct("EXEC_DEFAULT", True, **options) == {"FINISHED"}
    except RuntimeError as error:
        (sentence,) = str(error).strip().splitlines()
        return sentence.removeprefix("Error: ")
    return ""


@pytest.fixture(scope="module")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    return write_small_bundle(tmp_path_factory.mktemp("bundle") / "small")


@pytest.fixture
def bundle_folder(small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(small_bundle, tmp_path / "bundle"))
    monkeypatch.setenv("LIKENESS_BUNDLE", str(folder))
    return folder


@pytest.fixture
def addon(bundle_folder: Path) -> Iterator[Any]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_addon.register()
    from blender_addon.operators import running

    yield running
    blender_addon.unregister()
    assert running.server.pid is None


def test_a_file_becomes_a_head_and_undo_takes_it_back_in_one_step(addon: Any) -> None:
    bpy.ops.ed.undo_push(message="Before")
    before = contents()
    assert reconstruct(filepath=str(PHOTO)) == ""
    (head,) = heads()
    name = head.name
    assert head.users_collection[0].name == "eileen_collins"
    assert bpy.context.view_layer.objects.active == head and head.select_get()
    keys = head.data.shape_keys.key_blocks
    assert len(keys) == 1 + 6 + 52
    assert np.abs([key.value for key in keys[1:7]]).max() > 0.01
    assert not any(key.value for key in keys[7:])
    assert bpy.context.window_manager.likeness.provider == "CPUExecutionProvider"
    bpy.ops.ed.undo()
    assert contents() == before
    bpy.ops.ed.redo()
    assert [thing.name for thing in heads()] == [name]


def test_the_panels_image_is_used_and_the_backend_stays(addon: Any) -> None:
    image = bpy.data.images.load(str(PHOTO))
    bpy.context.scene.likeness.image = image
    assert reconstruct() == ""
    pid = addon.server.pid
    assert pid is not None
    image.pack()
    assert reconstruct(image=image.name) == ""
    assert addon.server.pid == pid
    first, second = (thing.data.shape_keys.key_blocks for thing in heads())
    assert [key.value for key in first] == [key.value for key in second], "the same picture, packed or not"


def test_the_head_is_the_decoders(addon: Any, bundle_folder: Path) -> None:
    assert reconstruct(filepath=str(PHOTO)) == ""
    (head,) = heads()
    with np.load(bundle_folder / "head.npz") as arrays:
        values = [key.value for key in head.data.shape_keys.key_blocks[1:7]]
        x, y, z = (arrays["mean"] + np.tensordot(values, arrays["identity"], 1)).T
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.array([vertex.co for vertex in mesh.vertices])
    assert np.abs(positions * 1000 - np.stack([x, -z, y], 1)).max() < 0.01


def write_empty(path: Path) -> None:
    path.touch()


def write_text(path: Path) -> None:
    path.write_text("This is not a picture.")


def write_wall(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (640, 480), (130, 120, 110)).save(path, "png")


def write_huge(path: Path) -> None:
    from PIL import Image

    Image.new("L", (20_000, 20_000), 120).save(path, "png")


def write_nothing(path: Path) -> None:
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("write", [write_empty, write_text, write_wall, write_huge, write_nothing])
def test_a_bad_photo_gives_a_sentence_and_changes_nothing(addon: Any, tmp_path: Path, write: Any) -> None:
    bad = tmp_path / "bad.png"
    write(bad)
    before = contents()
    sentence = reconstruct(filepath=str(bad))
    assert len(sentence) > 20 and sentence.endswith("."), sentence
    assert "Traceback" not in sentence
    assert contents() == before
    assert reconstruct(filepath=str(PHOTO)) == "", "the next click works"


def reconstruct_photos(folder: Path, *names: str, **options: Any) -> set[str]:
    files = [{"name": name} for name in names]
    call = bpy.ops.likeness.reconstruct_photos
    found: set[str] = call("EXEC_DEFAULT", True, directory=str(folder), files=files, **options)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos of the sample's face, one wall, one empty file, and what is no photo."""
    from PIL import Image, ImageOps

    photos = tmp_path / "photos"
    photos.mkdir()
    with Image.open(PHOTO) as photo:
        photo.save(photos / "a.jpg")
        ImageOps.mirror(photo).save(photos / "d.png")
    write_wall(photos / "b.png")
    write_empty(photos / "c.jpg")
    write_text(photos / "notes.txt")
    return photos


def test_a_folder_of_photos_of_which_some_fail(addon: Any, folder: Path) -> None:
    bpy.ops.ed.undo_push(message="Before")
    before = contents()
    assert reconstruct_photos(folder) == {"FINISHED"}
    results = bpy.context.window_manager.likeness.results
    assert [(one.name, one.failed) for one in results] == [
        ("a.jpg", False), ("b.png", True), ("c.jpg", True), ("d.png", False)
    ]  # fmt: skip
    assert "No face was found" in results[1].message and "empty" in results[2].message
    made = heads()
    assert len(made) == 2 and {thing["likeness_photo"] for thing in made} == {"a.jpg", "d.png"}
    assert (made[0].location - made[1].location).length > 0.2, "side by side"
    assert all(thing.select_get() for thing in made)
    bpy.ops.ed.undo()
    assert contents() == before, "one undo step"
    assert bpy.ops.likeness.clear_results() == {"FINISHED"} and not len(results)


def test_several_photos_of_one_person_become_one_head(addon: Any, folder: Path) -> None:
    assert reconstruct_photos(folder, "a.jpg", "d.png", one_person=True) == {"FINISHED"}
    (made,) = heads()
    cameras = [thing for thing in bpy.data.objects if thing.type == "CAMERA"]
    assert {view["likeness_photo"] for view in cameras} == {"a.jpg", "d.png"}
    assert {view.data.background_images[0].image.name for view in cameras} == {"a.jpg", "d.png"}
    values = [key.value for key in made.data.shape_keys.key_blocks[1:7]]
    single = []
    for name in ("a.jpg", "d.png"):
        assert reconstruct(filepath=str(folder / name)) == ""
        (other,) = set(heads()) - {made}
        single.append([key.value for key in other.data.shape_keys.key_blocks[1:7]])
        bpy.data.objects.remove(other)
    assert values == pytest.approx(np.mean(single, axis=0), abs=1e-4)


def test_when_all_photos_fail_nothing_changes(addon: Any, folder: Path) -> None:
    before = contents()
    with pytest.raises(RuntimeError, match="None of the 2 photos became a head; the first: No face was found"):
        reconstruct_photos(folder, "b.png", "c.jpg")
    assert contents() == before


def test_a_folder_without_photos(addon: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RuntimeError, match="holds no photos"):
        reconstruct_photos(tmp_path / "empty")


def test_a_face_and_a_box_can_be_chosen(addon: Any) -> None:
    assert reconstruct(filepath=str(PHOTO), face=0) == ""
    assert "face 3 was asked for" in reconstruct(filepath=str(PHOTO), face=3)
    assert reconstruct(filepath=str(PHOTO), box=(173.0, 73.0, 102.0, 102.0)) == ""
    assert "outside the picture" in reconstruct(filepath=str(PHOTO), box=(900.0, 0.0, 50.0, 50.0))


def test_the_photo_stands_upright_behind_the_head(addon: Any, tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(PHOTO) as photo:
        photo.crop((0, 0, 512, 400)).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif)
    assert reconstruct(filepath=str(tmp_path / "turned.jpg")) == ""
    (view,) = [thing for thing in bpy.data.objects if thing.type == "CAMERA"]
    assert tuple(view["likeness_image_size"]) == (512, 400)
    assert tuple(view.data.background_images[0].image.size) == (512, 400)


def test_the_backend_tells_how_it_is_and_can_be_stopped(addon: Any) -> None:
    assert bpy.ops.likeness.test_backend() == {"FINISHED"}
    state = bpy.context.window_manager.likeness
    assert state.provider == "CPUExecutionProvider" and 20 < state.memory < 4000
    assert addon.server.pid is not None
    assert bpy.ops.likeness.stop_backend() == {"FINISHED"}
    assert addon.server.pid is None and state.provider == ""
    assert not bpy.ops.likeness.stop_backend.poll()


def test_without_a_photo(addon: Any) -> None:
    assert reconstruct().startswith("Choose a photo first")
    assert reconstruct(image="nobody.png").startswith("The photo nobody.png is not")


@pytest.mark.parametrize("name", ["head.npz", "regressor.onnx", "bundle.json"])
def test_a_bundle_that_lacks_a_file_until_it_is_put_back(addon: Any, bundle_folder: Path, name: str) -> None:
    before = contents()
    (bundle_folder / name).rename(bundle_folder / "away")
    sentence = reconstruct(filepath=str(PHOTO))
    assert name in sentence and sentence.endswith(".")
    assert contents() == before
    (bundle_folder / "away").rename(bundle_folder / name)
    assert reconstruct(filepath=str(PHOTO)) == ""


@pytest.mark.parametrize("name", ["head.npz", "regressor.onnx"])
def test_a_bundle_with_a_wrong_hash(addon: Any, bundle_folder: Path, name: str) -> None:
    assert reconstruct(filepath=str(PHOTO)) == ""
    before = contents()
    data = (bundle_folder / name).read_bytes()
    (bundle_folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    sentence = reconstruct(filepath=str(PHOTO))
    assert f"{name} is damaged" in sentence
    assert contents() == before
    (bundle_folder / name).write_bytes(data)
    assert reconstruct(filepath=str(PHOTO)) == ""


def test_a_backend_killed_between_two_clicks(addon: Any) -> None:
    assert reconstruct(filepath=str(PHOTO)) == ""
    os.kill(addon.server.pid, signal.SIGKILL)
    assert reconstruct(filepath=str(PHOTO)) == ""


def test_a_backend_killed_in_the_middle(addon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from blender_addon.client import Client

    assert reconstruct(filepath=str(PHOTO)) == ""
    before = contents()
    pid, ask = addon.server.pid, Client.reconstruct

    def killed(client: Client, *args: Any, **options: Any) -> Any:
        os.kill(pid, signal.SIGSTOP)  # so that the photo is on its way when it dies
        child = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({pid}, 9)"])
        try:
            return ask(client, *args, **options)
        finally:
            child.wait()

    with monkeypatch.context() as patch:
        patch.setattr(Client, "reconstruct", killed)
        sentence = reconstruct(filepath=str(PHOTO))
    assert sentence.startswith("The backend stopped while it worked")
    assert contents() == before
    assert reconstruct(filepath=str(PHOTO)) == ""


def test_nothing_is_left_behind_after_use(bundle_folder: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    before = state()
    blender_addon.register()
    from blender_addon.operators import running

    assert reconstruct(filepath=str(PHOTO)) == ""
    pid = running.server.pid
    assert pid is not None
    blender_addon.unregister()
    assert state() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_backend_ends_with_blender(bundle_folder: Path, tmp_path: Path) -> None:
    """However Blender ends: here without a chance to clean up."""
    program = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
import bpy, blender_addon
blender_addon.register()
bpy.ops.likeness.reconstruct(filepath={str(PHOTO)!r})
from blender_addon.operators import running
print("PID", running.server.pid, flush=True)
os._exit(1)
"""
    environment = os.environ | {"LIKENESS_BUNDLE": str(bundle_folder)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    (pid,) = (int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("PID "))
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
