"""Reads a bundle folder: `bundle.json` and `head.npz`, nothing that needs more than numpy."""

from __future__ import annotations

import functools
import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import Failure

SCHEMA = 1

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Licence:
    """One source that the bundle was made from, and what its users must be told."""

    source: str
    licence: str
    attribution: str
    url: str

    def __str__(self) -> str:
        return ", ".join(part for part in (self.source, self.licence, self.attribution, self.url) if part)


@dataclass(frozen=True)
class Bundle:
    """The linear head model that the product runs.

    `mean` (N, 3), `identity` (K, N, 3) and `expression` (52, N, 3) are head space millimetres; a head is
    mean + sum(identity_k * column_k) + sum(expression_e * column_e). `quads` (Q, 4), `uv` (Q, 4, 2) per corner,
    `material` (Q,) indices into `material_names`, `regions` (M, N) bool in the order of `region_names`,
    `reflectance_mean` (N, 3) and `reflectance` (R, N, 3) linear RGB, `landmarks68` (68,) vertex ids, `mirror` (N,) the
    vertex on the other side. `sha256` is that of head.npz.

    `sliders` (S, K) are the named sliders, none in older bundles: identity coefficients for one unit of each, which is
    one standard deviation of what `slider_names` calls it; `slider_groups` says beside which others it belongs.
    `base_ids` (B,) tells which vertices of MakeHuman's base mesh the first B are, none where they are not.
    """

    name: str
    method: str
    sha256: str
    licences: tuple[Licence, ...]
    identity_names: tuple[str, ...]
    expression_names: tuple[str, ...]
    material_names: tuple[str, ...]
    region_names: tuple[str, ...]
    quads: Ints
    uv: Floats
    material: Ints
    mean: Floats
    identity: Floats
    expression: Floats
    reflectance_mean: Floats
    reflectance: Floats
    regions: NDArray[np.bool_]
    landmarks68: Ints
    mirror: Ints
    sliders: Floats
    slider_names: tuple[str, ...]
    slider_groups: tuple[str, ...]
    base_ids: Ints

    def albedo(self, coefficients: Floats | None) -> Floats:
        """(N, 3) linear RGB 0..1 of the (R,) reflectance coefficients, or of the mean where there are none."""
        albedo = self.reflectance_mean
        if coefficients is not None:
            albedo = albedo + np.tensordot(coefficients, self.reflectance, 1)
        return np.clip(albedo, 0.0, 1.0).astype(np.float32)


def load(folder: Path) -> Bundle:
    """Read and check the bundle in `folder`; unchanged files are read once in a process.

    Raises Failure: `bundle_missing`, `bundle_damaged`, `bundle_schema`.
    """
    description = _description(folder)
    stamps = []
    for name in ("bundle.json", *description["files"]):
        try:
            status = (folder / name).stat()
        except OSError as error:
            raise Failure("bundle_missing", name=name, folder=folder) from error
        stamps.append((name, status.st_size, status.st_mtime_ns))
    return _load(folder, tuple(stamps))


@functools.lru_cache(maxsize=2)
def _load(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Bundle:
    description = _description(folder)
    for name, expected in description["files"].items():
        if _sha256(folder / name) != expected:
            raise Failure("bundle_damaged", name=name)
    try:
        with np.load(folder / "head.npz", allow_pickle=False) as arrays:
            return _bundle(description, arrays)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Failure("bundle_damaged", name="head.npz") from error


def _description(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / "bundle.json").read_text(encoding="utf-8")
    except OSError as error:
        raise Failure("bundle_missing", name="bundle.json", folder=folder) from error
    try:
        description = json.loads(text)
        schema, files = description["schema"], description["files"]
        if not isinstance(files, dict) or "head.npz" not in files:
            raise ValueError("no hash of head.npz")
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("bundle_damaged", name="bundle.json") from error
    if schema != SCHEMA:
        raise Failure("bundle_schema", found=schema, known=SCHEMA)
    return dict(description)


def _bundle(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Bundle:
    count, keys = int(description["vertices"]), int(description["identity"])
    expressions, tones = int(description["expression"]), int(description["reflectance"])
    quads = _array(arrays, "quads", np.int32, (-1, 4))
    regions, materials = tuple(description["region_names"]), tuple(description["material_names"])
    names = _texts(arrays, "slider_names")
    bundle = Bundle(
        name=str(description["name"]),
        method=str(description["method"]),
        sha256=str(description["files"]["head.npz"]),
        licences=tuple(Licence(**entry) for entry in description["licences"]),
        identity_names=_names(description, "identity_names", keys),
        expression_names=_names(description, "expression_names", expressions),
        material_names=materials,
        region_names=regions,
        quads=quads,
        uv=_array(arrays, "uv", np.float32, (len(quads), 4, 2)),
        material=_array(arrays, "material", np.int32, (len(quads),)),
        mean=_array(arrays, "mean", np.float32, (count, 3)),
        identity=_array(arrays, "identity", np.float32, (keys, count, 3)),
        expression=_array(arrays, "expression", np.float32, (expressions, count, 3)),
        reflectance_mean=_array(arrays, "reflectance_mean", np.float32, (count, 3)),
        reflectance=_array(arrays, "reflectance", np.float32, (tones, count, 3)),
        regions=_array(arrays, "regions", np.bool_, (len(regions), count)),
        landmarks68=_array(arrays, "landmarks68", np.int32, (68,)),
        mirror=_array(arrays, "mirror", np.int32, (count,)),
        sliders=_array(arrays, "sliders", np.float32, (len(names), keys)) if names else np.zeros((0, keys), np.float32),
        slider_names=names,
        slider_groups=_texts(arrays, "slider_groups"),
        base_ids=_array(arrays, "base_ids", np.int32, (-1,)) if "base_ids" in arrays else np.zeros(0, np.int32),
    )
    if len(bundle.slider_groups) != len(names):
        raise ValueError("every slider needs a name and a group")
    indices = ((quads, count), (bundle.landmarks68, count), (bundle.mirror, count), (bundle.material, len(materials)))
    for ids, limit in indices:
        if ids.min(initial=0) < 0 or ids.max(initial=0) >= limit:
            raise ValueError("an index points outside its array")
    return bundle


def _names(description: Mapping[str, Any], field: str, count: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in description[field])
    if len(names) != count:
        raise ValueError(f"{field} holds {len(names)} names, not {count}")
    return names


def _texts(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    return tuple(str(text) for text in arrays[name]) if name in arrays else ()


def _array(arrays: Mapping[str, NDArray[Any]], name: str, kind: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.ascontiguousarray(arrays[name], dtype=kind)
    if array.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has shape {array.shape}, not {shape}")
    array.flags.writeable = False
    return array


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Failure("bundle_missing", name=path.name, folder=path.parent) from error
