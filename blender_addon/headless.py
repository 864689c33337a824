"""From coefficients to files, without a window: what `likeness reconstruct` does in Blender."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from . import bundle as bundles
from . import camera, export, head, preview, studio
from .failures import Failure
from .reconstruction import Reconstruction


def build_file(
    bundle_dir: Path,
    reconstruction: Mapping[str, Any],
    output: Path,
    image: Path | None = None,
    preview_path: Path | None = None,
) -> None:
    """Make the head that the backend's answer `reconstruction` describes and write it to `output`.

    The open file is replaced by an empty scene with the head upright at the origin, studio lights, and the photo's
    camera where the pose is known. `output` ends in .blend, .glb, .fbx or .obj. `image` is the photo, for the picture
    that is written to `preview_path`. Raises Failure with a sentence for the user.
    """
    output = output.absolute()
    if output.suffix.lower() not in export.ENDINGS:
        raise Failure("output_ending", known=", ".join(export.ENDINGS), found=output.suffix or output.name)
    bundle = bundles.load(bundle_dir)
    answer = Reconstruction.from_answer(reconstruction, bundle)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    made = head.create(bundle, answer, scene.collection, photo=image.name if image is not None else "")
    studio.add(scene)
    _add_camera(scene, answer)
    export.write(made, output)
    if preview_path is not None:
        preview.write(scene, answer, image, preview_path.absolute())


def _add_camera(scene: bpy.types.Scene, answer: Reconstruction) -> None:
    if answer.pose is not None:
        view = camera.from_pose(answer.pose)
        scene.render.resolution_x, scene.render.resolution_y = answer.pose.image_size
    else:
        view = camera.portrait(0.0)
        scene.render.resolution_x, scene.render.resolution_y = preview.PANEL
    scene.collection.objects.link(view)
    scene.camera = view
