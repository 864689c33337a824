"""Opens a bundle folder: checks every file against `bundle.json` and decodes coefficients to vertices."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from .failures import Failure

SCHEMA: Final = 1
DEFAULT: Final = Path(__file__).parent / "bundles" / "default"
ENVIRONMENT: Final = "LIKENESS_BUNDLE"

HEAD, DESCRIPTION = "head.npz", "bundle.json"

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Bundle:
    """What a recipe exported, verified and in memory.

    Head space is mm. `mean` (N, 3), `identity` (K, N, 3) per standard deviation, `expression` (52, N, 3) at 1.0,
    `triangles` (F, 3), `landmarks68` (68,) vertex ids. `regressor` is the ONNX file's content, `size` the side of its
    input in pixels, `crop_scale` the crop's side over the landmarks' box. `sha256` is that of head.npz, `description`
    the whole of `bundle.json`, `arrays` all of head.npz as it is.
    """

    folder: Path
    description: Mapping[str, Any]
    name: str
    method: str
    sha256: str
    mean: Floats
    identity: Floats
    expression: Floats
    reflectance_count: int
    triangles: Ints
    landmarks68: Ints
    regressor: bytes
    size: int
    crop_scale: float
    arrays: Mapping[str, NDArray[Any]]

    def vertices(
        self, identity: NDArray[np.floating[Any]], expression: NDArray[np.floating[Any]] | None = None
    ) -> Floats:
        """Coefficients (K,) and (52,) -> vertices (N, 3) mm: mean + sum of coefficient x column."""
        return self._decoded(slice(None), identity, expression)

    def landmarks(
        self, identity: NDArray[np.floating[Any]], expression: NDArray[np.floating[Any]] | None = None
    ) -> Floats:
        """The 68 landmarks' vertices (68, 3) mm, without decoding the others."""
        return self._decoded(self.landmarks68, identity, expression)

    def _decoded(
        self,
        ids: slice | Ints,
        identity: NDArray[np.floating[Any]],
        expression: NDArray[np.floating[Any]] | None,
    ) -> Floats:
        points = self.mean[ids] + np.tensordot(identity, self.identity[:, ids], axes=1)
        if expression is not None:
            points = points + np.tensordot(expression, self.expression[:, ids], axes=1)
        return points.astype(np.float32)


def default_folder() -> Path:
    """The folder that the environment names, or that of the bundle that ships."""
    chosen = os.environ.get(ENVIRONMENT)
    return Path(chosen) if chosen else DEFAULT


def open_bundle(folder: Path | None = None) -> Bundle:
    """Read and verify the bundle in `folder`, by default `default_folder()`.

    Raises Failure: `bundle_missing` (no folder, or a file of it is not there), `bundle_damaged` (a file is not what
    `bundle.json` says, or cannot be understood), `bundle_schema` (another version's format).
    """
    folder = default_folder() if folder is None else folder
    description = _description(folder)
    contents = _verified(folder, description)
    regressor = _entry(description, "regressor", dict)
    file = _entry(regressor, "file", str)
    if file not in contents:
        raise Failure("bundle_missing", folder=folder, name=file)
    head = _arrays(contents[HEAD])
    sizes = {key: _entry(description, key, int) for key in ("vertices", "identity", "expression", "reflectance")}
    vertices = sizes["vertices"]
    shapes = {
        "mean": (vertices, 3),
        "identity": (sizes["identity"], vertices, 3),
        "expression": (sizes["expression"], vertices, 3),
        "reflectance": (sizes["reflectance"], vertices, 3),
        "landmarks68": (68,),
    }
    for name, shape in shapes.items():
        if name not in head:
            raise _damaged(HEAD, f"it has no {name}")
        if head[name].shape != shape:
            raise _damaged(HEAD, f"{name} has shape {head[name].shape} where {DESCRIPTION} says {shape}")
        if not np.isfinite(head[name]).all():
            raise _damaged(HEAD, f"{name} is not finite")
    for name in ("triangles", "landmarks68"):
        if name not in head or (head[name].size and not 0 <= head[name].min() <= head[name].max() < vertices):
            raise _damaged(HEAD, f"{name} points outside the {vertices} vertices")
    return Bundle(
        folder=folder,
        description=description,
        name=_entry(description, "name", str),
        method=_entry(description, "method", str),
        sha256=hashlib.sha256(contents[HEAD]).hexdigest(),
        mean=head["mean"].astype(np.float32, copy=False),
        identity=head["identity"].astype(np.float32, copy=False),
        expression=head["expression"].astype(np.float32, copy=False),
        reflectance_count=sizes["reflectance"],
        triangles=head["triangles"].astype(np.int32),
        landmarks68=head["landmarks68"].astype(np.int32),
        regressor=contents[file],
        size=_entry(regressor, "size", int),
        crop_scale=float(_entry(regressor, "crop_scale", (int, float))),
        arrays=head,
    )


def _description(folder: Path) -> dict[str, Any]:
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Failure("bundle_missing", folder=folder, name=DESCRIPTION) from error
    except (OSError, ValueError) as error:
        raise _damaged(DESCRIPTION, "it is not JSON") from error
    if not isinstance(description, dict):
        raise _damaged(DESCRIPTION, "it is not a JSON object")
    if description.get("schema") != SCHEMA:
        raise Failure("bundle_schema", found=description.get("schema"), known=SCHEMA)
    return description


def _verified(folder: Path, description: Mapping[str, Any]) -> dict[str, bytes]:
    """The content of every file that `bundle.json` lists, each with the sha256 that it says."""
    contents = {}
    for name, digest in _entry(description, "files", dict).items():
        if Path(name).name != name:
            raise _damaged(DESCRIPTION, f"it lists {name}, which is not a file of the bundle's folder")
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError as error:
            raise Failure("bundle_missing", folder=folder, name=name) from error
        except OSError as error:
            raise _damaged(name, error.strerror or "it cannot be read") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(name, "its sha256 is another than the bundle says")
        contents[name] = content
    if HEAD not in contents:
        raise Failure("bundle_missing", folder=folder, name=HEAD)
    return contents


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(HEAD, "it is not an .npz file of plain arrays") from error


def _entry(table: Mapping[str, Any], key: str, kind: type[_T] | tuple[type[_T], ...]) -> _T:
    value = table.get(key)
    if not isinstance(value, kind):
        raise _damaged(DESCRIPTION, f"its {key} is missing or of the wrong kind")
    return value


def _damaged(name: str, reason: str) -> Failure:
    return Failure("bundle_damaged", name=name, reason=reason)
