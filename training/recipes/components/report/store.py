"""Results that cost time, kept as they come: a report that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.recipes.runs import write_atomically


class Store:
    """Results in a folder, one JSON file each, found again by name and by what they were made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, made_of: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result called `name` of the plain values `made_of`: read, or made and written."""
        key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
        path = self.folder / f"{name.replace(' ', '-').replace('/', '-')}-{key}.json"
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
        result = make()
        write_atomically(path, json.dumps(result, indent=1).encode())
        return result
