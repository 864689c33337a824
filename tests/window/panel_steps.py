"""What a person does with the panel, and what they must see; run by test_panel.py inside a Blender with a window."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler

PHOTO, OUTPUT = (Path(word) for word in sys.argv[sys.argv.index("--") + 1 :])
sys.path.insert(0, str(Path(__file__).parent))

from driver import Driver, Steps  # noqa: E402  its folder is not on the path before

ANSWER_SECONDS = 120.0
CANCEL_SECONDS = 1.0
DRAW_SECONDS = 400.0


def heads() -> list[bpy.types.Object]:
    return [thing for thing in bpy.data.objects if "likeness_method" in thing]


def state() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.likeness


def backend() -> int:
    """The process number of the running backend."""
    (module,) = (sys.modules[name] for name in sys.modules if name.endswith("likeness.blender_addon.operators"))
    return int(module.running.server.pid)


def values() -> list[float]:
    return [key.value for key in heads()[0].data.shape_keys.key_blocks]


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
    yield from driver.click("image.open")
    yield from driver.choose_file(PHOTO)
    assert bpy.context.scene.likeness.image is not None, "the chosen photo is in the panel's field"

    yield from driver.click("likeness.reconstruct")
    assert state().running, "the button has started it"
    stages = set()
    deadline = time.monotonic() + ANSWER_SECONDS
    while state().running:
        assert time.monotonic() < deadline, f"no head after {ANSWER_SECONDS} s; stages: {stages}"
        stages.add(state().stage)
        yield 0.05
    assert len(heads()) == 1, f"one head; stages: {stages}"
    assert bpy.context.view_layer.objects.active == heads()[0]
    assert len(stages) > 1, f"the stages were shown: {stages}"
    recovered = values()

    yield from driver.click('key_blocks["identity000"].value')
    yield from driver.press("LEFTMOUSE")
    yield from driver.press("A", ctrl=True)
    yield from driver.type_text("-1.5")
    yield from driver.press("RET")
    assert abs(values()[1] + 1.5) < 1e-4, f"the slider moves: {values()[1]}"

    view = driver.region("WINDOW")
    yield from driver.move(view.x + view.width / 3, view.y + view.height / 2)
    yield from driver.press("Z", ctrl=True)
    yield 0.5
    assert values() == recovered, "the first undo takes the slider back"
    yield from driver.press("Z", ctrl=True)
    yield 0.5
    assert not heads() and not bpy.data.meshes.get("Head"), "the second undo takes the head back in one step"
    yield from driver.press("Z", ctrl=True, shift=True)
    yield 0.5
    assert values() == recovered, "redo brings it again"

    before = len(bpy.data.objects)
    bpy.context.scene.likeness.image = None
    os.kill(backend(), signal.SIGSTOP)  # one that never answers
    yield from driver.click("likeness.reconstruct")
    yield from driver.choose_file(PHOTO)
    assert state().running, "without an image the button asks for a file"
    yield from driver.move(view.x + view.width / 3, view.y + view.height / 2, 0.02)
    yield from driver.press("ESC")
    yield from driver.until(lambda: not state().running, CANCEL_SECONDS, "Esc has ended it")
    assert len(bpy.data.objects) == before, "a cancelled run changes nothing"
    os.kill(backend(), signal.SIGCONT)

    space = driver.area().spaces.active
    space.shading.type = "MATERIAL"
    space.overlay.show_overlays = False
    bpy.context.scene.eevee.taa_samples = 4
    region_3d = space.region_3d
    assert region_3d.view_distance < 2.0, "the head has been brought into view"
    region_3d.view_rotation = Euler((math.radians(88.0), 0.0, math.radians(-22.0))).to_quaternion()
    bpy.context.scene.likeness.image = bpy.data.images[PHOTO.name]
    deadline = time.monotonic() + DRAW_SECONDS
    while True:  # the shaders are compiled first, on software OpenGL slowly
        yield 10.0
        yield from driver.screenshot(OUTPUT)
        if not OUTPUT.exists() or variety(OUTPUT, view) > 0.02:
            break
        assert time.monotonic() < deadline, f"the head is not seen after {DRAW_SECONDS} s"


Driver(steps, limit_seconds=1500.0).start()
