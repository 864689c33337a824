"""What a person does with the panel, and what they must see; run by test_panel.py inside a Blender with a window."""

from __future__ import annotations

import json
import math
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler

PHOTO, OUTPUT = (Path(word) for word in sys.argv[sys.argv.index("--") + 1 :])
sys.path.insert(0, str(Path(__file__).parent))

from driver import Driver, Steps  # noqa: E402  its folder is not on the path before

ANSWER_SECONDS = 200.0
CANCEL_SECONDS = 1.0
PATIENCE = 10.0  # for Blender to answer a click
DRAW_SECONDS = 900.0
ARKIT_KEYS = 52


def heads() -> list[bpy.types.Object]:
    return [thing for thing in bpy.data.objects if "likeness_method" in thing]


def state() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.likeness


def backend() -> int:
    """The process number of the running backend."""
    (module,) = (sys.modules[name] for name in sys.modules if name.endswith("likeness.blender_addon.operators.running"))
    return int(module.running.server.pid)


def values() -> list[float]:
    return [key.value for key in heads()[0].data.shape_keys.key_blocks]


def slider() -> str:
    """The first of the face's sliders: a named one, or a component where the model has no names."""
    named = "likeness_slider_names" in heads()[0]
    return "likeness.slider_00" if named else 'key_blocks["identity000"].value'


def finished() -> Iterator[float]:
    """Wait; the stages that were shown are kept."""
    deadline = time.monotonic() + ANSWER_SECONDS
    STAGES.clear()
    while state().running:
        assert time.monotonic() < deadline, f"no end after {ANSWER_SECONDS} s; stages: {STAGES}"
        STAGES.add(state().stage)
        yield 0.05


STAGES: set[str] = set()


def view_middle(driver: Driver) -> Iterator[float]:
    view = driver.region("WINDOW")
    yield from driver.move(view.x + view.width / 3, view.y + view.height / 2)


def undo(driver: Driver, *, redo: bool = False) -> Iterator[float]:
    yield from view_middle(driver)
    yield from driver.press("Z", ctrl=True, shift=redo)
    yield 1.0


def started(driver: Driver, what: str) -> Iterator[float]:
    yield from driver.until(lambda: state().running, PATIENCE, what)


