"""Reads `.off` meshes, those of ModelNet included, whose header may be fused with the counts ("OFF490 518 0")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.voxels.faults import BadShapeFile

# OFF with optional texture coordinates, colours, normals: the position always comes first.
_HEADER = re.compile(r"(?:ST)?C?N?OFF(?![A-Za-z])", re.IGNORECASE)
_AGAIN = "download it again"


def read_off(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices (V,3) and triangles (F,3) of an ASCII .off file; polygons are cut into fans, colours left out.

    Raises :class:`BadShapeFile` for a file that is no .off file, is cut off, has no faces, or whose faces name vertices
    that are not there; `OSError` when it cannot be read.
    """
    content = path.read_bytes()
    if not content.strip():
        raise BadShapeFile(path, f"the file is empty; {_AGAIN}")
    if b"\0" in content[:1024]:
        raise BadShapeFile(path, "this is a binary file; only the ASCII form of .off is read")
    lines = _lines(content.decode("utf-8", "replace"))
    vertex_count, face_count = _counts(path, lines)
    vertices = _vertices(path, lines, vertex_count)
    triangles = _triangles(path, lines, face_count, vertex_count)
    return vertices, triangles


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        content = line.partition("#")[0].strip()
        if content:
            yield content


def _counts(path: Path, lines: Iterator[str]) -> tuple[int, int]:
    first = next(lines, "")
    header = _HEADER.match(first)
    rest = first[header.end() :].strip() if header else first
    words = (rest or next(lines, "")).split()
    if len(words) < 2 or not all(re.fullmatch(r"\d+", word) for word in words[:2]):
        raise BadShapeFile(
            path, "it does not begin with OFF and two numbers of vertices and faces; is it an .off file?"
        )
    vertices, faces = int(words[0]), int(words[1])
    if not vertices or not faces:
        raise BadShapeFile(path, f"the mesh is empty ({vertices} vertices, {faces} faces); leave it out")
    return vertices, faces


def _vertices(path: Path, lines: Iterator[str], count: int) -> NDArray[np.float64]:
    rows = []
    for line in lines:
        rows.append(line.split()[:3])
        if len(rows) == count:
            break
    else:
        raise BadShapeFile(path, f"it ends after {len(rows)} of {count} vertices; {_AGAIN}")
    try:
        vertices = np.array(rows, np.float64)
    except ValueError as error:
        raise BadShapeFile(path, f"a vertex is not three numbers; {_AGAIN}") from error
    if vertices.shape != (count, 3) or not np.isfinite(vertices).all():
        raise BadShapeFile(path, f"a vertex is not three finite numbers; {_AGAIN}")
    return vertices


def _triangles(path: Path, lines: Iterator[str], count: int, vertices: int) -> NDArray[np.int64]:
    triangles: list[tuple[int, int, int]] = []
    read = 0
    for line in lines:
        words = line.split()
        try:
            sides = int(words[0])
            corners = [int(word) for word in words[1 : 1 + sides]]
        except ValueError as error:
            raise BadShapeFile(path, f"face {read} is not made of whole numbers; {_AGAIN}") from error
        if len(corners) < sides:
            raise BadShapeFile(path, f"face {read} names {len(corners)} of its {sides} corners; {_AGAIN}")
        # Edges and points, which some exporters leave behind, enclose nothing.
        triangles += [(corners[0], corners[i], corners[i + 1]) for i in range(1, sides - 1)]
        read += 1
        if read == count:
            break
    if read < count:
        raise BadShapeFile(path, f"it ends after {read} of {count} faces; {_AGAIN}")
    if not triangles:
        raise BadShapeFile(path, "none of its faces has three corners; leave it out")
    found = np.array(triangles, np.int64)
    if found.min() < 0 or found.max() >= vertices:
        wrong = found.min() if found.min() < 0 else found.max()
        raise BadShapeFile(path, f"a face names vertex {wrong} and there are {vertices}, from 0 on; {_AGAIN}")
    return found
