"""The add-on's preferences, and the settings that follow from them."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import server
from .server import Launch
from .words import said

EXTENSION_FOLDER = Path(__file__).resolve().parents[1]
DEFAULT_BUNDLE = EXTENSION_FOLDER / "backend" / "bundles" / "default"
ADDON_ID = __package__.rpartition(".")[0] or __package__


@dataclass(frozen=True)
class Settings:
    """What the preferences come to. `python` is empty for Blender's own."""

    python: str
    bundle: Path

    def launch(self) -> Launch:
        """How to start the backend. Another Python brings its own packages, so the extension's are not shown to it."""
        own = not self.python or self.python == sys.executable
        wheels = server.wheels_folder(Path(bpy.utils.user_resource("EXTENSIONS"))) if own else None
        return Launch(self.python or sys.executable, server.search_path(EXTENSION_FOLDER, wheels), self.bundle)


class LikenessPreferences(bpy.types.AddonPreferences):
    """Stored with Blender's preferences."""

    bl_idname = ADDON_ID

    backend_python: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Backend Python",
        description="Python in which likeness[gpu] is installed; empty for Blender's own Python, on the processor",
        subtype="FILE_PATH",
    )
    bundle_folder: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Bundle Folder",
        description="Folder of the model bundle to use; empty for the one that comes with Likeness",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The two paths, what the backend said last, and what can be done about both."""
        layout = self.layout
        layout.use_property_split = True
        state = context.window_manager.likeness
        layout.prop(self, "backend_python")
        row = layout.row(align=True)
        row.operator("likeness.test_backend")
        row.operator("likeness.stop_backend")
        column = layout.column(align=True)
        provider = state.provider.removesuffix("ExecutionProvider") or said("not started yet")
        column.label(text=said("Provider: {provider}", provider=provider))
        if state.memory:
            column.label(text=said("Memory: {megabytes} MB", megabytes=state.memory))
        layout.prop(self, "bundle_folder")
        row = layout.row(align=True)
        row.operator("likeness.open_bundle")
        row.operator("likeness.remove_bundle")
        layout.operator("likeness.copy_diagnostics", icon="COPYDOWN")


def preferences(context: bpy.types.Context) -> LikenessPreferences | None:
    """As the user has stored them; None where Likeness runs as a module and not as an extension."""
    addon = context.preferences.addons.get(ADDON_ID)
    return addon.preferences if addon is not None else None


def settings(context: bpy.types.Context) -> Settings:
    """The preferences in force: those of Blender, else the environment's LIKENESS_BUNDLE, else the defaults."""
    stored = preferences(context)
    python = bpy.path.abspath(stored.backend_python) if stored and stored.backend_python else ""
    folder = bpy.path.abspath(stored.bundle_folder) if stored else ""
    folder = folder or os.environ.get("LIKENESS_BUNDLE", "")
    return Settings(python, Path(folder) if folder else DEFAULT_BUNDLE)


CLASSES = (LikenessPreferences,)
