"""The operators: they check, report, and hand the work to others."""

from . import clipboard, drop, edit, exporting, face, presets, reconstruct, upkeep
from .running import running

CLASSES = (
    *reconstruct.CLASSES,
    *face.CLASSES,
    *clipboard.CLASSES,
    *drop.CLASSES,
    *edit.CLASSES,
    *presets.CLASSES,
    *exporting.CLASSES,
    *upkeep.CLASSES,
)

__all__ = ["CLASSES", "face", "presets", "running"]
