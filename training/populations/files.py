"""Population files: one loader for all kinds, and ``FILE:WEIGHT`` as the command line takes it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.populations.anny import AnnyPopulation
from training.populations.identity import Population
from training.populations.linear import KIND, LinearPopulation
from training.populations.mixture import Mixture

ANNY = "anny"
"""How the population that is made from ``anny`` is asked for, in place of a file."""


class BadPopulation(ValueError):
    """A file that is no population; the message names it and says what to do."""


def load_population(path: Path) -> AnnyPopulation | LinearPopulation:
    """Reads a population file of any kind. Raises :class:`BadPopulation`."""
    if not path.is_file():
        raise BadPopulation(f"There is no population file {path}: make one with `likeness register` or see --help.")
    try:
        # Opened here, because numpy leaves a torn file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            kind = str(arrays["kind"]) if "kind" in arrays else "anny" if "phenotype_offsets" in arrays else ""
        if kind == KIND:
            return LinearPopulation.load(path)
        if kind == "anny":
            return AnnyPopulation.load(path)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadPopulation(f"{path} is not a whole population file ({error}): make it again.") from error
    raise BadPopulation(f"{path} is not a population file: `likeness register` makes them from scans or face models.")


def load_populations(specs: Sequence[str]) -> Population:
    """Reads ``FILE`` or ``FILE:WEIGHT`` each (weight 1 where none is given); several become one mixture.

    Raises :class:`BadPopulation`.
    """
    if not specs:
        raise BadPopulation("Name at least one population file.")
    pairs = [split_spec(spec) for spec in specs]
    parts = [load_population(path) for path, _ in pairs]
    if len(parts) == 1:
        return parts[0]
    try:
        return Mixture.of(parts, [weight for _, weight in pairs])
    except ValueError as error:
        raise BadPopulation(str(error)) from error


def found(spec: str, folder: Path) -> str:
    """``FILE`` or ``FILE:WEIGHT`` as it is, and for ``anny`` the path of that population in `folder`.

    It is made there if it is missing. Raises :class:`BadPopulation` where it cannot be made.
    """
    name, colon, weight = spec.partition(":")
    if name != ANNY or Path(name).exists():
        return spec
    path = folder / "population.npz"
    if not path.exists():
        try:
            made = AnnyPopulation.from_anny()
        except ImportError as error:
            raise BadPopulation(
                f"This Python has no anny to make {path} from. Run `likeness render` once where `pip install "
                "likeness[training]` was done, or name a file with --population."
            ) from error
        folder.mkdir(parents=True, exist_ok=True)
        made.save(path)
    return f"{path}{colon}{weight}"


def split_spec(spec: str) -> tuple[Path, float]:
    """The file and the weight (1 where none is given) of ``FILE`` or ``FILE:WEIGHT``. Raises :class:`BadPopulation`."""
    path, colon, weight = spec.rpartition(":")
    try:
        value = float(weight)
    except ValueError:
        return Path(spec), 1.0
    if not colon:
        return Path(spec), 1.0
    if not (value > 0.0 and np.isfinite(value)):
        raise BadPopulation(f"The weight of a population must be above zero, {spec} has {weight}.")
    return Path(path), value