def target_names(path: Path) -> list[str]:
    """Of the first mesh in a .glb."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    names: list[str] = json.loads(data[20 : 20 + length])["meshes"][0]["extras"]["targetNames"]
    return names


def variety(screenshot: Path, view: bpy.types.Region) -> float:
    """The standard deviation of the pixels in the middle of the view; next to nothing where it is empty."""
    image = bpy.data.images.load(str(screenshot), check_existing=False)
    width, height = image.size
    pixels = np.empty((height, width, 4), np.float32)
    image.pixels.foreach_get(pixels.ravel())
    bpy.data.images.remove(image)
    x, y = view.x + view.width // 3, view.y + view.height // 3
    return float(pixels[y : y + view.height // 3, x : x + view.width // 6, :3].std())


def steps(driver: Driver) -> Steps:
    with driver.override("WINDOW"):
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.object.delete()
        bpy.ops.ed.undo_push(message="An empty scene")
    yield 0.5
    yield from driver.open_tab("Likeness")
    yield from make_a_head(driver)
    yield from edit_undo_redo(driver)
    yield from export(driver)
    yield from cancel(driver)
    yield from choose_a_face(driver)
    yield from drop_a_file(driver)
    yield from in_german(driver)
    yield from as_photo(driver)
    yield from in_material_preview(driver)
    yield from nothing_is_left(driver)


def make_a_head(driver: Driver) -> Steps:
    yield from driver.click("image.open")
    yield from driver.choose_file(PHOTO)
    assert bpy.context.scene.likeness.image is not None, "the chosen photo is in the panel's field"
    yield from driver.screenshot(OUTPUT / "start.png")
    yield from driver.click("likeness.reconstruct")
    yield from started(driver, "the button has started it")
    yield from finished()
    assert len(heads()) == 1, f"one head; stages: {STAGES}"
    assert bpy.context.view_layer.objects.active == heads()[0]
    assert len(STAGES) > 1, f"the stages were shown: {STAGES}"
    yield from driver.screenshot(OUTPUT / "made.png")


def edit_undo_redo(driver: Driver) -> Steps:
    recovered = values()
    yield from driver.drag(slider(), 60)
    dragged = values()
    assert dragged != recovered, "the slider moves the face"
    yield from driver.screenshot(OUTPUT / "edited.png")
    yield from driver.click("likeness.randomise")
    yield from driver.until(lambda: values() != dragged, PATIENCE, "a random face")
    assert bpy.context.scene.likeness.seed == 1, "its seed is shown"
    yield from undo(driver)
    yield from driver.until(lambda: values() == dragged, PATIENCE, "the first undo takes the random face back")
    yield from undo(driver)
    yield from driver.until(lambda: values() == recovered, PATIENCE, "the second the slider")
    yield from undo(driver)
    yield from driver.until(lambda: not heads(), PATIENCE, "the third the head, in one step")
    assert not bpy.data.meshes.get("Head")
    assert not bpy.data.cameras.get("Photo Camera") and not bpy.data.collections.get(PHOTO.stem)
    for wanted in (recovered, dragged):
        yield from undo(driver, redo=True)
        again = partial(lambda wanted: heads() and values() == wanted, wanted)
        yield from driver.until(again, PATIENCE, "redo brings it all again")


def export(driver: Driver) -> Steps:
    path = OUTPUT / "head.glb"
    yield from driver.click("likeness.export_copy")
    yield from driver.choose_file(path)
    yield from driver.until(path.exists, 60, "the file is written")
    yield 1.0
    assert len(target_names(path)) == ARKIT_KEYS, "the ARKit expressions and no other key"
    assert len(heads()) == 1, "nothing is left of the copy"


def cancel(driver: Driver) -> Steps:
    before = len(bpy.data.objects)
    photo = bpy.context.scene.likeness.image
    bpy.context.scene.likeness.image = None
    os.kill(backend(), signal.SIGSTOP)  # one that never answers
    yield from driver.click("likeness.reconstruct")
    yield from driver.choose_file(PHOTO)
    yield from started(driver, "without an image the button asks for a file")
    yield from view_middle(driver)
    yield from driver.press("ESC")
    yield from driver.until(lambda: not state().running, CANCEL_SECONDS, "Esc has ended it")
    assert len(bpy.data.objects) == before, "a cancelled run changes nothing"
    os.kill(backend(), signal.SIGCONT)
    bpy.context.scene.likeness.image = photo


def ask_for_faces(driver: Driver) -> Iterator[float]:
    state().faces.clear()
    yield from driver.click("likeness.choose_face")
    yield from driver.until(lambda: len(state().faces), ANSWER_SECONDS, "the face is found")
    yield 1.0


def choose_a_face(driver: Driver) -> Steps:
    before = len(heads())
    yield from ask_for_faces(driver)
    (face,) = state().faces
    view, size = driver.region("WINDOW"), state().photo_size
    scale = min((view.width - 40) / size[0], (view.height - 40) / size[1])
    left, top = (view.width - size[0] * scale) / 2, (view.height + size[1] * scale) / 2
    x, y, width, height = face.box
    yield from driver.move(view.x + left + (x + width / 2) * scale, view.y + top - (y + height / 2) * scale)
    yield from driver.screenshot(OUTPUT / "choose_face.png")
    yield from driver.press("LEFTMOUSE")
    yield from driver.until(lambda: len(heads()) > before, ANSWER_SECONDS, "a click on the face makes a head of it")
    yield 1.0
    yield from undo(driver)
    yield from driver.until(lambda: len(heads()) == before, PATIENCE, "undo takes it away")


def drop_a_file(driver: Driver) -> Steps:
    before = len(heads())
    yield from view_middle(driver)
    with driver.override("UI"):
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=f"{PHOTO.parent}/", files=[{"name": PHOTO.name}])
    yield 1.0
    if not state().running:  # Blender asks whether its own empty image is meant; R is for Reconstruct
        yield from driver.press("R")
    yield from driver.until(
        lambda: state().running or len(heads()) > before, 20, "a photo dropped on the panel is reconstructed"
    )
    yield from finished()
    assert len(heads()) == before + 1
    yield from undo(driver)
    with driver.override("WINDOW"):
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=f"{PHOTO.parent}/", files=[{"name": PHOTO.name}])
    yield 1.0
    assert not state().running, "a drop on the view is Blender's own"
    (empty,) = [thing for thing in bpy.data.objects if thing.type == "EMPTY"]  # with the image
    bpy.data.objects.remove(empty)
    bpy.context.view_layer.objects.active = heads()[0]
    heads()[0].select_set(True)


def in_german(driver: Driver) -> Steps:
    view = bpy.context.preferences.view
    view.language = "de_DE"
    assert bpy.app.translations.pgettext_iface("Face", "Likeness") == "Gesicht"
    yield 1.0
    yield from driver.screenshot(OUTPUT / "german.png")
    view.language = "en_US"
    yield 0.5


def as_photo(driver: Driver) -> Steps:
    yield from driver.click("likeness.view_photo")
    yield from driver.until(
        lambda: driver.area().spaces.active.region_3d.view_perspective == "CAMERA", PATIENCE, "the photo is seen"
    )
    assert bpy.context.scene.camera.name.startswith("Photo Camera")
    yield from driver.screenshot(OUTPUT / "view_photo.png")
    driver.area().spaces.active.region_3d.view_perspective = "PERSP"


def in_material_preview(driver: Driver) -> Steps:
    yield from view_middle(driver)  # no tooltip is in the picture
    space = driver.area().spaces.active
    space.shading.type = "MATERIAL"
    space.overlay.show_overlays = False
    bpy.context.scene.eevee.taa_samples = 4
    region_3d = space.region_3d
    with driver.override("WINDOW"):
        bpy.ops.view3d.view_selected()
    yield 1.0
    assert region_3d.view_distance < 2.0, "the head has been brought into view"
    region_3d.view_rotation = Euler((math.radians(88.0), 0.0, math.radians(-22.0))).to_quaternion()
    deadline = time.monotonic() + DRAW_SECONDS
    while True:  # the shaders are compiled first, on software OpenGL slowly
        yield 10.0
        yield from driver.screenshot(OUTPUT / "panel.png")
        if not (OUTPUT / "panel.png").exists() or variety(OUTPUT / "panel.png", driver.region("WINDOW")) > 0.02:
            break
        assert time.monotonic() < deadline, f"the head is not seen after {DRAW_SECONDS} s"


def nothing_is_left(driver: Driver) -> Steps:
    """The extension is disabled while it shows a photo and its backend runs."""
    driver.area().spaces.active.shading.type = "SOLID"
    yield from ask_for_faces(driver)
    process = backend()
    (module,) = (name for name in bpy.context.preferences.addons.keys() if name.endswith("likeness"))  # noqa: SIM118
    bpy.ops.preferences.addon_disable(module=module)
    yield 2.0
    kinds = (bpy.types, bpy.types.Scene, bpy.types.Object, bpy.types.WindowManager)
    assert not [name for kind in kinds for name in dir(kind) if "likeness" in name.lower()]
    assert {thread.name for thread in threading.enumerate()} <= THREADS
    assert not Path(f"/proc/{process}").exists()
    yield from view_middle(driver)
    yield from driver.screenshot(OUTPUT / "disabled.png")


THREADS = {thread.name for thread in threading.enumerate()}

Driver(steps, limit_seconds=3000.0).start()
