"""How near a population's identity space comes to real heads: the best fit to unseen ICT-FaceKit subjects.

python benchmarks/populations.py POPULATION... --ict ../shared/assets/ict-facekit [--count 50] [--json FILE]

Subjects are drawn from ICT-FaceKit's own modes at its full resolution, with seeds that nothing else uses; what a
population gets is the true geometry (the narrow face), and the coefficients that suit it best are sought. Measured as
the NoW benchmark measures scans: seven points, a similarity, a refinement, then the distance in mm of every scan
vertex in the face to the fitted head's skin. A population that was carried over from ICT-FaceKit's modes spans the
same subjects, so its figure says what registration and the template's coarser mesh lose; one that was not says how
much of real faces it covers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluation.now.protocol import IBUG, pooled, scan_to_mesh
from training.evaluation.surfaces import Mesh
from training.populations.files import load_population
from training.populations.identity import Population
from training.populations.linear import LinearPopulation
from training.progress import Progress
from training.registration.align import Similarity, fit_similarity
from training.registration.models.ict import read_ict
from training.registration.models.model import FaceModel
from training.registration.surface import Surface

Floats = NDArray[np.float64]

# The narrow face area of ICT-FaceKit's README.
_NARROW = 6706
_SEED = 31_337
_ROUNDS = 12


def subject(model: FaceModel, seed: int) -> tuple[Mesh, Floats]:
    """One unseen subject: its narrow face, mm, and all 68 points (68,3)."""
    rng = np.random.default_rng([_SEED, seed])
    weights = rng.normal(0.0, 1.0, len(model.modes)).astype(np.float32)
    head = 10.0 * (model.mean + np.tensordot(weights, model.modes, 1))
    inside = (model.triangles < _NARROW).all(1)
    return Mesh(head[:_NARROW], model.triangles[inside]), 10.0 * _marks(model, weights)


def _marks(model: FaceModel, weights: NDArray[np.float32]) -> Floats:
    from training.registration.models.ict import LANDMARKS_68

    ids = list(LANDMARKS_68)
    return model.mean[ids] + np.tensordot(weights, np.asarray(model.modes)[:, ids], 1)


class Basis:
    """A population's surface as mean and columns: its own modes, or the principal components of many draws."""

    def __init__(self, population: Population, draws: int = 1200, columns: int = 200) -> None:
        template = population.template
        # The mouth's inside belongs to the surface: ICT-FaceKit's lips go on behind where they meet.
        shown = np.isin(template.material, [list(template.material_names).index(name) for name in ("skin", "mouth")])
        skin = np.unique(template.quads[shown])
        quads = np.searchsorted(skin, template.quads[shown])
        self.triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)
        self.landmarks = np.searchsorted(skin, template.landmarks68)
        if isinstance(population, LinearPopulation):
            order = population.layout.direct[skin]
            self.mean = population.mean[order].astype(np.float64)
            self.columns = population.modes[:, order].astype(np.float64)
            return
        rng = np.random.default_rng(_SEED)
        heads = np.stack([population.vertices(population.draw(rng))[skin] for _ in range(draws)]).astype(np.float64)
        self.mean = heads.mean(0)
        _, spread, rows = np.linalg.svd((heads - self.mean).reshape(draws, -1), full_matrices=False)
        kept = spread[:columns, None] * rows[:columns] / np.sqrt(draws - 1)
        self.columns = kept.reshape(len(kept), -1, 3)

    def fit(self, scan: Mesh, marks: Floats) -> tuple[Floats, float]:
        """The head (S,3) nearest to a scan, and the root mean square of its coefficients in standard deviations.

        Points are drawn to planes, coefficients held by a weak normal prior.
        """
        goal = Surface(scan.vertices, scan.triangles)
        head: Floats = self.mean
        columns = self.columns.reshape(len(self.columns), -1)
        found = np.zeros(len(columns))
        pose = fit_similarity(marks, head[self.landmarks])
        for turn in range(_ROUNDS):
            points, normals = pose(goal.vertices), goal.normals @ pose.rotation.T
            own = Surface(head, self.triangles)
            hits = own.closest(points)
            good = ((hits.normals * normals).sum(1) > 0.5) & (hits.distance < (12.0 if turn < 3 else 4.0))
            corners, weights = hits.corners[good], hits.weights[good]
            at = (self.columns[:, corners] * weights[None, :, :, None]).sum(2)
            rows = (at * normals[good][None]).sum(2).T
            base = (self.mean[corners] * weights[..., None]).sum(1)
            values = ((points[good] - base) * normals[good]).sum(1)
            # Coefficients are normal: what the geometry leaves open stays near the mean.
            normal = rows.T @ rows + (5.0 if turn < 3 else 1.0) * np.eye(rows.shape[1])
            found = np.linalg.solve(normal, rows.T @ values)
            head = self.mean + (found @ columns).reshape(-1, 3)
            pose = _laid(scan, pose, Surface(head, self.triangles))
        return head, float(np.sqrt((found**2).mean()))


def _laid(scan: Mesh, pose: Similarity, head: Surface) -> Similarity:
    """The similarity that lays the scan's vertices on the head, from the one that was."""
    hits = head.closest(pose(scan.vertices))
    near = hits.distance < 4.0
    return fit_similarity(scan.vertices[near], hits.points[near])


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("populations", nargs="+", type=Path)
    parser.add_argument("--ict", type=Path, required=True, help="ICT-FaceKit: the packed file, its folder, FaceXModel")
    parser.add_argument("--count", type=int, default=50, help="unseen subjects")
    parser.add_argument("--json", type=Path, help="file for the figures")
    args = parser.parse_args()
    packed = sorted(args.ict.glob("*.npz")) if args.ict.is_dir() else []
    model = read_ict(packed[0] if packed else args.ict)
    figures = {}
    print("| population | median mm | mean mm | std mm | worst subject's median | coefficients' size |")
    print("|---|---|---|---|---|---|")
    for path in args.populations:
        population = load_population(path)
        basis = Basis(population)
        for label, fitted in ((population.name, True), (f"{population.name}, its mean head alone", False)):
            distances, sizes = [], []
            with Progress(label, args.count, unit="head") as progress:
                for seed in range(args.count):
                    scan, marks = subject(model, seed)
                    head, size = basis.fit(scan, marks) if fitted else (basis.mean, 0.0)
                    sizes.append(size)
                    measured = scan_to_mesh(scan, marks[IBUG], Mesh(head, basis.triangles), head[basis.landmarks[IBUG]])
                    distances.append(measured)
                    progress.advance()
            total, worst = pooled(distances), max(float(np.median(part)) for part in distances)
            size = float(np.mean(sizes))
            figures[label] = {
                "median": total.median,
                "mean": total.mean,
                "std": total.std,
                "worst": worst,
                "size": size,
            }
            print(f"| {label} | {total.median:.3f} | {total.mean:.3f} | {total.std:.3f} | {worst:.3f} | {size:.2f} |")
    if args.json:
        args.json.write_text(json.dumps({"count": args.count, "figures": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
