"""Draws docs/images/turntable.jpg: textured heads from all sides, those that the photo does not show too.

    python scripts/turntable_picture.py [--data DIR] [--bundle DIR] [--output docs/images/turntable.jpg]

The first row is the sample photo's head. With DIR, a data set that `likeness render` has written, two rows more are of
the first faces in it that are turned by 30 to 45 degrees to the left and to the right, with nothing before them: one
side of the face and the back of the head are in neither photo.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SAMPLE = ROOT / "docs" / "samples" / "eileen_collins.jpg"
PANEL = (240, 240)
ANGLES = (-90.0, -45.0, 0.0, 45.0, 90.0, 135.0, 180.0)
QUALITY = 82
TEXTURE = 2048
HIDING = ("beard", "glasses", "headwear", "occluder")


def main() -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default", metavar="DIR")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "turntable.jpg")
    options = parser.parse_args()
    from backend.pipeline import Reconstructor

    pictures = [SAMPLE.read_bytes()]
    if options.data is not None:
        pictures += [turned(options.data, sign) for sign in (-1, 1)]
    reconstructor = Reconstructor.open(options.bundle)
    rows = [strip(reconstructor, picture, options.bundle) for picture in pictures]
    Image.fromarray(np.concatenate(rows)).save(options.output, quality=QUALITY, optimize=True)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")
    return 0


def turned(folder: Path, sign: int) -> bytes:
    """The first picture of a bare face turned by 30 to 45 degrees. Raises `ValueError` when there is none."""
    from training.shards import read_shard, shard_paths

    for path in shard_paths(folder):
        for sample in read_shard(path):
            drawn = sample.parameters
            bare = all(drawn[name] is None or drawn[name].get("style") == "none" for name in HIDING)
            if bare and 30 < sign * drawn["yaw"] < 45 and abs(drawn["pitch"]) < 15:
                return sample.picture
    raise ValueError(f"{folder} has no bare face turned by 30 to 45 degrees: render more")


def strip(reconstructor: Any, picture: bytes, bundle_folder: Path) -> Any:
    """The photo's face and its head from all sides, (H, W, 3)."""
    import bpy

    from blender_addon import bundle as bundles
    from blender_addon import preview, result
    from blender_addon.reconstruction import Reconstruction
    from blender_addon.result import Options, Shot

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        path.write_bytes(picture)
        answer = reconstructor.reconstruct(picture, texture=TEXTURE).to_json()
        bundle = bundles.load(bundle_folder)
        reconstruction = Reconstruction.from_answer(answer, bundle)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        result.add(scene, scene.collection, bundle, [Shot(reconstruction)], Options(camera=False, lights="STUDIO"))
        photo = np.asarray(preview.draw(scene, reconstruction, path, PANEL))[:, : PANEL[0]]
        return np.concatenate([photo, preview.turntable(scene, ANGLES, PANEL)], 1)


if __name__ == "__main__":
    sys.exit(main())
