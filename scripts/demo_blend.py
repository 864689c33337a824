"""Makes a .blend to look at and play: the sample photo's head, lit, with expressions on the timeline.

    python scripts/demo_blend.py [--output demo.blend] [--photo FILE] [--bundle DIR] [--picture FILE.png]

Needs the extras `cpu` and `blender`. Each of the expressions that come with Likeness has two seconds, between them the
face is at rest; markers name them. `--picture` renders the smile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FRAMES_A_SECOND = 24
HELD = 2 * FRAMES_A_SECOND  # frames for each expression
RAMP = HELD // 4
TURN_DEGREES = 20.0
FIRST_SHOWN = "Smile"


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("demo.blend"))
    parser.add_argument("--photo", type=Path, default=ROOT / "docs" / "samples" / "eileen_collins.jpg")
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()

    from backend.failures import Failure as BackendFailure
    from backend.pipeline import Reconstructor
    from blender_addon.failures import Failure
    from likeness.outputs import held_stdout

    try:
        answer = Reconstructor.open(options.bundle).reconstruct(options.photo.read_bytes(), texture=2048).to_json()
        with held_stdout():
            make(answer, options.photo, options.bundle, options.output.absolute(), options.picture)
    except (OSError, Failure, BackendFailure) as error:
        print(f"demo_blend.py: {error}", file=sys.stderr)
        return 1
    print(options.output)
    return 0


def make(answer: dict[str, Any], photo: Path, bundle: Path, output: Path, picture: Path | None) -> None:
    """From the backend's answer to the file."""
    import bpy

    from blender_addon import camera, export, headless

    with tempfile.TemporaryDirectory() as folder:
        headless.build_file(bundle, answer, Path(folder) / "head.blend", photo)
    scene = bpy.context.scene
    head = next(thing for thing in bpy.data.objects if "likeness_method" in thing)
    view = camera.portrait(TURN_DEGREES)
    scene.collection.objects.link(view)
    scene.camera = view
    scene.render.resolution_x, scene.render.resolution_y = 800, 840
    scene.render.fps = FRAMES_A_SECOND
    animate(scene, head)
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.shading.type = "MATERIAL"
                area.spaces.active.region_3d.view_perspective = "CAMERA"
    export.write(head, output)
    if picture is not None:
        render(scene, picture.absolute())


def animate(scene: Any, head: Any) -> None:
    """One expression after the other, up, held, down."""
    import numpy as np

    from blender_addon import head as heads
    from blender_addon import shape
    from blender_addon.operators import presets

    folder = presets.SHIPPED / "presets" / "likeness" / "expression"
    files = sorted(folder.glob("*.py"))
    rest = np.zeros(len(heads.expression_keys(head)))
    for number, file in enumerate(files):
        start = 1 + number * HELD
        scene.timeline_markers.new(file.stem, frame=start)
        shape.set_expression_of(head, presets.read(file)[1])
        shown = shape.expression(head)
        for frame, values in ((start, rest), (start + RAMP, shown), (start + HELD - RAMP, shown), (start + HELD, rest)):
            shape.set_expression(head, values)
            for key in heads.expression_keys(head):
                key.keyframe_insert("value", frame=frame)
    scene.frame_start, scene.frame_end = 1, 1 + len(files) * HELD
    scene.frame_set(scene.timeline_markers[FIRST_SHOWN].frame + HELD // 2)


def render(scene: Any, path: Path) -> None:
    """The current frame by Cycles, in a few seconds."""
    import bpy

    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 16, True
    scene.render.resolution_percentage = 50
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    sys.exit(main())
