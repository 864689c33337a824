"""Heads to files for other programs, and what came back from them."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from .. import export, ranges, targets
from ..failures import Failure
from ..selection import active_head
from ..words import said, sentence
from .edit import OnHead

FORMATS = (
    (".glb", "glTF (.glb)", "For Godot, Unity with a glTF importer, the web, and most other programs"),
    (".fbx", "FBX (.fbx)", "For Unity, Unreal Engine and Maya"),
    (".usdc", "USD (.usdc)", "For Omniverse, Houdini and Maya"),
    (".usdz", "USDZ (.usdz)", "For Apple's AR Quick Look"),
    (".obj", "OBJ (.obj)", "The shape alone, without expressions"),
)


class LIKENESS_OT_export_copy(OnHead, ExportHelper, bpy.types.Operator):
    """Write a copy of the head to a file: its identity baked in, with the ARKit expressions alone"""

    bl_idname = "likeness.export_copy"
    bl_label = "Export Copy"

    file_format: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Format", description="Kind of file", items=FORMATS
    )
    keep_identity: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Keep Identity Sliders",
        description="Keep the learned components as keys instead of baking them into the mesh",
    )
    apply_modifiers: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Apply Modifiers",
        description="Apply the modifiers that are switched on in the viewport, to the mesh and to every expression",
    )
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default=";".join(f"*{ending}" for ending, _, _ in FORMATS), options={"HIDDEN"}
    )
    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File", description="The file to write", subtype="FILE_PATH"
    )
    check_extension = None  # `check` does it, since the format may change while the browser is open

    @property
    def filename_ext(self) -> str:
        """What the file's name ends in."""
        return str(self.file_format)

    def check(self, context: bpy.types.Context) -> bool:
        """Keep the name's ending that of the format."""
        path = Path(self.filepath)
        if not path.name or path.suffix == self.file_format:
            return False
        known = {ending for ending, _, _ in FORMATS}
        stem = path.with_suffix("") if path.suffix.lower() in known else path
        self.filepath = f"{stem}{self.file_format}"
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Propose the head's name."""
        if not self.filepath:
            self.filepath = f"{active_head(context).name}{self.file_format}"
        return ExportHelper.invoke(self, context, event)

    def draw(self, context: bpy.types.Context) -> None:
        """Beside the file browser."""
        column = self.layout.column()
        for name in ("file_format", "keep_identity", "apply_modifiers"):
            column.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write; the head stays as it is."""
        if not self.properties.is_property_set("file_format"):
            ending = Path(self.filepath).suffix.lower()
            self.file_format = ending if ending in {known for known, _, _ in FORMATS} else ".glb"
        self.check(context)
        path = Path(bpy.path.abspath(self.filepath))
        try:
            export.write(active_head(context), path, export.Options(self.keep_identity, self.apply_modifiers))
        except Failure as failure:
            return self.fail(failure)
        self.report({"INFO"}, said("{name} was written", name=path.name))
        return {"FINISHED"}


class LIKENESS_OT_restore_ranges(bpy.types.Operator):
    """Set the sliders of an imported head right: 0 to 1 for expressions, -3 to 3 for the learned components"""

    bl_idname = "likeness.restore_ranges"
    bl_label = "Restore Slider Ranges"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The active object has keys with ARKit's names."""
        if not ranges.can_restore(context.active_object):
            cls.poll_message_set(said("Select an imported head with ARKit shape keys first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the keys."""
        try:
            count = ranges.restore(context.active_object)
        except Failure as failure:
            self.report({"ERROR"}, sentence(failure))
            return {"CANCELLED"}
        self.report({"INFO"}, said("{count} sliders were set right", count=count))
        return {"FINISHED"}


class LIKENESS_OT_export_target(OnHead, ExportHelper, bpy.types.Operator):
    """Write the head's shape as a MakeHuman target, which MPFB gives to a body with clothes and a rig"""

    bl_idname = "likeness.export_target"
    bl_label = "Export MakeHuman Target"

    filename_ext = ".target"
    filter_glob: bpy.props.StringProperty(default="*.target", options={"HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The head's model knows its place in MakeHuman's base mesh."""
        if not super().poll(context):
            return False
        if not targets.can_write(active_head(context)):
            cls.poll_message_set(sentence(Failure("targets_none")))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The identity alone: MPFB has expressions of its own."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            count = targets.write(active_head(context), path)
        except Failure as failure:
            return self.fail(failure)
        self.report({"INFO"}, said("{name} was written; it moves {count} vertices", name=path.name, count=count))
        return {"FINISHED"}


CLASSES = (LIKENESS_OT_export_copy, LIKENESS_OT_restore_ranges, LIKENESS_OT_export_target)
