"""MakeHuman's proxies: a mesh (``.obj``) bound to the base mesh by a ``.mhclo``, looking as its ``.mhmat`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

# MakeHuman's unit is the decimetre.
_MM = 100.0
# Of vertices bound to what the head lacks, the most that may follow their neighbours instead.
_MOST_LOOSE = 0.75


class BadAsset(ValueError):
    """An asset that cannot be used; the message is a sentence that names the file and what is wrong with it."""


@dataclass(frozen=True)
class Binding:
    """What a ``.mhclo`` says. ids (V,3) base-mesh vertices, weights (V,3), offsets (V,3) in MakeHuman's units.

    scales (3,2) are the base-mesh vertices whose distance along x, y and z scales the offsets, spans (3,) the distance
    at which the scale is 1. tags are the author's words.
    """

    mesh: str
    material: str
    ids: Ints
    weights: Floats
    offsets: Floats
    scales: Ints
    spans: Floats
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Proxy:
    """A bound mesh that can be fitted to any head of the template.

    ids (V,3) template vertices, weights (V,3), offsets (V,3), scales (3,2) template vertices, spans (3,) as in
    :class:`Binding`; faces (F,4), -1 pads triangles; uv (F,4,2); texture its colours and opacity. loose (L,) vertices
    bound to what the head lacks: each keeps its place beside the vertex beside (L,), rest (L,3) from it, in MakeHuman's
    units.
    """

    name: str
    texture: Path
    tags: tuple[str, ...]
    ids: Ints
    weights: Floats
    offsets: Floats
    scales: Ints
    spans: Floats
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    loose: Ints
    beside: Ints
    rest: Floats

    def fit(self, vertices: Floats) -> NDArray[np.float32]:
        """Vertices (V,3) mm for a head's template vertices (N,3) mm, as MakeHuman fits its clothes."""
        ends = vertices[self.scales]
        scale = np.abs(ends[:, 0] - ends[:, 1])[np.arange(3), np.arange(3)] / self.spans
        corners = vertices[self.ids]
        points = (corners * self.weights[..., None]).sum(1) + self.offsets * scale
        points[self.loose] = points[self.beside] + self.rest * scale
        return points.astype(np.float32)


def read_proxy(path: Path, order: Ints) -> Proxy:
    """Reads a ``.mhclo`` with its mesh and texture; `order` maps base-mesh vertices to the template's, -1 where none.

    Raises :class:`BadAsset` for missing or damaged files, other base meshes, and what hangs from parts that a head does
    not have.
    """
    binding = read_binding(path)
    points, faces, uv = read_mesh(_beside(path, binding.mesh))
    texture = read_texture(_beside(path, binding.material))
    if len(points) != len(binding.ids):
        raise BadAsset(f"{path.name} binds {len(binding.ids)} vertices, but {binding.mesh} has {len(points)}.")
    if (binding.ids < 0).any() or binding.ids.max() >= len(order) or binding.scales.max() >= len(order):
        raise BadAsset(f"{path.name} names vertices that the base mesh hm08 does not have.")
    scales = order[binding.scales]
    if (scales < 0).any():
        raise BadAsset(f"{path.name} is measured by parts of the body that a head does not have.")
    ids = order[binding.ids]
    bound = ((ids >= 0) | (binding.weights == 0.0)).all(1)
    if bound.mean() < 1.0 - _MOST_LOOSE:
        raise BadAsset(f"{path.name} hangs from helpers or parts of the body that the head does not have.")
    loose = np.flatnonzero(~bound)
    beside = np.flatnonzero(bound)[_nearest(points[loose], points[bound])]
    return Proxy(
        name=path.stem,
        texture=texture,
        tags=binding.tags,
        ids=np.maximum(ids, 0),
        weights=binding.weights,
        offsets=binding.offsets,
        scales=scales,
        spans=binding.spans,
        faces=faces,
        uv=uv,
        loose=loose,
        beside=beside,
        rest=points[loose] - points[beside],
    )


