"""A linear face model: shape, expression and skin reflectance as columns with unit-variance coefficients.

Kim et al. 2018, eq. 2 and 3; Tewari et al. 2017, eq. 2 and 3: the columns are already scaled by their standard
deviations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ARRAYS = ("mean", "identity", "expression", "reflectance_mean", "reflectance", "reflectance_limits", "actions")
_TEMPLATE = "template_"


@dataclass(frozen=True)
class FaceModel:
    """N vertices: mean (N,3), identity (S,N,3) and expression (E,N,3) mm; reflectance_mean (N,3), reflectance (R,N,3).

    Reflectance is linear RGB, zero columns where a vertex is not skin; reflectance_limits (R,2) are the least and the
    largest coefficients that skins had. actions (52,N,3) mm are the template's ARKit keys, which the expression columns
    were made from; template holds the arrays of `template.npz`.
    """

    mean: Floats
    identity: Floats
    expression: Floats
    reflectance_mean: Floats
    reflectance: Floats
    reflectance_limits: Floats
    actions: Floats
    template: Mapping[str, NDArray[Any]]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of identity, expression and reflectance columns."""
        return len(self.identity), len(self.expression), len(self.reflectance)

    def region(self, *names: str) -> NDArray[np.intp]:
        """Vertex ids of the template's regions of these names, together. Raises `ValueError` for an unknown one."""
        known = [str(name) for name in self.template["region_names"]]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"the template has no region {unknown[0]!r}; it has {', '.join(known)}")
        return np.flatnonzero(self.template["regions"][[known.index(name) for name in names]].any(0))

    def material(self, name: str) -> NDArray[np.intp]:
        """Triangles (indices into the template's) of a material. Raises `ValueError` for an unknown one."""
        known = [str(n) for n in self.template["material_names"]]
        if name not in known:
            raise ValueError(f"the template has no material {name!r}; it has {', '.join(known)}")
        return np.flatnonzero(np.repeat(self.template["material"] == known.index(name), 2))

    def reduced(self, identity: int, expression: int, reflectance: int) -> FaceModel:
        """The model with so many of each kind of column, the first ones. Raises `ValueError` when it has fewer."""
        wanted = (identity, expression, reflectance)
        if any(few < many for few, many in zip(self.sizes, wanted, strict=True)):
            raise ValueError(
                f"the face model has {self.sizes} identity, expression and reflectance columns, not {wanted}: make one "
                "with more (likeness train ... without --model)"
            )
        return replace(
            self,
            identity=self.identity[:identity],
            expression=self.expression[:expression],
            reflectance=self.reflectance[:reflectance],
            reflectance_limits=self.reflectance_limits[:reflectance],
        )

    def deviations(self) -> tuple[Floats, Floats, Floats]:
        """Root mean square of each column over the face: identity (S,) and expression (E,) mm, reflectance (R,)."""
        face = self.region("face")
        identity, expression, reflectance = (
            np.sqrt((columns[:, face] ** 2).sum(2).mean(1))
            for columns in (self.identity, self.expression, self.reflectance)
        )
        return identity, expression, reflectance

    def vertices(self, identity: Floats, expression: Floats | None = None) -> Floats:
        """Coefficients (n,S) and (n,E) -> heads (n,N,3) mm."""
        heads = self.mean + np.tensordot(identity, self.identity, 1)
        if expression is not None:
            heads = heads + np.tensordot(expression, self.expression, 1)
        return heads.astype(np.float32)

    def save(self, path: Path) -> None:
        """Writes a file that loads without pickle; it is there whole or not at all."""
        part = path.with_name(path.name + ".partial")
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with part.open("wb") as file:
            np.savez(file, **arrays, **{_TEMPLATE + name: array for name, array in self.template.items()})
        part.replace(path)

    @staticmethod
    def load(path: Path) -> FaceModel:
        """Reads what :meth:`save` wrote. Raises `FileNotFoundError`, and `ValueError` for another kind of file."""
        if not path.is_file():
            raise FileNotFoundError(f"there is no face model {path}: name population files instead, and one is made")
        with np.load(path, allow_pickle=False) as arrays:
            if not set(_ARRAYS) <= set(arrays.files):
                raise ValueError(f"{path} is no face model: it lacks {', '.join(set(_ARRAYS) - set(arrays.files))}")
            template = {name[len(_TEMPLATE) :]: arrays[name] for name in arrays.files if name.startswith(_TEMPLATE)}
            return FaceModel(**{name: arrays[name] for name in _ARRAYS}, template=template)


def principal_columns(vectors: Floats, weights: Floats, count: int) -> tuple[Floats, Floats]:
    """The `count` leading columns (K,N,3) of vectors (n,N,3), and the vectors' coefficients (n,K), of unit variance.

    Variance is measured about zero, with weights (N,) on the vertices. Fewer columns come back where the vectors span
    fewer dimensions.
    """
    scaled = vectors * np.sqrt(weights, dtype=np.float32)[:, None]
    flat = scaled.reshape(len(vectors), -1)
    values, axes = np.linalg.eigh((flat @ flat.T).astype(np.float64) / len(vectors))
    kept = np.flatnonzero(values[::-1] > 1e-9 * max(values[-1], 1e-30))[:count]
    scores = (axes[:, ::-1][:, kept] * np.sqrt(len(vectors))).astype(np.float32)
    columns = np.tensordot(scores.T, vectors, 1) / np.float32(len(vectors))
    # A basis is the same with a column turned round: let the largest movement be to the left, up or outwards.
    leading = columns.reshape(len(columns), -1)
    signs = np.sign(leading[np.arange(len(columns)), np.abs(leading).argmax(1)])
    return columns * signs[:, None, None], scores * signs
