"""Faces and expressions in Blender's own preset system."""

import ast
from pathlib import Path

import bpy
from bl_operators.presets import AddPresetBase

from .. import shape
from ..facetext import Face
from ..failures import Failure
from ..selection import active_head
from .edit import OnHead

SHIPPED = Path(__file__).resolve().parents[1]
"""The folder whose `presets` come with Likeness."""


class LIKENESS_MT_face_presets(bpy.types.Menu):
    """Faces that were kept"""

    bl_label = "Face Presets"
    preset_subdir = "likeness/face"
    preset_operator = "likeness.apply_preset"
    draw = bpy.types.Menu.draw_preset


class LIKENESS_MT_expression_presets(bpy.types.Menu):
    """Expressions that were kept, and some that come with Likeness"""

    bl_label = "Expression Presets"
    preset_subdir = "likeness/expression"
    preset_operator = "likeness.apply_preset"
    draw = bpy.types.Menu.draw_preset


class LIKENESS_OT_add_face_preset(OnHead, AddPresetBase, bpy.types.Operator):
    """Keep the identity under a name, or remove the one that is shown"""

    bl_idname = "likeness.add_face_preset"
    bl_label = "Add Face Preset"
    preset_menu = "LIKENESS_MT_face_presets"
    preset_subdir = LIKENESS_MT_face_presets.preset_subdir
    preset_defines = ("head = bpy.context.object.likeness",)
    preset_values = ("head.face_text",)


class LIKENESS_OT_add_expression_preset(OnHead, AddPresetBase, bpy.types.Operator):
    """Keep the expression under a name, or remove the one that is shown"""

    bl_idname = "likeness.add_expression_preset"
    bl_label = "Add Expression Preset"
    preset_menu = "LIKENESS_MT_expression_presets"
    preset_subdir = LIKENESS_MT_expression_presets.preset_subdir
    preset_defines = ("head = bpy.context.object.likeness",)
    preset_values = ("head.expression_text",)


class LIKENESS_OT_apply_preset(OnHead, bpy.types.Operator):
    """Give the head this face or expression"""

    bl_idname = "likeness.apply_preset"
    bl_label = "Apply Preset"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File", description="The preset's file", subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"}
    )
    menu_idname: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Menu", description="The menu that it was chosen from", options={"SKIP_SAVE", "HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the text out of the file, which is never run, and say what is wrong with it."""
        thing = active_head(context)
        try:
            name, face = read(Path(self.filepath))
            if name == "face_text":
                shape.set_identity_of(thing, face)
            else:
                shape.set_expression_of(thing, face)
        except Failure as failure:
            return self.fail(failure)
        menu = getattr(bpy.types, self.menu_idname, None)
        if menu is not None:
            menu.bl_label = bpy.path.display_name(Path(self.filepath).name, title_case=False)
        return {"FINISHED"}


def read(path: Path) -> tuple[str, Face]:
    """Which of the two texts the file sets, and the face in it. Raises Failure: `text_damaged`, `text_none`."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise Failure("text_damaged", reason=error) from error
    for line in tree.body:
        match line:
            case ast.Assign(
                targets=[ast.Attribute(attr="face_text" | "expression_text" as name)],
                value=ast.Constant(value=str(text)),
            ):
                return name, Face.from_text(text)
    raise Failure("text_none")


CLASSES = (
    LIKENESS_MT_face_presets,
    LIKENESS_MT_expression_presets,
    LIKENESS_OT_add_face_preset,
    LIKENESS_OT_add_expression_preset,
    LIKENESS_OT_apply_preset,
)


def add() -> None:
    """Let Blender find the presets that come with Likeness."""
    bpy.utils.register_preset_path(str(SHIPPED))


def remove() -> None:
    """Let it forget them."""
    bpy.utils.unregister_preset_path(str(SHIPPED))
