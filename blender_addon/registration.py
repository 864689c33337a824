"""What Blender knows of the add-on: classes, properties, and the backend's end."""

import atexit

import bpy

from . import operators, panel, preferences, properties

CLASSES = (*properties.CLASSES, *preferences.CLASSES, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    """Add all classes and properties."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    properties.add()
    atexit.register(operators.running.stop)


def unregister() -> None:
    """Take back all that `register` and the operators made, the backend's process included."""
    operators.running.end(bpy.context.window_manager)
    operators.running.stop()
    atexit.unregister(operators.running.stop)
    properties.remove()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
