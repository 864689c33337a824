from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.registration.meshes import read_mesh
from training.registration.target import BadScan

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)


def test_obj_keeps_its_order_and_knows_all_ways_to_write_a_face(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    points = "".join(f"v {x} {y} {z} 0.5 0.5 0.5\n" for x, y, z in CUBE)
    path.write_text(f"mtllib a.mtl\n{points}vt 0 0\nvn 0 0 1\nf 1/1/1 2/1/1 4/1/1 3/1/1\nf -8//1 -7//1 -6//1\n")
    vertices, triangles = read_mesh(path)
    assert np.array_equal(vertices, CUBE)
    assert triangles.tolist() == [[0, 1, 3], [0, 3, 2], [0, 1, 2]]


@pytest.mark.parametrize("ending", ["ply", "stl", "glb"])
def test_other_formats_give_connected_meshes(tmp_path: Path, ending: str) -> None:
    trimesh = pytest.importorskip("trimesh")
    box = trimesh.creation.box()
    box.export(tmp_path / f"box.{ending}")
    vertices, triangles = read_mesh(tmp_path / f"box.{ending}")
    assert len(triangles) == 12
    assert len(np.unique(np.round(vertices, 5), axis=0)) == 8
    if ending == "stl":
        assert len(vertices) == 8


def test_what_is_no_mesh_is_refused(tmp_path: Path) -> None:
    for name, content in {"a.obj": b"hello", "b.obj": b"v 1 2 x\nf 1 1 1", "c.ply": b"ply\n", "d.stl": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadScan, match=r"cannot be read as a mesh|no vertices"):
            read_mesh(tmp_path / name)
