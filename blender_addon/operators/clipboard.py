"""A photo out of the clipboard."""

import bpy

from ..failures import Failure
from ..words import said, sentence

EDITOR = "IMAGE_EDITOR"


class LIKENESS_OT_paste_photo(bpy.types.Operator):
    """Take the picture in the clipboard as the photo"""

    bl_idname = "likeness.paste_photo"
    bl_label = "Paste Photo"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Blender reads pictures from the clipboard only where it has a window."""
        if bpy.app.background or context.area is None:
            cls.poll_message_set(said("Pictures can be pasted in Blender's window alone"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender pastes into its Image Editor only: the area becomes one for that moment."""
        known = set(bpy.data.images)
        area, kind = context.area, context.area.ui_type
        area.ui_type = EDITOR
        try:
            region = next(region for region in area.regions if region.type == "WINDOW")
            with context.temp_override(area=area, region=region):
                if bpy.ops.image.clipboard_paste.poll():
                    bpy.ops.image.clipboard_paste()
        except RuntimeError as error:
            self.report({"ERROR"}, str(error).strip())
            return {"CANCELLED"}
        finally:
            area.ui_type = kind
        pasted = [image for image in bpy.data.images if image not in known]
        if not pasted:
            self.report({"ERROR"}, sentence(Failure("clipboard_none")))
            return {"CANCELLED"}
        context.scene.likeness.image = pasted[0]
        return {"FINISHED"}


CLASSES = (LIKENESS_OT_paste_photo,)
