# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender extension's entry; importing it needs no bpy."""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from .blender_addon import register as register_addon

    register_addon()


def unregister() -> None:
    """Called by Blender when the extension is disabled and when Blender ends."""
    from .blender_addon import unregister as unregister_addon

    unregister_addon()
