"""From coefficients to files, without a window: what `likeness reconstruct` does in Blender."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from . import bundle as bundles
from . import camera, export, images, preview, result
from .failures import Failure
from .reconstruction import Reconstruction
from .result import Options, Shot


def build_file(
    bundle_dir: Path,
    reconstruction: Mapping[str, Any],
    output: Path,
    image: Path | None = None,
    preview_path: Path | None = None,
) -> None:
    """Make the head that the backend's answer `reconstruction` describes and write it to `output`.

    The open file is replaced by an empty scene with the head upright at the origin, the photo's camera where the pose
    is known, and the photo's light where that is, else studio lights. `output` ends in one of `export.ENDINGS`. `image`
    is the photo, which is packed into a .blend behind its camera and shown in the picture that is written to
    `preview_path`. Raises Failure with a sentence for the user.
    """
    output = output.absolute()
    if output.suffix.lower() not in export.ENDINGS:
        raise Failure("output_ending", known=", ".join(export.ENDINGS), found=output.suffix or output.name)
    bundle = bundles.load(bundle_dir)
    answer = Reconstruction.from_answer(reconstruction, bundle)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    shot = Shot(answer, image.name if image is not None else "", lambda: _packed(image))
    options = Options(lights="STUDIO" if answer.illumination is None else "PHOTO")
    made = result.add(scene, scene.collection, bundle, [shot], options)
    _set_camera(scene, made.collection, answer)
    export.write(made.head, output)
    if preview_path is not None:
        preview.write(scene, answer, image, preview_path.absolute())


def _packed(photo: Path | None) -> bpy.types.Image | None:
    """The photo, inside the file: it may be opened where the photo is not."""
    image = images.upright(photo) if photo is not None else None
    if image is not None and image.packed_file is None:
        image.pack()
    return image


def _set_camera(scene: bpy.types.Scene, collection: bpy.types.Collection, answer: Reconstruction) -> None:
    if answer.pose is not None:
        scene.render.resolution_x, scene.render.resolution_y = answer.pose.image_size
        return
    view = camera.portrait(0.0)
    scene.render.resolution_x, scene.render.resolution_y = preview.PANEL
    collection.objects.link(view)
    scene.camera = view
