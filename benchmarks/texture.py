"""How near the skin's texture is to the skin, on rendered faces whose albedo is known: the table of docs/texture.md.

    python benchmarks/texture.py --data DIR [--bundle DIR] [--count N] [--side S]
    python benchmarks/texture.py [--bundle DIR]

DIR is a data set that `likeness render --passes seg,albedo,uv` has written, of people the bundle was not trained on.
Of each face turned at most 40 degrees the whole pipeline makes a texture from the picture alone. At every pixel that
shows bare skin or lips, the texture is looked up where the UV pass says that the pixel's skin lies; where the texture
claims to show the photo, its albedo is compared with the albedo pass (linear RGB, root mean square), and so is what it
took from the photo, with the light in it. Without --data the sample photo is given textures of each size: processor
seconds of the whole pipeline for the first and for later ones, and the most memory that the process has had so far.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SAMPLE = ROOT / "docs" / "samples" / "eileen_collins.jpg"
FRONTAL_DEGREES = 40.0


def main() -> int:
    """Print the table."""
    from backend.decode import decode
    from backend.failures import Failure
    from backend.pipeline import Reconstructor
    from backend.pose import Pose
    from backend.skin import Portrait, Skin
    from backend.texture import SEEN
    from training.shards import read_shard, shard_paths
    from training.truth import unpack_truth

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of rendered faces; without it only the costs are measured")
    parser.add_argument("--bundle", type=Path, help="default: the one that ships")
    parser.add_argument("--count", type=int, default=100, help="how many faces (default: %(default)s)")
    parser.add_argument("--side", type=int, default=1024, help="of the texture (default: %(default)s)")
    options = parser.parse_args()
    if options.data is None:
        costs(options.bundle)
        return 0
    reconstructor = Reconstructor.open(options.bundle)
    bundle = reconstructor.bundle
    skin = Skin.of(bundle)
    if skin is None:
        print("this bundle has no skin to paint on", file=sys.stderr)
        return 2
    rows: list[list[float]] = []
    for sample in (sample for shard in shard_paths(options.data) for sample in read_shard(shard)):
        if len(rows) == options.count:
            break
        if abs(sample.parameters["yaw"]) > FRONTAL_DEGREES:
            continue
        truth = unpack_truth(sample.packed)
        if not {"seg", "albedo", "uv"} <= set(truth):
            print(f"{options.data} lacks passes: `likeness render --passes seg,albedo,uv` makes them", file=sys.stderr)
            return 2
        content = sample.picture
        try:
            answer = reconstructor.reconstruct(content, texture=options.side)
        except Failure:
            continue
        if answer.texture is None or answer.focal is None:
            continue
        picture = decode(content)
        pose = Pose(answer.rotation, answer.translation, answer.focal, 0.0)
        head = bundle.vertices(answer.identity, answer.expression)
        portrait = Portrait(picture.image, picture.reduction, pose, answer.landmarks68_2d, head)
        atlas, made = skin.texture(portrait, answer.reflectance, options.side)
        at, albedo = skin_pixels(truth, options.side)
        origin = atlas.image(made.origin[:, None]).reshape(-1)[at]
        at, albedo = at[origin == SEEN], albedo[origin == SEEN]
        if len(at) < 100:
            continue
        model = skin.model(answer.reflectance)
        ours, photo, even = (
            atlas.image(values).reshape(-1, 3)[at] for values in (made.albedo, made.projected, atlas.interpolate(model))
        )
        toned = ours * ((ours * albedo).sum(0) / (ours**2).sum(0))
        rows.append([float(np.sqrt(((column - albedo) ** 2).mean())) for column in (ours, photo, even, toned)])
    ours, photo, even, toned = np.array(rows).T
    print(f"{len(rows)} faces, texture of {options.side}, albedo in linear RGB where the photo shows the skin\n")
    print("| | RMSE | of the photo's |\n|---|---|---|")
    print(f"| the photo, its light in it | {photo.mean():.4f} | 1 |")
    print(f"| the reflectance estimate alone | {even.mean():.4f} | {even.mean() / photo.mean():.3f} |")
    print(f"| **the texture** | {ours.mean():.4f} | **{ours.mean() / photo.mean():.3f}** |")
    print(f"| the texture, its mean tone set right | {toned.mean():.4f} | {toned.mean() / photo.mean():.3f} |")
    return 0


def skin_pixels(truth: dict[str, NDArray[Any]], side: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Of every pixel that shows bare skin or lips: the flat index (K,) of its texel, and its albedo (K,3)."""
    from training.subjects.props import SEGMENTS

    bare = np.isin(truth["seg"], [SEGMENTS.index(name) for name in ("skin", "lips")])
    u, v = truth["uv"][bare].T
    column, row = (np.clip((place * side).astype(np.intp), 0, side - 1) for place in (u, 1.0 - v))
    return row * side + column, truth["albedo"][bare].astype(np.float32)


def costs(bundle: Path | None) -> None:
    """Print what textures of the sample photo cost."""
    from backend.pipeline import Reconstructor
    from backend.skin import SIDES

    content = SAMPLE.read_bytes()
    reconstructor = Reconstructor.open(bundle)
    print("\n| side | the first, s | later ones, s | at most, MB |\n|---|---|---|---|")
    for side in (None, *SIDES):
        spent = []
        for _ in range(4):
            started = time.process_time()
            reconstructor.reconstruct(content, texture=side)
            spent.append(time.process_time() - started)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"| {side or 'none'} | {spent[0]:.2f} | {np.median(spent[1:]):.2f} | {memory} |")


if __name__ == "__main__":
    sys.exit(main())
