"""The normal map that the backend bakes is in the tangent space that Blender reads it in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from backend import bundle as backend_bundle  # noqa: E402  needs bpy
from backend.detail import Detail  # noqa: E402
from backend.raster import vertex_normals  # noqa: E402

TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def test_tangents_are_blenders() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bundle = backend_bundle.open_bundle()
    detail = Detail.of(bundle)
    assert detail is not None
    arrays: Any = bundle.arrays
    quads, uv = arrays["quads"], arrays["uv"]
    mesh = bpy.data.meshes.new("head")
    mesh.from_pydata((bundle.mean @ TO_BLENDER.T / 1000).tolist(), [], quads.tolist())
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(quads), bool))
    mesh.update()
    mesh.calc_tangents(uvmap="UVMap")
    theirs = np.empty(3 * len(mesh.loops), np.float32)
    mesh.loops.foreach_get("tangent", theirs)
    sign = np.empty(len(mesh.loops), np.float32)
    mesh.loops.foreach_get("bitangent_sign", sign)
    ours = detail.tangents(bundle.mean, vertex_normals(bundle.mean, bundle.triangles)) @ TO_BLENDER.T
    wanted = np.repeat((detail.wanted[quads] > 0).all(1), 4)
    cosine = (theirs.reshape(-1, 3) * ours[quads.ravel()]).sum(1)[wanted]
    assert (sign[wanted] == 1.0).all()
    # Blender weighs the triangles about a vertex by their angles and not by their areas, which shows at the nostrils.
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    assert np.median(angle) < 1.5 and np.percentile(angle, 90) < 5.0
