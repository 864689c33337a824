"""Choosing which face of a photo becomes the head, and drawing its box where it was not found."""

import functools

import bpy
import gpu

from .. import images, overlay
from ..failures import Failure
from ..picking import Box, Overlay, Point
from ..preferences import settings
from ..words import said
from ..worker import Faces, Outcome, find_faces
from .reconstruct import Reconstructing
from .running import InBackground

_shown: list[object] = []
"""The draw handler of the operator that shows a photo, if one does; it outlives the class when that is unregistered."""


def hide() -> None:
    """Take the photo off the view."""
    while _shown:
        bpy.types.SpaceView3D.draw_handler_remove(_shown.pop(), "WINDOW")
        bpy.context.workspace.status_text_set(None)


class LIKENESS_OT_choose_face(Reconstructing, bpy.types.Operator):
    """Show the photo with the faces found in it: click one, or drag a box where a face was not found"""

    bl_idname = "likeness.choose_face"
    bl_label = "Choose Face"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a photo, and a view to show it in."""
        if not super().poll(context):
            return False
        if context.scene.likeness.image is None:
            cls.poll_message_set(said("Open a photo in the panel's image field first"))
            return False
        return not bpy.app.background and context.area is not None and context.area.type == "VIEW_3D"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look for faces in the background."""
        try:
            photo = images.read(context.scene.likeness.image)
        except Failure as failure:
            return self.fail(context, failure)
        return InBackground.begin(self, context, functools.partial(find_faces, photo, settings(context).launch()))

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> set[str]:
        """Let the user choose."""
        assert isinstance(outcome, Faces)
        state = context.window_manager.likeness
        state.provider = outcome.provider
        state.faces.clear()
        for box in outcome.boxes:
            state.faces.add().box = box
        state.photo_size = outcome.image_size
        bpy.ops.likeness.pick_face("INVOKE_DEFAULT")
        return {"FINISHED"}

    def undo(self, context: bpy.types.Context) -> None:
        """Nothing was built."""


class LIKENESS_OT_pick_face(bpy.types.Operator):
    """Click a face, or drag a box around one from the brows to the chin"""

    bl_idname = "likeness.pick_face"
    bl_label = "Pick Face"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """In a 3D view, with the photo still there."""
        in_view = context.area is not None and context.area.type == "VIEW_3D"
        return in_view and context.scene.likeness.image is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Lay the photo over the view."""
        state = context.window_manager.likeness
        self._boxes: list[Box] = [tuple(face.box) for face in state.faces]
        self._size = tuple(state.photo_size)
        self._area = context.area
        self._start: Point | None = None
        self._mouse: Point = (0.0, 0.0)
        source = context.scene.likeness.image
        self._picture = images.upright_copy(source) or source
        self._own_picture = self._picture != source
        self._texture = gpu.texture.from_image(self._picture)
        hide()
        _shown.append(bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL"))
        context.workspace.status_text_set(
            said("Click a face, or drag a box from the brows to the chin  |  Esc: Cancel")
        )
        context.window_manager.modal_handler_add(self)
        self._area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Follow the mouse; everything else waits."""
        region = self._region()
        if region is None or event.type in {"ESC", "RIGHTMOUSE"}:
            self.cancel(context)
            return {"CANCELLED"}
        self._mouse = float(event.mouse_x - region.x), float(event.mouse_y - region.y)
        self._area.tag_redraw()
        laid = self._laid(region)
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._start = self._mouse
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._start is not None:
            start, self._start = self._start, None
            drawn = laid.drawn(start, self._mouse)
            if drawn is not None:
                return self._chosen(context, box=drawn)
            number = laid.hit(self._boxes, self._mouse)
            if number is not None:
                return self._chosen(context, face=number)
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this, too, where another file is opened in the middle."""
        hide()
        if self._own_picture:
            bpy.data.images.remove(self._picture)
        self._area.tag_redraw()

    def _chosen(self, context: bpy.types.Context, **which: object) -> set[str]:
        self.cancel(context)
        bpy.ops.likeness.reconstruct("INVOKE_DEFAULT", **which)
        return {"FINISHED"}

    def _region(self) -> bpy.types.Region | None:
        """The view's; None where the user has closed it or made something else of it."""
        if self._area.type != "VIEW_3D":
            return None
        return next((region for region in self._area.regions if region.type == "WINDOW"), None)

    def _laid(self, region: bpy.types.Region) -> Overlay:
        return Overlay(self._size, (region.width, region.height))

    def _draw(self) -> None:
        region = self._region()
        if region is None or bpy.context.area != self._area:
            return
        laid = self._laid(region)
        overlay.photo(self._texture, laid)
        overlay.boxes(laid, self._boxes, laid.hit(self._boxes, self._mouse) if self._start is None else None)
        if self._start is not None:
            drawn = laid.drawn(self._start, self._mouse)
            if drawn is not None:
                overlay.outline(*laid.rectangle(drawn))


CLASSES = (LIKENESS_OT_choose_face, LIKENESS_OT_pick_face)
