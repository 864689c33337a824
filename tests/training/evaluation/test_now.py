from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("scipy")
import trimesh

from likeness.cli import main
from training.camera import rotation_from_angles
from training.evaluation.now.folder import open_now, prediction, read_points
from training.evaluation.now.protocol import face_of, face_sphere, pooled, scan_to_mesh
from training.evaluation.surfaces import Mesh, Surface, read_mesh, write_obj

# Seven points of a face on a sphere of 100 mm around the origin, which looks along z.
POINTS = np.array([[-45, 30, 0], [-15, 30, 0], [15, 30, 0], [45, 30, 0], [0, -15, 0], [-25, -45, 0], [25, -45, 0.0]])
POINTS[:, 2] = np.sqrt(100.0**2 - (POINTS[:, :2] ** 2).sum(1))


def sphere(radius: float, subdivisions: int = 4) -> Mesh:
    made = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(np.asarray(made.vertices), np.asarray(made.faces))


def lump(seed: int = 0) -> Mesh:
    """A smooth shape that fits itself in one way only."""
    ball = sphere(100.0)
    bumps = np.random.default_rng(seed).normal(size=(6, 3))
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    heights = sum(
        (10.0 + 3.0 * number) * np.exp(6 * (ball.vertices @ bump / 100.0 - 1)) for number, bump in enumerate(bumps)
    )
    return Mesh(ball.vertices * (1 + np.asarray(heights)[:, None] / 100.0), ball.triangles)


def test_the_face_is_cut_out_as_the_protocol_says() -> None:
    centre, radius = face_sphere(POINTS)
    bridge = (POINTS[1] + POINTS[2]) / 2
    assert centre == pytest.approx(POINTS[4] + 0.3 * (bridge - POINTS[4]))
    assert radius == pytest.approx(0.7 * (90.0 + np.linalg.norm(bridge - POINTS[4])))
    face = face_of(sphere(100.0).vertices, POINTS)
    assert 0 < len(face) < len(sphere(100.0).vertices)
    with pytest.raises(ValueError, match="units"):
        face_of(sphere(0.1).vertices, POINTS)


def test_a_scan_is_no_distance_from_itself() -> None:
    scan = lump()
    for metrical in (False, True):
        assert scan_to_mesh(scan, POINTS, scan, POINTS, metrical).max() < 1e-6


def test_a_similarity_counts_only_metrically() -> None:
    scan = lump()
    turn = rotation_from_angles(30.0, 10.0, -20.0) @ np.diag([1.0, -1.0, -1.0])
    rough = POINTS + np.random.default_rng(1).normal(0, 1.0, POINTS.shape)
    moved = Mesh(0.9 * scan.vertices @ turn.T + [10.0, 20.0, 300.0], scan.triangles)
    distances = scan_to_mesh(scan, POINTS, moved, 0.9 * rough @ turn.T + [10.0, 20.0, 300.0])
    assert distances.max() < 0.02
    metrical = scan_to_mesh(scan, POINTS, moved, 0.9 * rough @ turn.T + [10.0, 20.0, 300.0], metrical=True)
    assert 0.2 < metrical.mean() < 5.0


def test_a_sphere_of_known_offset_is_that_far() -> None:
    whole, larger = sphere(100.0, 5), sphere(103.0, 5)
    assert Surface(larger.vertices, larger.triangles).distances(whole.vertices) == pytest.approx(3.0, abs=0.03)
    # Laid on the face alone, a larger sphere still cannot come nearer than its curvature lets it.
    distances = scan_to_mesh(whole, POINTS, larger, POINTS * 1.03, metrical=True)
    assert 0.05 < distances.mean() < 1.0
    assert scan_to_mesh(whole, POINTS, larger, POINTS * 1.03).mean() < 0.02


def test_distances_are_pooled_over_scans() -> None:
    figures = pooled([np.array([1.0, 1.0, 1.0]), np.array([5.0])])
    assert (figures.median, figures.mean, figures.scans) == (1.0, 2.0, 2)
    assert figures.std == pytest.approx(np.sqrt(3.0))


def test_meshes_and_points_are_read_as_they_are_published(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(
        "v 0 0 0\nv 1 0 0\nvt 0 0\nv 1 1 0\nv 0 1 0\nf 1/1 2/1 3/1 4/1\nf -4//1 -3//1 -2//1\n"
    )
    mesh = read_mesh(tmp_path / "a.obj")
    assert mesh.vertices.shape == (4, 3)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    trimesh.PointCloud(POINTS).export(tmp_path / "cloud.ply")
    assert read_mesh(tmp_path / "cloud.ply").vertices == pytest.approx(POINTS, abs=1e-4)
    np.save(tmp_path / "p.npy", POINTS)
    np.savetxt(tmp_path / "p.txt", POINTS)
    nodes = "".join(f'<point x="{x}" y="{y}" z="{z}" active="1" name="{n}"/>' for n, (x, y, z) in enumerate(POINTS))
    (tmp_path / "p.pp").write_text(f"<!DOCTYPE PickedPoints>\n<PickedPoints>{nodes}</PickedPoints>")
    for name in ("p.npy", "p.txt", "p.pp"):
        assert read_points(tmp_path / name) == pytest.approx(POINTS)
    np.save(tmp_path / "short.npy", POINTS[:6])
    with pytest.raises(ValueError, match="seven"):
        read_points(tmp_path / "short.npy")


def now_folder(folder: Path) -> Path:
    """Two subjects with three pictures between them."""
    for number, subject in enumerate(("FaMoS_1", "FaMoS_2")):
        (folder / "scans" / subject).mkdir(parents=True)
        (folder / "scans_lmks_onlypp" / subject).mkdir(parents=True)
        write_obj(folder / "scans" / subject / "scan.obj", lump(number))
        np.savetxt(folder / "scans_lmks_onlypp" / subject / "scan.txt", POINTS)
    names = ("FaMoS_1/selfie/IMG_1.jpg", "FaMoS_2/selfie/IMG_2.jpg", "FaMoS_2/multiview_neutral/IMG_3.jpg")
    (folder / "imagepathsvalidation.txt").write_text("\n".join(names))
    return folder


def test_predicted_meshes_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, predicted = now_folder(tmp_path / "now"), tmp_path / "predicted"
    for entry in open_now(data).entries[:2]:
        path = predicted / f"{entry.name}.obj"
        path.parent.mkdir(parents=True)
        write_obj(path, lump(int(entry.subject[-1]) - 1))
        np.save(path.with_suffix(".npy"), POINTS)
    assert len(open_now(data, "selfie").entries) == 2
    with pytest.raises(FileNotFoundError, match="IMG_3"):
        prediction(predicted, open_now(data).entries[2])
    words = [
        "evaluate",
        "now",
        "--data",
        str(data),
        "--predicted",
        str(predicted),
        "--output",
        str(tmp_path / "report"),
    ]
    assert main([*words, "--challenge", "selfie"]) == 0
    assert "0.00" in capsys.readouterr().out
    assert (tmp_path / "report" / "now.json").is_file()
    # One of three heads is missing: it is named, and the others are measured.
    assert main(words) == 1
    assert "IMG_3" in capsys.readouterr().err
