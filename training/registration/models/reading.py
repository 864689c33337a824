"""Which face model a path is, and its reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.registration.landmarks import landmarks_in
from training.registration.models.bfm import is_bfm, read_bfm
from training.registration.models.flame import is_flame, read_flame
from training.registration.models.ict import is_ict, read_ict
from training.registration.models.model import BadModel, FaceModel


def read_model(path: Path, landmarks: Path | None = None) -> FaceModel | None:
    """Reads a face model, with landmarks from a file where given; None for a folder of scans.

    Raises :class:`BadModel` for a file that is none of the known models.
    """
    given: dict[int, Any] | None = landmarks_in(landmarks) if landmarks and path.is_file() else None
    if is_ict(path):
        return read_ict(path)
    if path.is_dir():
        return None
    if is_bfm(path):
        return read_bfm(path, given)
    if is_flame(path):
        return read_flame(path, given)
    raise BadModel("neither a folder of scans nor a face model that is known here (see --help)")
