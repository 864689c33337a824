"""Languages of the interface: English is in the code, all others are tables from English."""

from __future__ import annotations

from .backend import BACKEND_SENTENCES
from .german import GERMAN

LANGUAGES = {"de_DE": GERMAN}
CONTEXT = "Likeness"
"""Where Blender finds our words, since its own "Face" is one of a mesh."""

_CONTEXTS = ("*", CONTEXT)  # tooltips and properties' names are looked up in the first

__all__ = ["BACKEND_SENTENCES", "CONTEXT", "LANGUAGES", "add", "remove"]


def add() -> None:
    """Tell Blender all translations."""
    import bpy

    tables = {
        language: {(context, text): translated for text, translated in table.items() for context in _CONTEXTS}
        for language, table in LANGUAGES.items()
    }
    bpy.app.translations.register(__package__, tables)


def remove() -> None:
    """Let it forget them."""
    import bpy

    bpy.app.translations.unregister(__package__)
