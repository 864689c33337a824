"""The .npz of one photo: what was estimated, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Head(Protocol):
    """The arrays of a bundle that the file needs.

    `mean` (N, 3) mm, `identity` (K, N, 3) mm per standard deviation, `expression` (52, N, 3) mm at 1.0,
    `triangles` (F, 3) and `landmarks68` (68,) vertex ids.
    """

    @property
    def mean(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def identity(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def expression(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def triangles(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def landmarks68(self) -> NDArray[np.int32]: ...  # noqa: D102


def contents(answer: Mapping[str, Any], head: Head) -> dict[str, NDArray[Any]]:
    """Return the arrays of the file for one answer of the protocol.

    `neutral` (N, 3) is the head by identity alone and `vertices` (N, 3) with the expression too, both in head space,
    mm; without an estimated expression they are the same. `identity` (K,), `triangles` (F, 3), `landmarks68` (68,),
    `method` and `bundle` are always there; `expression` (52,), `reflectance` (R,), `illumination` (9, 3),
    `rotation` (3, 3), `translation` (3,) mm, `focal` () px and `landmarks68_2d` (68, 2) px only where the method
    estimates them.
    """
    identity = np.asarray(answer["identity"], np.float32)
    neutral = head.mean + np.tensordot(identity, head.identity, axes=1)
    arrays = {
        "neutral": neutral.astype(np.float32),
        "vertices": neutral.astype(np.float32),
        "triangles": head.triangles,
        "identity": identity,
        "landmarks68": head.landmarks68,
        "method": np.array(answer["method"]),
        "bundle": np.array(answer["bundle"]),
    }
    for name in ("expression", "reflectance", "illumination", "rotation", "translation", "focal", "landmarks68_2d"):
        if answer.get(name) is not None:
            arrays[name] = np.asarray(answer[name], np.float32)
    if "expression" in arrays:
        moved = neutral + np.tensordot(arrays["expression"], head.expression, axes=1)
        arrays["vertices"] = moved.astype(np.float32)
    return arrays


def write(path: Path, answer: Mapping[str, Any], head: Head) -> None:
    """Write `path`; `np.load(path, allow_pickle=False)` reads it."""
    with path.open("wb") as file:
        np.savez_compressed(file, **contents(answer, head))
