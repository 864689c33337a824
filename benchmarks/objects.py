"""How long an object takes: the picture made ready, the network, the mesh, and the mesh again at other thresholds.

    python benchmarks/objects.py PICTURE [--bundle DIR] [--times N]

Milliseconds, median of N (20). The last figure is what Blender waits for at each move of the threshold's slider.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backend.voxels import VoxelReconstructor, prepared
from blender_addon.objects_voxels import Voxels


def milliseconds(work: Callable[[], object], times: int) -> float:
    """Median time of some calls."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--bundle", type=Path, metavar="DIR")
    parser.add_argument("--times", type=int, default=20, metavar="N")
    options = parser.parse_args()
    reconstructor = VoxelReconstructor.open(options.bundle)
    content = options.picture.read_bytes()
    with Image.open(BytesIO(content)) as opened:
        image = opened.convert("RGB")
    size = reconstructor.bundle.size
    pixels, _ = prepared(image, size)
    found = reconstructor.reconstruct(content)
    voxels = Voxels(np.round(found.occupancy * 255).astype(np.uint8), found.threshold)
    thresholds = iter(np.resize(np.linspace(0.2, 0.8, 13), options.times))
    rows = {
        "the object found, cut, whitened": lambda: prepared(image, size),
        "network": lambda: reconstructor.occupancy(pixels),
        "mesh": lambda: voxels.mesh(found.threshold),
        "mesh at another threshold": lambda: voxels.mesh(float(next(thresholds))),
    }
    for name, work in rows.items():
        print(f"{name:32} {milliseconds(work, options.times):8.1f} ms")
    vertices, quads = voxels.mesh(found.threshold)
    print(f"{len(vertices)} vertices, {len(quads)} quads from {len(found.occupancy)}^3 voxels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
