"""How far off the head's rotation is, with the focal length that is assumed and with the one that the face tells.

    python benchmarks/pose.py --data DIR [--bundle DIR] [--count N]

DIR is a data set that `likeness render` has written, of people the bundle was not trained on. The landmarks and the
shape are the bundle's own, from the picture alone; the pictures tell no focal length, as few photos do.
"""

from __future__ import annotations

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Print a row for each way."""
    from backend.failures import Failure
    from backend.pipeline import Reconstructor
    from backend.pose import FOCAL_SPREAD, fit_pose, focal_length
    from training.dataset import read_faces
    from training.evaluation.inverse import turn_between

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of rendered faces")
    parser.add_argument("--bundle", type=Path, help="default: the one that ships")
    parser.add_argument("--count", type=int, default=200, help="how many faces (default: %(default)s)")
    options = parser.parse_args()
    reconstructor = Reconstructor.open(options.bundle)
    faces = read_faces(options.data, options.count, reflectance=False)
    ways = {"50 mm assumed": 0.0, "told by the face": FOCAL_SPREAD}
    degrees: dict[str, list[float]] = {way: [] for way in ways}
    for image, truth in zip(faces.images, faces.rotation, strict=True):
        with BytesIO() as file:
            Image.fromarray(image).save(file, "PNG")
            content = file.getvalue()
        try:
            answer = reconstructor.reconstruct(content)
        except Failure:
            continue
        if answer.landmarks68_2d is None:
            continue
        points = reconstructor.bundle.landmarks(answer.identity, answer.expression)
        expected = focal_length(answer.image_size, None)
        for way, spread in ways.items():
            pose = fit_pose(answer.landmarks68_2d, points, expected, answer.image_size, spread)
            if pose is not None:
                degrees[way].append(turn_between(pose.rotation, truth))
    print("| focal length | faces | rotation off by, mean | median |\n|---|---|---|---|")
    for way, values in degrees.items():
        print(f"| {way} | {len(values)} | {np.mean(values):.2f}° | {np.median(values):.2f}° |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
