"""What is wrong with a shape's file, as a sentence that names it."""

from __future__ import annotations

from pathlib import Path


class BadShapeFile(ValueError):
    """A file that holds no shape that can be used; the message names the file and says what to do."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason
