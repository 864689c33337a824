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

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "docs" / "samples" / "eileen_collins.jpg"
KINDS = ("objects", "meshes", "materials", "node_groups", "shape_keys", "images", "cameras", "lights", "worlds")


def contents() -> dict[str, list[str]]:
    return {kind: [item.name for item in getattr(bpy.data, kind)] for kind in KINDS}


def heads() -> list[Any]:
    return [thing for thing in bpy.data.objects if "likeness_method" in thing]


def reconstruct(**options: str) -> str:
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
