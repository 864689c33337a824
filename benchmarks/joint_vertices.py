"""Memory and time of the recipe `joint` with as many vertices as the paper had: 53,490, vectors of 160,470 numbers.

    python benchmarks/joint_vertices.py --faces 10000 --steps 30
    python benchmarks/joint_vertices.py --faces 10000 --steps 30 --subspace 512

Faces are a smooth random surface plus random smooth columns (199 of them, like the Basel Face Model's), pictures their
depth. With `--subspace` heads go in as coordinates in their principal directions: the same minimum, a fraction of the
work.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.dataset import FaceSet
from training.recipes.joint.config import paper
from training.recipes.joint.train import train
from training.recipes.runs import read_log

Floats = NDArray[np.float32]


def random_faces(count: int, vertices: int, modes: int, folder: Path, seed: int = 0) -> FaceSet:
    """Faces of a random linear model; their heads lie in a file in `folder` that is gone with them."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(vertices)))
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side)), -1).reshape(-1, 2)[:vertices]
    mean = np.concatenate([70 * grid, 60 * np.exp(-1.5 * (grid**2).sum(1, keepdims=True))], axis=1)
    basis = np.empty((modes, vertices, 3), np.float32)
    for number in range(modes):
        waves = rng.normal(0, 2.5, (2, 3)) @ np.diag(rng.choice([-1, 1], 3))
        basis[number] = np.sin(grid @ waves + rng.uniform(0, 2 * np.pi, 3)) * 2.5 / (1 + number / 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        heads = np.memmap(file, np.float32, "w+", shape=(count, vertices, 3))
    images = np.zeros((count, 32, 32, 3), np.uint8)
    yaw = np.where(np.arange(count) % 5 == 0, 60.0, 0.0)
    for index in tqdm(range(count), desc="faces", unit="face"):
        head = mean + np.tensordot(rng.normal(size=modes).astype(np.float32), basis, 1)
        heads[index] = head
        images[index] = _depth(head, np.radians(yaw[index]))[:, :, None]
    region = np.ones((1, vertices), bool)
    ids = np.linspace(0, vertices - 1, 68).astype(int)
    template = {"mirror": np.arange(vertices), "regions": region, "region_names": np.array(["face"])}
    template |= {"landmarks68": ids, "landmarks_dense": np.zeros(0, int), "triangles": np.zeros((0, 3), int)}
    landmarks = np.tile(
        np.stack(np.meshgrid(np.linspace(5, 27, 17), np.linspace(5, 27, 4)), -1).reshape(1, 68, 2), (count, 1, 1)
    )
    nothing = np.zeros((count, 0, 2), np.float32)
    return FaceSet(
        images=images,
        vertices=heads,
        landmarks68=landmarks.astype(np.float32),
        landmarks_dense=nothing,
        rotation=np.zeros((count, 3, 3), np.float32),
        translation=np.zeros((count, 3), np.float32),
        focal=np.zeros(count, np.float32),
        visible68=np.ones((count, 68), bool),
        visible_dense=np.ones((count, 0), bool),
        yaw=yaw.astype(np.float32),
        keys=np.array([f"{index:08d}" for index in range(count)]),
        reflectance=None,
        template=template,
    )


def _depth(head: Floats, yaw: float) -> NDArray[np.uint8]:
    """A picture (32,32) of how near the surface is, turned by `yaw`."""
    x = head[:, 0] * np.cos(yaw) + head[:, 2] * np.sin(yaw)
    z = head[:, 2] * np.cos(yaw) - head[:, 0] * np.sin(yaw)
    place = np.clip((np.stack([x, head[:, 1]]) / 85 * 16 + 16).astype(int), 0, 31)
    cells = place[1] * 32 + place[0]
    depth = np.bincount(cells, z, 1024) / np.maximum(np.bincount(cells, minlength=1024), 1)
    return np.clip(depth * 2.5 + 60, 0, 255).astype(np.uint8).reshape(32, 32)


def main() -> None:
    """Trains a few steps and prints seconds a step, and how much memory was needed at most."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=2_000)
    parser.add_argument("--vertices", type=int, default=53_490)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--subspace", type=int, help="principal directions that heads are given in")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="for heads and run")
    args = parser.parse_args()
    base = paper()
    schedule = replace(base.schedule, steps=args.steps)
    config = replace(base, schedule=schedule, subspace=args.subspace, log_every=1, validate_every=10**9)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        faces = random_faces(args.faces, args.vertices, 199, Path(folder))
        before = _peak()
        started = time.perf_counter()
        train(config, faces, Path(folder) / "run")
        whole = time.perf_counter() - started
        speeds = [line["images_per_second"] for line in read_log(Path(folder) / "run") if "loss" in line]
        seconds = schedule.batch_size / speeds[-2] if len(speeds) > 1 else float("nan")
    print(f"{args.faces} faces, {args.vertices} vertices, subspace {args.subspace}:")
    print(f"  {seconds:.2f} s a step, {whole - args.steps * seconds:.0f} s to begin and end")
    print(f"  at most {_peak():.1f} GB of memory ({before:.1f} GB before the training, pages of files among them)")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
