"""The panel in the 3D view's sidebar. It only draws."""

import bpy

from . import head
from .operators import LIKENESS_OT_cancel, LIKENESS_OT_reconstruct

FIRST_IDENTITY = 12

# Expression sliders by the beginning of their ARKit names.
EXPRESSION_GROUPS = (
    ("Eyes", ("eye",)),
    ("Brows", ("brow",)),
    ("Jaw and Tongue", ("jaw", "tongue")),
    ("Mouth", ("mouth",)),
    ("Cheeks and Nose", ("cheek", "nose")),
)


class LIKENESS_PT_main(bpy.types.Panel):
    """The photo, the button, and the head's sliders."""

    bl_idname = "LIKENESS_PT_main"
    bl_label = "Likeness"
    bl_category = "Likeness"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        """Input on top; progress in place of the button while it runs; the active head below."""
        layout = self.layout
        state = context.window_manager.likeness
        layout.template_ID(context.scene.likeness, "image", open="image.open")
        if state.running:
            row = layout.row(align=True)
            row.progress(factor=state.progress, text=state.stage)
            row.operator(LIKENESS_OT_cancel.bl_idname, text="", icon="X")
        else:
            row = layout.row()
            row.scale_y = 1.4
            row.operator_context = "INVOKE_DEFAULT"
            row.operator(LIKENESS_OT_reconstruct.bl_idname, icon="USER")
        if state.provider:
            layout.label(text=f"Runs on: {state.provider.removesuffix('ExecutionProvider')}")
        active = context.active_object
        if head.is_head(active):
            _draw_head(layout, active)


def _draw_head(layout: bpy.types.UILayout, active: bpy.types.Object) -> None:
    header, body = layout.panel("LIKENESS_identity")
    header.label(text="Identity")
    if body:
        column = body.column(align=True)
        for key in head.identity_keys(active)[:FIRST_IDENTITY]:
            column.prop(key, "value", text=key.name, slider=True)
    expressions = head.expression_keys(active)
    header, body = layout.panel("LIKENESS_expression", default_closed=True)
    header.label(text="Expression")
    if not body:
        return
    for title, beginnings in EXPRESSION_GROUPS:
        header, inner = body.panel(f"LIKENESS_expression_{beginnings[0]}", default_closed=True)
        header.label(text=title)
        if inner:
            column = inner.column(align=True)
            for key in expressions:
                if key.name.startswith(beginnings):
                    column.prop(key, "value", text=key.name, slider=True)


CLASSES = (LIKENESS_PT_main,)
