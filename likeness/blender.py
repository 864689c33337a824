"""What needs Blender's module: writing .blend, .glb, .fbx and .obj, and rendering the preview."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from likeness.outputs import held_stdout


class BlenderError(Exception):
    """Blender's module cannot be loaded, or failed; the message says what to do."""


def load() -> None:
    """Import Blender's module. Raises BlenderError when it cannot be loaded, ModuleNotFoundError when not installed."""
    try:
        with held_stdout():
            import bpy  # noqa: F401
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise BlenderError(
            f"Blender's module cannot be loaded ({error}); install the system libraries it needs "
            "(on Debian and Ubuntu: scripts/system_libraries.sh in Likeness' source)."
        ) from error


def write(output: Path, preview: Path | None, answer: Mapping[str, Any], image: Path, bundle: Path) -> None:
    """Write the head of `answer` to `output`, whose ending chooses the format, and its picture to `preview`.

    Starts from an empty scene. Raises BlenderError.
    """
    from blender_addon.failures import Failure
    from blender_addon.headless import build_file

    try:
        with held_stdout():
            build_file(bundle, dict(answer), output, image, preview)
    except (Failure, RuntimeError) as error:  # RuntimeError is how Blender's operators fail
        # Files are written in a folder of their own first, which is nobody's business.
        raise BlenderError(str(error).strip().replace(str(output), output.name)) from error
