from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.failures import Failure
from blender_addon.objects_voxels import Voxels

RESOLUTION = 16


def table() -> Voxels:
    """A table top on one leg, surer in its middle than at its rim; a crumb far away; two empty layers below."""
    occupancy = np.zeros((RESOLUTION,) * 3, np.uint8)
    occupancy[2:14, 2:14, 11:13] = 120
    occupancy[4:12, 4:12, 11:13] = 230
    occupancy[7:9, 7:9, 2:11] = 230
    occupancy[15, 15, 15] = 230
    return Voxels(occupancy, 0.4, "toy", "0" * 64)


def answer(**changes: object) -> dict[str, Any]:
    voxels = table()
    whole: dict[str, Any] = {
        "protocol": 1,
        "method": "components-objects",
        "bundle": "toy",
        "bundle_sha256": "0" * 64,
        "resolution": RESOLUTION,
        "threshold": voxels.threshold,
        "occupancy": voxels.packed(),
    }
    return whole | changes


def test_an_answer_comes_back_as_it_was_packed() -> None:
    voxels = Voxels.from_answer(answer())
    np.testing.assert_array_equal(voxels.occupancy, table().occupancy)
    assert voxels.bundle == "toy"


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": 2},
        {"resolution": 15},
        {"resolution": 10_000},
        {"occupancy": "no base64!"},
        {"threshold": 0.0},
        {"threshold": "high"},
    ],
)
def test_a_wrong_answer_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Failure):
        Voxels.from_answer(answer(**changes))


def test_the_mesh_stands_on_the_ground_without_crumbs() -> None:
    vertices, _ = table().mesh(0.4)
    assert vertices[:, 2].min() == pytest.approx(0, abs=0.04)
    assert np.abs(vertices[:, :2]).max() < 0.45
    with_crumbs, _ = table().mesh(0.4, crumbs=True)
    assert with_crumbs[:, 0].max() > 0.45


def test_the_slider_makes_the_mesh_anew(scene: Any) -> None:
    import bpy

    from blender_addon import objects, registration

    registration.register()
    try:
        thing = objects.create(table(), scene.collection, photo="table.png")
        assert objects.is_object(thing)
        bpy.context.view_layer.update()
        fuller, material = thing.dimensions.copy(), thing.data.materials[0]
        thing.likeness_object.threshold = 0.7
        bpy.context.view_layer.update()
        assert thing.dimensions.x < 0.8 * fuller.x
        assert thing.data.materials[0] == material
        thing.likeness_object.threshold = 0.4
        bpy.context.view_layer.update()
        assert thing.dimensions.x == pytest.approx(fuller.x)
        thing.likeness_object.crumbs = True
        bpy.context.view_layer.update()
        assert thing.dimensions.x > fuller.x
        thing.likeness_object.threshold = 0.95
        assert len(thing.data.polygons) == 0
    finally:
        registration.unregister()


def test_the_mesh_is_clean(scene: Any) -> None:
    import bmesh

    from blender_addon import objects

    thing = objects.create(table(), scene.collection)
    assert not thing.data.validate()
    mesh = bmesh.new()
    mesh.from_mesh(thing.data)
    assert all(edge.is_manifold for edge in mesh.edges)
    assert all(vertex.is_manifold for vertex in mesh.verts)
    assert mesh.calc_volume(signed=True) > 0
    mesh.free()


@pytest.mark.parametrize("ending", [".blend", ".glb", ".obj"])
def test_files_are_written(scene: Any, tmp_path: Path, ending: str) -> None:
    from blender_addon.objects_file import build_object_file

    output = tmp_path / f"table{ending}"
    build_object_file(answer(), output)
    assert output.stat().st_size > 1000


def test_another_ending_is_refused(scene: Any, tmp_path: Path) -> None:
    from blender_addon.objects_file import build_object_file

    with pytest.raises(Failure, match=r"\.stl"):
        build_object_file(answer(), tmp_path / "table.stl")
