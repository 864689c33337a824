"""The backend's answer about an object: the occupancy of a grid, and the mesh of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import Failure
from .surface_nets import RELAXATIONS, largest_parts, surface_nets

METHOD = "components-objects"
PROTOCOL = 1
LARGEST_RESOLUTION = 256


@dataclass(frozen=True)
class Voxels:
    """occupancy (R,R,R) of 0..255, indexed x, y, z: z up, the object's front towards -y.

    `threshold` 0..1 is the occupancy from which the model counts voxels as inside.
    """

    occupancy: NDArray[np.uint8]
    threshold: float
    bundle: str = ""
    bundle_sha256: str = ""

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Voxels:
        """Read the JSON of `/v1/reconstruct?method=components-objects`.

        Raises Failure: `protocol` for another protocol's answer, `backend_answer` for what is missing or wrong.
        """
        protocol = answer.get("protocol", PROTOCOL)
        if protocol != PROTOCOL:
            raise Failure("protocol", ours=PROTOCOL, theirs=protocol)
        try:
            threshold = float(answer["threshold"])
            if not 0.0 < threshold < 1.0:
                raise ValueError(f"threshold is {threshold}")
            occupancy = unpacked(str(answer["occupancy"]), int(answer["resolution"]))
            return cls(occupancy, threshold, str(answer["bundle"]), str(answer["bundle_sha256"]))
        except KeyError as error:
            raise Failure("backend_answer", reason=f"{error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise Failure("backend_answer", reason=error) from error

    def mesh(
        self, threshold: float, crumbs: bool = False, relaxations: int = RELAXATIONS
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Vertices (V,3) in Blender's axes, the grid's side being 1, and quads (Q,4).

        The middle of the grid's floor is the origin, but for empty layers at the bottom, so that the thing stands on
        the ground; where it stands does not depend on the threshold. Parts much smaller than the largest one are left
        out unless `crumbs` are wanted.
        """
        field = self.occupancy.astype(np.float32) / np.float32(255)
        if not crumbs:
            field = np.where(largest_parts(field, threshold) | (field <= threshold), field, 0)
        vertices, quads = surface_nets(field, threshold, relaxations)
        side = len(field)
        return (vertices - np.array([side / 2, side / 2, self._floor()], np.float32)) / np.float32(side), quads

    def _floor(self) -> int:
        filled = np.flatnonzero((self.occupancy > 255 * self.threshold).any((0, 1)))
        return int(filled[0]) if len(filled) else 0

    def packed(self) -> str:
        """The occupancy as text."""
        return base64.b64encode(np.ascontiguousarray(self.occupancy).tobytes()).decode("ascii")


def unpacked(text: str, resolution: int) -> NDArray[np.uint8]:
    """Occupancy (R,R,R) from the text of `packed`. Raises `ValueError` for anything else."""
    if not 1 < resolution <= LARGEST_RESOLUTION:
        raise ValueError(f"resolution is {resolution}")
    try:
        flat = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except binascii.Error as error:
        raise ValueError(f"the occupancy is damaged ({error})") from error
    if flat.size != resolution**3:
        raise ValueError(f"the occupancy has {flat.size} values, not {resolution}^3")
    return flat.reshape((resolution,) * 3)
