"""Pre-trained parts on disk: runs whose encoders or decoders are pre-trained alike share what that cost.

A part depends on its own configuration, the pictures or shapes, and the seed alone, not on what it is joined with: that
is what the paper means by components that are trained apart.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.recipes.components.config import ComponentsConfig, stage_of


class Parts:
    """A folder of pre-trained parts; without a folder nothing is found and nothing kept."""

    def __init__(self, folder: Path | None, config: ComponentsConfig, data: str) -> None:
        self.folder, self.config, self.data = folder, config, data
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def load(self, stage: str, modules: dict[str, nn.Module]) -> bool:
        """Sets the modules to what this stage made of their like before, and says whether it did."""
        path = self._path(stage)
        if path is None or not path.is_file():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, module in modules.items():
            module.load_state_dict(state[name])
        return True

    def keep(self, stage: str, modules: dict[str, nn.Module]) -> None:
        """Writes what a stage has made of the modules."""
        path = self._path(stage)
        if path is None:
            return
        part = path.with_name(path.name + ".partial")
        torch.save({name: module.state_dict() for name, module in modules.items()}, part)
        part.replace(path)

    def _path(self, stage: str) -> Path | None:
        if self.folder is None:
            return None
        config = self.config
        made_of: dict[str, Any] = {"data": self.data, "seed": config.seed, "mirror": config.mirror}
        made_of |= {"test": config.test, "size": config.size, "stage": asdict(stage_of(config, stage))}
        made_of["part"] = asdict(config.decoder if stage == "shapes" else config.encoder)
        if stage == "agreement" and config.views is not None:
            # How it is taught on is no part of it.
            made_of["views"] = asdict(replace(config.views, answers=config.views.agreement, centres=0))
        key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
        return self.folder / f"{stage}-{key}.pt"
