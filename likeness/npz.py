"""The .npz of one photo: what was estimated, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from backend.bundle import Bundle
    from backend.detail import SkinDetail

OPTIONAL = (
    "expression", "reflectance", "illumination", "rotation", "translation", "focal", "landmarks68_2d",
    "personalisation",
)  # fmt: skip


def contents(
    answer: Mapping[str, Any],
    bundle: Bundle,
    detail: SkinDetail | None = None,
    sigma: NDArray[np.floating[Any]] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of the file for one answer of the protocol.

    `neutral` (N, 3) is the head by identity alone and `vertices` (N, 3) with the expression too, both in head space,
    mm; without an estimated expression they are the same. `identity` (K,), `triangles` (F, 3), `landmarks68` (68,)
    vertex ids, `method` and `bundle` are always there; `expression` (52,), `reflectance` (R,), `illumination` (9, 3),
    `rotation` (3, 3) and `translation` (3,) mm from head space to camera space (x right, y down, z forward), `focal` ()
    px, `landmarks68_2d` (68, 2) px of the photo and `personalisation` () 0..1 only where the method estimates them, and
    so `sigma` (N,) mm, the standard deviation of where each vertex of `neutral` lies. With `detail`, `displacement`
    (S, S) mm and `normal_map` (S, S, 3), unit vectors in tangent space, are the skin's relief in UV, rows down from
    v = 1.
    """
    estimated = {name: np.asarray(answer[name], np.float32) for name in OPTIONAL if answer.get(name) is not None}
    identity = np.asarray(answer["identity"], np.float32)
    relief: dict[str, NDArray[Any]] = {}
    if detail is not None:
        relief = {"displacement": detail.displacement, "normal_map": detail.normals.astype(np.float16)}
    return {
        "neutral": bundle.vertices(identity),
        "vertices": bundle.vertices(identity, estimated.get("expression")),
        "triangles": bundle.triangles,
        "identity": identity,
        "landmarks68": bundle.landmarks68,
        "method": np.array(answer["method"]),
        "bundle": np.array(answer["bundle"]),
        **estimated,
        **relief,
        **({} if sigma is None else {"sigma": sigma}),
    }


def write(
    path: Path,
    answer: Mapping[str, Any],
    bundle: Bundle,
    detail: SkinDetail | None = None,
    sigma: NDArray[np.floating[Any]] | None = None,
) -> None:
    """Write `path`; `np.load(path, allow_pickle=False)` reads it."""
    with path.open("wb") as file:
        np.savez_compressed(file, **contents(answer, bundle, detail, sigma))
