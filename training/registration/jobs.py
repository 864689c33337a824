"""One run of `likeness register`, from what was read to the population and what its report says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.populations.linear import LinearPopulation
from training.progress import Progress
from training.registration.build import (
    linear_population,
    own_blinking_actions,
    population_from_model,
    register_model,
)
from training.registration.components import centred, principal_modes
from training.registration.models.model import FaceModel
from training.registration.report import Pictured, Residual, measure
from training.registration.rig import Rig
from training.registration.scans import Workshop, corresponding_model, in_correspondence, register_scan, scan_files
from training.registration.target import BadScan, Target
from training.registration.traits import TraitReader

Floats = NDArray[np.float64]

# Heads drawn from a model's own modes to see how well the carried modes follow them.
_SAMPLES = 12
_SEED = 20_260


@dataclass(frozen=True)
class Job:
    """What the command line asks for; work is the folder that keeps scans' results between runs.

    traits reads sex, age and ancestry off the shapes.
    """

    name: str
    unit: str
    most: int
    share: float
    source: str
    licence: str
    work: Path
    traits: TraitReader | None = None

    def tidy(self) -> None:
        """Removes the kept results."""
        if self.work.is_dir():
            shutil.rmtree(self.work)


@dataclass(frozen=True)
class Made:
    """A population with what its report needs."""

    population: LinearPopulation
    residuals: list[Residual]
    pictured: list[Pictured]
    facts: dict[str, str]
    skipped: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """One line."""
        median = float(np.median([item.median for item in self.residuals]))
        out = f", {len(self.skipped)} left out" if self.skipped else ""
        return f"{len(self.population.modes)} modes, {median:.2f} mm median distance{out}"


def from_model(rig: Rig, model: FaceModel, job: Job) -> Made:
    """A published model's modes and expressions on the template."""
    model = replace(model, modes=model.modes[: job.most])
    model = replace(model, source=job.source or model.source, licence=job.licence or model.licence)
    registered = register_model(rig, model)
    population = population_from_model(rig, model, registered, job.name, job.traits)
    residual, pictured = measure(rig, "mean", registered.target, registered.vertices)
    rng = np.random.default_rng(_SEED)
    residuals, rows = [residual], [pictured]
    for number in range(_SAMPLES if len(model.modes) else 0):
        weights = rng.normal(0.0, 1.0, len(model.modes)).astype(np.float32)
        moved = registered.pose.vectors(np.tensordot(weights, model.modes, 1).astype(np.float64))
        target = _moved(registered.target, moved)
        head = registered.vertices + np.tensordot(weights, population.modes, 1)
        residual, pictured = measure(rig, f"random head {number + 1}", target, head)
        residuals.append(residual)
        rows.append(pictured)
    carried = [name for name in rig.template.expression_names if str(name) in model.expression]
    facts = {
        "source": population.source or "not given",
        "licence": population.licence or "not given",
        "modes": str(len(population.modes)),
        "expressions": f"{len(carried)} of 52 carried over, the others are the template's own",
    }
    return Made(population, residuals, rows, facts)


def _moved(target: Target, offsets: Floats) -> Target:
    """The target with its vertices moved (V,3), and its landmarks with the vertices nearest to them."""
    ids = {
        number: int(np.argmin(((target.vertices - place) ** 2).sum(1))) for number, place in target.landmarks.items()
    }
    vertices = target.vertices + offsets
    return Target(vertices, target.triangles, {number: vertices[vertex] for number, vertex in ids.items()})


def from_scans(rig: Rig, folder: Path, shared: Path | None, job: Job) -> Made:
    """A folder of scans. Raises :class:`BadScan` when too few of them can be used."""
    files = scan_files(folder)
    if not files:
        raise BadScan("the folder has no scans (.obj .ply .stl .glb .gltf .off)")
    if in_correspondence(files, shared):
        skipped: dict[str, str] = {}
        model = corresponding_model(rig, files, shared, job.unit, job.most, job.share, skipped)
        made = from_model(rig, replace(model, source=job.source, licence=job.licence), job)
        facts = {"scans": f"{len(files) - len(skipped)} of one topology", **made.facts}
        return replace(made, facts=facts, skipped=skipped)
    return _one_by_one(rig, files, job)


def _one_by_one(rig: Rig, files: list[Path], job: Job) -> Made:
    workshop = Workshop(job.work, job.unit)
    heads, residuals, rows, skipped = [], [], [], dict[str, str]()
    with Progress("registering", len(files), unit="scan") as progress:
        for path in files:
            try:
                result = workshop.kept(path)
                if result is None:
                    result = register_scan(rig, path, job.unit)
                    workshop.keep(path, result)
            except BadScan as error:
                skipped[path.name] = str(error)
            else:
                residual, pictured = measure(rig, path.name, result.target, result.vertices)
                heads.append(result.vertices)
                residuals.append(residual)
                rows.append(pictured)
            progress.advance(note=path.name)
    try:
        mean, modes, parts = principal_modes(centred(np.array(heads), rig.skin_ids), job.most, job.share)
    except ValueError as error:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in skipped.items())
        raise BadScan(f"{error}{reasons}") from error
    population = linear_population(
        rig, job.name, mean, modes, own_blinking_actions(rig, mean), job.source, job.licence, job.traits
    )
    facts = {
        "source": job.source or "not given",
        "licence": job.licence or "not given",
        "scans": str(len(heads)),
        "modes": f"{len(modes)}, which hold {parts.sum():.1%} of the variance",
        "expressions": "the template's own",
    }
    return Made(population, residuals, rows, facts, skipped)
