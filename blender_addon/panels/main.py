"""The panel in the 3D view's sidebar. It only draws."""

from __future__ import annotations

import bpy

from .. import ranges
from ..selection import active_head
from ..words import said

TAB = "Likeness"
MOST_RESULTS = 12


class InTab:
    """Where all panels of Likeness are."""

    bl_category = TAB
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"


class LIKENESS_PT_main(InTab, bpy.types.Panel):
    """The photo, the button, what is under way, and what came of the last photos."""

    bl_idname = "LIKENESS_PT_main"
    bl_label = "Likeness"

    def draw(self, context: bpy.types.Context) -> None:
        """Input on top; progress in place of the button while it runs."""
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        state, chosen = context.window_manager.likeness, context.scene.likeness
        layout.template_ID(chosen, "image", open="image.open")
        if state.running:
            row = layout.row(align=True)
            row.progress(factor=state.progress, text=state.stage)
            row.operator("likeness.cancel", text="", icon="X")
        else:
            row = layout.row()
            row.scale_y = 1.4
            row.operator("likeness.reconstruct", icon="USER")
        row = layout.row(align=True)
        row.operator("likeness.choose_face", icon="RESTRICT_SELECT_OFF")
        row.operator("likeness.paste_photo", icon="PASTEDOWN")
        layout.operator(
            "likeness.reconstruct_photos", text=said("Several Photos..."), icon="FILE_FOLDER", translate=False
        )
        if state.provider:
            layout.label(
                text=said("Runs on: {provider}", provider=state.provider.removesuffix("ExecutionProvider")),
                translate=False,
            )
        if len(state.results):
            _draw_results(layout, state.results)
        thing = context.active_object
        if active_head(context) is None and ranges.can_restore(thing):
            layout.operator("likeness.restore_ranges", icon="FILE_REFRESH")


class LIKENESS_PT_options(InTab, bpy.types.Panel):
    """What to add beside a head."""

    bl_idname = "LIKENESS_PT_options"
    bl_label = "Options"
    bl_parent_id = "LIKENESS_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """For the next head."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.likeness
        for name in ("texture", "detail", "add_camera", "lights", "add_subdivision"):
            layout.prop(chosen, name)


def _draw_results(layout: bpy.types.UILayout, results: bpy.types.bpy_prop_collection) -> None:
    """What became of each photo, those that failed first."""
    box = layout.box()
    row = box.row()
    failed = sum(entry.failed for entry in results)
    row.label(
        text=said("{good} of {count} photos became heads", good=len(results) - failed, count=len(results)),
        translate=False,
    )
    row.operator("likeness.clear_results", text="", icon="X", emboss=False)
    column = box.column(align=True)
    for entry in sorted(results, key=lambda entry: not entry.failed)[:MOST_RESULTS]:
        column.label(text=entry.name, icon="ERROR" if entry.failed else "CHECKMARK", translate=False)
        if entry.failed:
            column.label(text=entry.message, translate=False)
    if len(results) > MOST_RESULTS:
        column.label(text="...", translate=False)


CLASSES = (LIKENESS_PT_main, LIKENESS_PT_options)
