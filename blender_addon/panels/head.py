"""The panels of the active head: its photo, its sliders, its expressions, and the way out to other programs."""

from __future__ import annotations

from itertools import groupby

import bpy

from .. import arkit, camera, confidence, detail, sliders
from .. import head as heads
from ..result import SUBDIVISION
from ..selection import active_head
from ..words import said
from .main import InTab


class OfHead(InTab):
    """Panels that are there with a head alone."""

    bl_parent_id = "LIKENESS_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The active object is a head, or a head's camera or light."""
        return active_head(context) is not None


class LIKENESS_PT_head(OfHead, bpy.types.Panel):
    """The head as a whole."""

    bl_idname = "LIKENESS_PT_head"
    bl_label = "Head"

    def draw(self, context: bpy.types.Context) -> None:
        """The photo's view, smoothness, and how sure the method is."""
        layout, thing = self.layout, active_head(context)
        row = layout.row(align=True)
        row.operator("likeness.view_photo", icon="CAMERA_DATA")
        modifier = thing.modifiers.get(SUBDIVISION)
        if modifier is not None:
            row.prop(modifier, "show_viewport", text=said("Smooth"), icon="MOD_SUBSURF", translate=False)
        neutral = layout.operator("likeness.reset", text=said("Neutral"), icon="LOOP_BACK", translate=False)
        neutral.to = "NEUTRAL"
        strength = detail.strength(thing)
        if strength is not None:
            layout.prop(strength, "default_value", text=said("Wrinkles"), slider=True, translate=False)
        cameras = camera.of_photos(thing)
        if len(cameras) > 1:
            column = layout.column(align=True)
            for view in cameras:
                shown = column.operator("likeness.view_photo", text=view[heads.PHOTO], translate=False)
                shown.camera = view.name
        if confidence.SCORE in thing:
            layout.label(text=said(confidence.words(thing[confidence.SCORE])), translate=False)
            layout.operator("likeness.show_confidence", icon="SHADING_SOLID")


class LIKENESS_PT_face(OfHead, bpy.types.Panel):
    """The identity: named sliders, and the learned components below."""

    bl_idname = "LIKENESS_PT_face"
    bl_label = "Face"

    def draw(self, context: bpy.types.Context) -> None:
        """Groups of named sliders, each of its own."""
        layout, thing = self.layout, active_head(context)
        presets(layout, "LIKENESS_MT_face_presets", "likeness.add_face_preset")
        row = layout.row(align=True)
        row.operator("likeness.reset", text=said("As in Photo"), icon="LOOP_BACK", translate=False).to = "PHOTO"
        row.operator("likeness.reset", text=said("Average"), translate=False).to = "MEAN"
        row = layout.row(align=True)
        row.operator("likeness.randomise", text=said("Randomise"), icon="SHADERFX", translate=False)
        row.prop(context.scene.likeness, "seed", text=said("Seed"), translate=False)
        row = layout.row(align=True)
        row.operator("likeness.mirror", text=said("Mirror"), icon="MOD_MIRROR", translate=False)
        row.operator("likeness.copy_face", text="", icon="COPYDOWN")
        row.operator("likeness.paste_face", text="", icon="PASTEDOWN")
        named = sliders.of(thing)
        for group, members in groupby(named, key=lambda slider: slider.group):
            header, body = layout.panel(f"LIKENESS_face_{group}", default_closed=group != named[0].group)
            header.label(text=said(group), translate=False)
            if body:
                column = body.column(align=True)
                for slider in members:
                    name = f"slider_{slider.index:02d}"
                    column.prop(thing.likeness, name, text=said(slider.name), slider=True, translate=False)
        header, body = layout.panel("LIKENESS_components", default_closed=bool(named))
        header.label(text=said("Components"), translate=False)
        if body:
            body.operator(
                "likeness.key_face", text=said("Key Components"), icon="KEY_HLT", translate=False
            ).part = "IDENTITY"
            column = body.column(align=True)
            for key in heads.identity_keys(thing):
                column.prop(key, "value", text=key.name, slider=True, translate=False)


class LIKENESS_PT_expression(OfHead, bpy.types.Panel):
    """The 52 ARKit expressions."""

    bl_idname = "LIKENESS_PT_expression"
    bl_label = "Expression"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """By the parts of the face."""
        layout, thing = self.layout, active_head(context)
        presets(layout, "LIKENESS_MT_expression_presets", "likeness.add_expression_preset")
        row = layout.row(align=True)
        row.operator("likeness.reset", text=said("Neutral"), icon="LOOP_BACK", translate=False).to = "NEUTRAL"
        if heads.EXPRESSION in thing:
            row.operator("likeness.reset", text=said("As in Photo"), translate=False).to = "PHOTO_EXPRESSION"
        layout.operator(
            "likeness.key_face", text=said("Key Expression"), icon="KEY_HLT", translate=False
        ).part = "EXPRESSION"
        keys = heads.expression_keys(thing)
        for title, beginnings in arkit.GROUPS:
            header, body = layout.panel(f"LIKENESS_expression_{beginnings[0]}", default_closed=True)
            header.label(text=said(title), translate=False)
            if body:
                column = body.column(align=True)
                for key in keys:
                    if key.name.startswith(beginnings):
                        column.prop(key, "value", text=key.name, slider=True, translate=False)


class LIKENESS_PT_export(OfHead, bpy.types.Panel):
    """The way out."""

    bl_idname = "LIKENESS_PT_export"
    bl_label = "Export"

    def draw(self, context: bpy.types.Context) -> None:
        """Files, assets, bodies."""
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("likeness.export_copy", text=said("Export Copy..."), icon="EXPORT", translate=False)
        layout.operator(
            "likeness.export_target", text=said("MakeHuman Target..."), icon="OUTLINER_OB_ARMATURE", translate=False
        )
        layout.operator("likeness.mark_asset", icon="ASSET_MANAGER")


def presets(layout: bpy.types.UILayout, menu: str, add: str) -> None:
    """A row with the menu of presets, and the buttons to add and to remove one."""
    row = layout.row(align=True)
    row.menu(menu, text=said(getattr(bpy.types, menu).bl_label), translate=False)
    row.operator(add, text="", icon="ADD")
    row.operator(add, text="", icon="REMOVE").remove_active = True


CLASSES = (LIKENESS_PT_head, LIKENESS_PT_face, LIKENESS_PT_expression, LIKENESS_PT_export)
