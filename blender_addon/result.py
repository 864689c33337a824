"""What a reconstruction leaves in the scene: a tidy collection with the head, and what was asked for around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import bpy
from mathutils import Vector

from . import camera, confidence, detail, head, illumination, studio, texture
from .bundle import Bundle
from .reconstruction import Reconstruction

Lights = Literal["NONE", "PHOTO", "STUDIO"]

SUBDIVISION = "Subdivision"


@dataclass(frozen=True)
class Options:
    """What to add beside the head. `lights` PHOTO stands for the recovered light, and for nothing where there is none.

    `subdivision` adds a modifier that smooths renders and leaves the viewport quick.
    """

    camera: bool = True
    lights: Lights = "NONE"
    subdivision: bool = True
    confidence: bool = True


@dataclass(frozen=True)
class Shot:
    """One photo of the head: what was found in it, its name, and its picture for the camera's background."""

    reconstruction: Reconstruction
    photo: str = ""
    background: Callable[[], bpy.types.Image | None] = lambda: None


@dataclass(frozen=True)
class Result:
    """What was made. `cameras` are those of the photos whose pose is known."""

    head: bpy.types.Object
    collection: bpy.types.Collection
    cameras: tuple[bpy.types.Object, ...]


class Snapshot:
    """What the file holds of the kinds that results add, to take back what was added since."""

    _KINDS = ("objects", "collections", "meshes", "materials", "node_groups", "cameras", "lights", "worlds", "images")

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._known = {kind: set(getattr(bpy.data, kind)) for kind in self._KINDS}
        self._camera, self._world = scene.camera, scene.world

    def restore(self, scene: bpy.types.Scene) -> None:
        """Take back what was added since."""
        scene.camera, scene.world = self._camera, self._world
        added = [item for kind in self._KINDS for item in getattr(bpy.data, kind) if item not in self._known[kind]]
        bpy.data.batch_remove(added)


def add(
    scene: bpy.types.Scene,
    parent: bpy.types.Collection,
    bundle: Bundle,
    shots: Sequence[Shot],
    options: Options | None = None,
    location: Vector | None = None,
    before: Snapshot | None = None,
) -> Result:
    """One head in a collection of its own below `parent`; `shots` are photos of one person, at least one.

    Cameras and lights are the head's children, so that they stay with it. The scene's camera is set only where it has
    none, its world only for lights. On an exception the file is again as it was `before`, by default this call.
    """
    options = options or Options()
    first = shots[0]
    before = before or Snapshot(scene)
    try:
        collection = bpy.data.collections.new(PurePath(first.photo).stem or "Head")
        parent.children.link(collection)
        made = head.create(bundle, first.reconstruction, collection, photo=first.photo)
        if first.reconstruction.texture is not None:
            texture.add(made, first.reconstruction.texture)
        if first.reconstruction.detail is not None:
            detail.add(made, first.reconstruction.detail)
        if location is not None:
            made.location = location
        if options.subdivision:
            add_subdivision(made)
        if options.confidence and first.reconstruction.uncertainty is not None:
            confidence.add(made, bundle, first.reconstruction)
        cameras = _cameras(collection, made, shots) if options.camera else ()
        if cameras and scene.camera is None:
            scene.camera = cameras[0]
        _light(scene, collection, made, first.reconstruction, options.lights)
    except Exception:
        before.restore(scene)
        raise
    return Result(made, collection, cameras)


def add_subdivision(made: bpy.types.Object) -> None:
    """Smooth renders; the viewport shows the mesh itself, which follows the sliders at once."""
    modifier = made.modifiers.new(SUBDIVISION, "SUBSURF")
    modifier.levels, modifier.render_levels = 1, 2
    modifier.show_viewport = modifier.show_in_editmode = False


def _cameras(
    collection: bpy.types.Collection, made: bpy.types.Object, shots: Sequence[Shot]
) -> tuple[bpy.types.Object, ...]:
    cameras = []
    for shot in shots:
        if shot.reconstruction.pose is None:
            continue
        view = camera.from_pose(shot.reconstruction.pose)
        collection.objects.link(view)
        view.parent = made
        camera.describe(view, shot.reconstruction, shot.photo)
        picture = shot.background()
        if picture is not None:
            camera.show_behind(view, picture)
        cameras.append(view)
    return tuple(cameras)


def _light(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    made: bpy.types.Object,
    reconstruction: Reconstruction,
    lights: Lights,
) -> None:
    if lights == "PHOTO" and reconstruction.illumination is not None:
        illumination.add(scene, reconstruction.illumination)
    elif lights == "STUDIO":
        for light in studio.add(scene, collection):
            light.parent = made
