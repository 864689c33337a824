"""What Blender knows of the add-on: classes, properties, presets, translations, and the backend's end."""

import atexit

import bpy

from . import objects_ui, operators, panels, preferences, properties, translations

CLASSES = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *operators.CLASSES,
    *panels.CLASSES,
    *objects_ui.CLASSES,
)


def register() -> None:
    """Add all classes and properties."""
    translations.add()
    for cls in CLASSES:
        if issubclass(cls, bpy.types.Operator | bpy.types.Panel | bpy.types.Menu):
            cls.bl_translation_context = translations.CONTEXT
        bpy.utils.register_class(cls)
    properties.add()
    objects_ui.add()
    operators.presets.add()
    atexit.register(operators.running.stop)


def unregister() -> None:
    """Take back all that `register` and the operators made, the backend's process included."""
    operators.face.hide()
    operators.running.stop()
    operators.running.end(bpy.context.window_manager)
    atexit.unregister(operators.running.stop)
    operators.presets.remove()
    objects_ui.remove()
    properties.remove()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    translations.remove()
