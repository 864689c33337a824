"""The add-on inside Blender: a panel, operators, and the head they make.

Importing this package costs nothing and needs no bpy; `register` imports the rest.
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled and when Blender ends."""
    from . import registration

    registration.unregister()