def read_binding(path: Path) -> Binding:
    """Reads a ``.mhclo``. Raises :class:`BadAsset`."""
    words: dict[str, list[str]] = {}
    tags, rows, inside = [], [], False
    for line in _lines(path):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if inside and parts[0].isdigit():
            rows.append(parts)
            continue
        # Other words may stand between the heading and its rows; only these open a list of their own.
        inside = (inside or parts[0] == "verts") and parts[0] not in ("delete_verts", "weights")
        if parts[0] == "tag":
            tags.append(" ".join(parts[1:]))
        words.setdefault(parts[0], parts[1:])
    if words.get("basemesh", ["hm08"])[:1] != ["hm08"]:
        raise BadAsset(f"{path.name} is made for the base mesh {words['basemesh'][0]}, not hm08.")
    for needed in ("obj_file", "material", "x_scale", "y_scale", "z_scale"):
        if len(words.get(needed, [])) < (3 if needed.endswith("scale") else 1):
            raise BadAsset(f"{path.name} has no {needed}: take the file from its publisher again.")
    try:
        table = np.array([_row(parts) for parts in rows], np.float64).reshape(-1, 9)
        scales = np.array([[int(word) for word in words[f"{axis}_scale"][:2]] for axis in "xyz"])
        spans = np.array([float(words[f"{axis}_scale"][2]) for axis in "xyz"])
    except ValueError as error:
        raise BadAsset(f"{path.name} is damaged ({error}): take the file from its publisher again.") from error
    if not len(table) or (spans <= 0.0).any():
        raise BadAsset(f"{path.name} binds nothing: take the file from its publisher again.")
    return Binding(
        mesh=words["obj_file"][0],
        material=words["material"][0],
        ids=table[:, :3].astype(np.int64),
        weights=table[:, 3:6],
        offsets=table[:, 6:9],
        scales=scales,
        spans=spans,
        tags=tuple(tags),
    )


def read_mesh(path: Path) -> tuple[Floats, NDArray[np.int32], NDArray[np.float32]]:
    """An ``.obj``'s vertices (V,3), faces (F,4) (-1 pads triangles) and UV (F,4,2). Raises :class:`BadAsset`."""
    points, corners, faces, uv = [], [], [], []
    try:
        for line in _lines(path):
            parts = line.split()
            if not parts:
                continue
            if parts[0] == "v":
                points.append([float(word) for word in parts[1:4]])
            elif parts[0] == "vt":
                corners.append([float(word) for word in parts[1:3]])
            elif parts[0] == "f":
                pairs = [[*word.split("/"), ""][:2] for word in parts[1:5]]
                faces.append([int(vertex) - 1 for vertex, _ in pairs] + [-1] * (4 - len(pairs)))
                uv.append([int(place) - 1 for _, place in pairs] + [0] * (4 - len(pairs)))
        at, layout = np.array(points, np.float64).reshape(-1, 3), np.array(corners, np.float32).reshape(-1, 2)
        return at, np.array(faces, np.int32).reshape(-1, 4), layout[np.array(uv, np.int64).reshape(-1, 4)]
    except (ValueError, IndexError) as error:
        raise BadAsset(f"{path.name} is damaged ({error}): take the file from its publisher again.") from error


def read_texture(path: Path) -> Path:
    """The picture that a ``.mhmat`` names as its diffuse texture. Raises :class:`BadAsset` when it is not there."""
    for line in _lines(path):
        parts = line.split(None, 1)
        if len(parts) == 2 and parts[0] == "diffuseTexture":
            return _beside(path, parts[1].strip())
    raise BadAsset(f"{path.name} names no diffuseTexture.")


def _row(parts: list[str]) -> list[float]:
    """Three vertices, three weights, three offsets; a single vertex is one that coincides with it."""
    if len(parts) == 1:
        return [float(parts[0])] * 3 + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    if len(parts) < 9:
        raise ValueError(f"a row of {len(parts)} numbers")
    return [float(word) for word in parts[:9]]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise BadAsset(f"{path.name} cannot be read: {error.strerror}.") from error


def _beside(path: Path, name: str) -> Path:
    """A file that another names, beside it. Raises :class:`BadAsset` when it is missing."""
    file = path.parent / name.replace("\\", "/")
    if not file.is_file():
        raise BadAsset(f"{path.name} needs {name}, which is not beside it.")
    return file


def _nearest(points: Floats, among: Floats) -> Ints:
    """For each point (L,3) the index of the nearest of others (B,3)."""
    nearest = [int(np.argmin(((among - point) ** 2).sum(1))) for point in points]
    return np.array(nearest, np.int64)
