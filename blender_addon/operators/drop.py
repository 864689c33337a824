"""Photos dropped on the panel. A drop on the view itself stays Blender's own."""

import bpy

from .. import photo

TAB = "Likeness"


class LIKENESS_FH_photos(bpy.types.FileHandler):
    """Image files that are dropped on the sidebar while it shows the tab of Likeness."""

    bl_idname = "LIKENESS_FH_photos"
    bl_label = "Reconstruct Head"
    bl_import_operator = "likeness.reconstruct_photos"
    bl_file_extensions = ";".join(photo.ENDINGS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Where exactly the mouse lets go."""
        area, region = context.area, context.region
        if area is None or region is None or area.type != "VIEW_3D" or region.type != "UI":
            return False
        return str(region.active_panel_category) == TAB


CLASSES = (LIKENESS_FH_photos,)
