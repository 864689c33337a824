"""The numbers that say everything about a picture of a face, and their order in a vector.

Kim et al. 2018, eq. 1: theta = (R, shape, expression, reflectance, illumination), 3 + 128 + 64 + 128 + 27 = 350; Tewari
et al. 2017, eq. 1, has 257 with 80, 64 and 80 columns and the translation beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

ILLUMINATION = 27


@dataclass(frozen=True)
class Code:
    """B pictures' numbers; all (B,...) tensors of one kind.

    rotation (B,3) radians about the camera's x, y and z axes in turn; identity (B,S), expression (B,E) and reflectance
    (B,R) in standard deviations; illumination (B,9,3) as `training.formation.illumination` has it; translation (B,3) mm
    from head to camera space, None where the picture is framed by the face itself.
    """

    rotation: Tensor
    identity: Tensor
    expression: Tensor
    reflectance: Tensor
    illumination: Tensor
    translation: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rotation)

    def at(self, indices: Tensor | slice) -> Code:
        """Some of the pictures' numbers."""
        return self._each(lambda tensor: tensor[indices])

    def to(self, *args: object) -> Code:
        """On another device, or in another type."""
        return self._each(lambda tensor: tensor.to(*args))

    def detach(self) -> Code:
        """Without gradients."""
        return self._each(Tensor.detach)

    def _each(self, change: object) -> Code:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: change(value) for name, value in values.items() if value is not None})  # type: ignore[operator]

    def vector(self) -> Tensor:
        """theta (B,m): rotation, identity, expression, reflectance, illumination."""
        return torch.cat(
            [self.rotation, self.identity, self.expression, self.reflectance, self.illumination.flatten(1)], 1
        )


@dataclass(frozen=True)
class CodeSizes:
    """How many columns of each kind a code speaks of."""

    identity: int = 128
    expression: int = 64
    reflectance: int = 128

    @property
    def total(self) -> int:
        """Length m of theta."""
        return 3 + self.identity + self.expression + self.reflectance + ILLUMINATION

    @property
    def groups(self) -> dict[str, slice]:
        """Where each group stands in theta."""
        found, start = {}, 0
        lengths = {
            "rotation": 3,
            "identity": self.identity,
            "expression": self.expression,
            "reflectance": self.reflectance,
            "illumination": ILLUMINATION,
        }
        for name, length in lengths.items():
            found[name] = slice(start, start + length)
            start += length
        return found

    def split(self, theta: Tensor) -> Code:
        """theta (B,m) -> its groups; `Code.vector` undoes it."""
        parts = {name: theta[:, where] for name, where in self.groups.items()}
        parts["illumination"] = parts["illumination"].reshape(-1, 9, 3)
        return Code(**parts)


def concatenate(codes: list[Code]) -> Code:
    """Several codes' pictures one after the other."""
    first = codes[0]
    joined = {
        field.name: torch.cat([getattr(code, field.name) for code in codes])
        for field in fields(Code)
        if getattr(first, field.name) is not None
    }
    return Code(**joined)
