"""Objects from images: the button, and the threshold that moves the surface of what it made."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import images, objects, photo, selection
from .failures import Failure
from .objects_voxels import METHOD, Voxels
from .operators.running import InBackground, running
from .photo import Photo
from .preferences import settings
from .server import Launch, Server
from .words import said, sentence
from .worker import Asked, Progress, Tell

PATTERN = ";".join(f"*{ending}" for ending in photo.ENDINGS)


@dataclass(frozen=True)
class Found:
    """The grid of the object in a photo, and the name of what ran the network."""

    voxels: Voxels
    provider: str
    photo: str


def find_object(source: Photo | Path, launch: Launch, server: Server, tell: Tell, cancelled: Asked) -> Any:
    """Ask the backend for the object in a photo. Blocks; raises Failure."""
    data = (source if isinstance(source, Photo) else photo.read(source)).encoded()
    tell(Progress("Starting the backend", 0.1))
    client = server.ensure(launch, cancelled)
    provider = str(client.ready().get("provider", ""))
    if cancelled():
        raise Failure("cancelled")
    tell(Progress("Reconstructing the object", 0.6))
    try:
        answer = client.reconstruct(data, method=METHOD)
    except Failure as failure:
        if cancelled():
            raise Failure("cancelled") from failure
        if failure.code in ("backend_lost", "backend_slow"):
            server.stop()
        raise
    if cancelled():
        raise Failure("cancelled")
    return Found(Voxels.from_answer(answer), provider, source.name)


class LIKENESS_OT_reconstruct_object(InBackground, bpy.types.Operator):
    """Make a mesh of the object in an image: one object, whole, before a plain background"""

    bl_idname = "likeness.reconstruct_object"
    bl_label = "Reconstruct Object from Image"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File",
        description="Image file to use in place of the panel's image",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    filter_glob: bpy.props.StringProperty(default=PATTERN, options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    _asked_for_file = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Objects are added in Object Mode, one at a time."""
        if context.mode != "OBJECT":
            cls.poll_message_set(sentence(Failure("mode", mode=said(context.mode.replace("_", " ").title()))))
            return False
        return super().poll(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start in the background; without an image, ask for a file first."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self.filepath and context.scene.likeness.image is None:
            self._asked_for_file = True
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self._do(context, in_background=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it before returning, but for a file that was chosen in Blender's file browser."""
        in_background, self._asked_for_file = self._asked_for_file, False
        return self._do(context, in_background=in_background)

    def finish(self, context: bpy.types.Context, outcome: Any) -> set[str]:
        """Build the mesh at the 3D cursor."""
        assert isinstance(outcome, Found)
        context.window_manager.likeness.provider = outcome.provider
        thing = objects.create(outcome.voxels, context.collection or context.scene.collection, photo=outcome.photo)
        thing.location = context.scene.cursor.location
        thing.likeness_object["threshold"] = outcome.voxels.threshold  # as an item: no second mesh is made
        selection.only(context, [thing])
        selection.frame(context)
        self.report({"INFO"}, said("{head} was made from {photo}", head=thing.name, photo=outcome.photo))
        return {"FINISHED"}

    def _do(self, context: bpy.types.Context, *, in_background: bool) -> set[str]:
        try:
            work = functools.partial(find_object, self._source(context), settings(context).launch())
            if in_background:
                return self.begin(context, work)
            return self.finish(context, work(running.server, lambda progress: None, lambda: False))
        except Failure as failure:
            return self.fail(context, failure)

    def _source(self, context: bpy.types.Context) -> Photo:
        if self.filepath:
            return photo.read(Path(bpy.path.abspath(self.filepath)))
        if context.scene.likeness.image is None:
            raise Failure("photo_none")
        return images.read(context.scene.likeness.image)


def _remesh(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    thing = self.id_data
    if objects.is_object(thing) and thing.mode == "OBJECT":
        objects.remesh(thing, self.threshold, self.crumbs)


class LikenessObjectProperties(bpy.types.PropertyGroup):
    """How an object's mesh is made of its grid."""

    threshold: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Threshold",
        description="Occupancy from which the grid counts as inside: less makes the object fuller",
        min=0.02,
        max=0.98,
        soft_min=0.1,
        soft_max=0.9,
        default=0.5,
        subtype="FACTOR",
        update=_remesh,
    )
    crumbs: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Crumbs",
        description="Keep parts that are much smaller than the largest one",
        update=_remesh,
    )


class LIKENESS_PT_object(bpy.types.Panel):
    """The button, and the active object's threshold."""

    bl_idname = "LIKENESS_PT_object"
    bl_label = "Object"
    bl_category = "Likeness"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Only the button where no such object is active."""
        layout = self.layout
        column = layout.column()
        column.operator_context = "INVOKE_DEFAULT"
        column.operator(LIKENESS_OT_reconstruct_object.bl_idname, icon="MESH_CUBE")
        thing = context.active_object
        if not objects.is_object(thing):
            return
        column = layout.column()
        column.enabled = thing.mode == "OBJECT"
        column.prop(thing.likeness_object, "threshold", slider=True)
        column.prop(thing.likeness_object, "crumbs")


CLASSES = (LikenessObjectProperties, LIKENESS_OT_reconstruct_object, LIKENESS_PT_object)


def add() -> None:
    """Attach the properties to Blender's objects."""
    bpy.types.Object.likeness_object = bpy.props.PointerProperty(type=LikenessObjectProperties)


def remove() -> None:
    """Take them away again."""
    del bpy.types.Object.likeness_object
