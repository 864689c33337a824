"""How much nearer a head comes with several photos of a person, by how the photos are brought together.

    python benchmarks/several_photos.py --data DIR [--bundle DIR] [--people 60]

DIR is a set of rendered people, several photos of each, whom neither training nor calibration has seen (`likeness
render --photos 5`). Mean distance of corresponding vertices of the face, mm, after similarity alignment: of heads
fitted to the first 1, 2, ... photos at once, beginning with what these make probable together or with their plain mean;
and of heads fitted to each photo by itself and averaged, the surer counting more, as the add-on does. People of whom
some photo shows no face are left out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

AGREEMENT = "identity_agreement"


def main() -> int:
    """Print a table; return 2 for data with one photo of each person, or a bundle that does not tell how they agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--bundle", type=Path, metavar="DIR")
    parser.add_argument("--people", type=int, default=60)
    options = parser.parse_args()
    import numpy as np
    from tqdm import tqdm

    from backend.bundle import open_bundle
    from backend.failures import Failure
    from backend.localise import Localiser
    from backend.pipeline import Reconstructor
    from backend.regress import Regressor
    from training.evaluation.metrics import per_vertex_error
    from training.shards import read_info, read_shard, shard_paths

    bundle, each = open_bundle(options.bundle), read_info(options.data).photos
    if each < 2 or AGREEMENT not in bundle.arrays:
        print("several photos of each person are needed, and a bundle exported with --photos", file=sys.stderr)
        return 2
    plain = replace(bundle, arrays={name: array for name, array in bundle.arrays.items() if name != AGREEMENT})
    pooling, averaging = (Reconstructor(b, Localiser.open(), Regressor.open(b)) for b in (bundle, plain))
    face = bundle.arrays["regions"][list(bundle.description["region_names"]).index("face")].astype(bool)
    counts = sorted({count for count in (1, 2, 4, each) if count <= each})
    errors: dict[str, list[list[float]]] = {}
    samples = (sample for path in shard_paths(options.data) for sample in read_shard(path))
    people = (list(group) for _, group in groupby(samples, lambda sample: sample.index // each))
    for person, _ in zip(people, tqdm(range(options.people), desc="people", unit="person"), strict=False):
        pictures, truth = [sample.picture for sample in person], person[0].arrays["vertices"][face]
        try:
            alone = [pooling.reconstruct(picture) for picture in pictures]
        except Failure:
            continue
        sure = np.array([1.0 if one.sigma is None else float(np.median(one.sigma)) ** -2 for one in alone])
        for count in counts:
            first = pictures[:count]
            heads = {
                "at once, probable together": pooling.reconstruct_together(first)[0].identity,
                "at once, plain mean": averaging.reconstruct_together(first)[0].identity,
                "one by one": np.average([a.identity for a in alone[:count]], axis=0, weights=sure[:count]),
            }
            for name, identity in heads.items():
                head = bundle.vertices(np.asarray(identity, np.float32))[face]
                row = errors.setdefault(name, [[] for _ in counts])
                row[counts.index(count)].append(float(per_vertex_error(head, truth).mean()))
    print("| fitted | " + " | ".join(f"{count} photos" if count > 1 else "one photo" for count in counts) + " |")
    print("|---" * (1 + len(counts)) + "|")
    for name, row in errors.items():
        print(f"| {name} | " + " | ".join(f"{np.mean(one):.3f}" for one in row) + " |")
    print(f"{len(row[0])} people")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
