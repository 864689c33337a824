from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.populations.anny import AnnyPopulation
from training.template import HeadAssembler


@pytest.fixture(scope="session")
def rig(assembler: HeadAssembler) -> object:
    pytest.importorskip("trimesh")
    from training.registration.rig import Rig

    return Rig.of(assembler)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registration with few steps: what is tested is what becomes of its result."""
    monkeypatch.setattr("training.registration.fit.STEPS", ((0.02, 5.0, 0.5, 2),))
    monkeypatch.setattr("training.registration.fit.POLISHES", 1)


@pytest.fixture(scope="session")
def other_heads(population: AnnyPopulation) -> Callable[[int], np.ndarray]:
    """Used vertices (U,3) mm of the anny head of a seed."""
    from training.populations.anny import PHENOTYPES, phenotype_weights

    def head(seed: int) -> np.ndarray:
        identity = population.draw(np.random.default_rng(seed))
        phenotypes, local = np.split(np.array(identity.coefficients), [len(PHENOTYPES)])
        moved = phenotype_weights(tuple(phenotypes), population.phenotype_mask) @ population.phenotype_offsets
        moved = moved + np.maximum(local, 0) @ population.local_offsets[:, 0]
        moved = moved + np.maximum(-local, 0) @ population.local_offsets[:, 1]
        used = population.neutral + moved.reshape(-1, 3)
        return (used - used[population.layout.tragi].mean(0)).astype(np.float64)

    return head


def write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in np.asarray(triangles) + 1]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_scan(path: Path, vertices: np.ndarray, triangles: np.ndarray, marks: np.ndarray | None) -> None:
    """A scan in centimetres, turned and moved, its landmarks (68,3) beside it."""
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    write_obj(path, 0.1 * vertices @ turn.T + 3.0, triangles)
    if marks is not None:
        points = 0.1 * marks @ turn.T + 3.0
        content = {str(number): point.tolist() for number, point in enumerate(points)}
        path.with_suffix(".json").write_text(json.dumps(content), encoding="ascii")
