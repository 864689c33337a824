"""The add-on's preferences, and the settings that follow from them."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import server
from .server import Launch

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
        """Two paths, and which device answered last."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "backend_python")
        layout.prop(self, "bundle_folder")
        layout.label(text=f"Provider: {context.window_manager.likeness.provider or 'not started yet'}")


def settings(context: bpy.types.Context) -> Settings:
    """The preferences in force: those of Blender, else the environment's LIKENESS_BUNDLE, else the defaults."""
    addon = context.preferences.addons.get(ADDON_ID)
    stored = addon.preferences if addon is not None else None
    python = bpy.path.abspath(stored.backend_python) if stored and stored.backend_python else ""
    folder = bpy.path.abspath(stored.bundle_folder) if stored else ""
    folder = folder or os.environ.get("LIKENESS_BUNDLE", "")
    return Settings(python, Path(folder) if folder else DEFAULT_BUNDLE)


CLASSES = (LikenessPreferences,)
