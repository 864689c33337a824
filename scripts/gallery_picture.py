"""Draws docs/images/gallery.jpg: the sample photo and the first faces of a data set as heads, good and bad alike.

    python scripts/gallery_picture.py --data DIR [--count 24] [--bundle DIR] [--output docs/images/gallery.jpg]

DIR is a data set that `likeness render` has written, none of whose people the bundle was trained on; pictures are taken
in order, but for those in which no face is found. Each has three panels: the picture, the head on it as its camera sees
it, and the head turned.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SAMPLE = ROOT / "docs" / "samples" / "eileen_collins.jpg"
PANEL = (132, 138)
COLUMNS, GAP = 3, 8
QUALITY = 82
TEXTURE = 1024


def main() -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=24, metavar="N")
    parser.add_argument("--bundle", type=Path, default=ROOT / "backend" / "bundles" / "default", metavar="DIR")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "gallery.jpg")
    options = parser.parse_args()
    from backend.failures import Failure
    from backend.pipeline import Reconstructor

    reconstructor, strips = Reconstructor.open(options.bundle), list[NDArray[np.uint8]]()
    for picture in pictures(options.data):
        try:
            strips.append(strip(reconstructor, picture, options.bundle))
        except Failure:
            continue
        print(f"{len(strips)} of {options.count}", flush=True)
        if len(strips) == options.count:
            break
    Image.fromarray(compose(strips)).save(options.output, quality=QUALITY, optimize=True)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")
    return 0


def pictures(folder: Path) -> Iterator[bytes]:
    """The sample photo, and the pictures of the data set in their order."""
    from training.shards import read_shard, shard_paths

    yield SAMPLE.read_bytes()
    for path in shard_paths(folder):
        for sample in read_shard(path):
            yield sample.picture


def strip(reconstructor: Any, picture: bytes, bundle_folder: Path) -> NDArray[np.uint8]:
    """The three panels (H, W, 3). Raises Failure where no face is found."""
    import bpy

    from blender_addon import bundle as bundles
    from blender_addon import preview, result
    from blender_addon.reconstruction import Reconstruction
    from blender_addon.result import Options, Shot

    answer = reconstructor.reconstruct(picture, texture=TEXTURE).to_json()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        path.write_bytes(picture)
        bundle = bundles.load(bundle_folder)
        reconstruction = Reconstruction.from_answer(answer, bundle)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        result.add(scene, scene.collection, bundle, [Shot(reconstruction)], Options(camera=False, lights="STUDIO"))
        return np.asarray(preview.draw(scene, reconstruction, path, PANEL, overlay=True))


def compose(strips: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Strips (H, W, 3) of one size in columns, one after the other from the left, white between them."""
    tall, wide = strips[0].shape[:2]
    rows = -(-len(strips) // COLUMNS)
    whole = np.full((rows * (tall + GAP) - GAP, COLUMNS * (wide + GAP) - GAP, 3), 255, np.uint8)
    for number, one in enumerate(strips):
        y, x = number // COLUMNS * (tall + GAP), number % COLUMNS * (wide + GAP)
        whole[y : y + tall, x : x + wide] = one
    return whole


if __name__ == "__main__":
    sys.exit(main())
