from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.toy_faces import toy_template, write_toy_faces
from training.dataset import (
    MIRROR_68,
    make_sampler,
    mirror_points,
    mirror_vertices,
    read_faces,
    read_sets,
    split,
)
from training.shards import read_shard, write_shard


def test_samples_come_back_in_order_with_their_template(tmp_path: Path) -> None:
    faces = read_faces(write_toy_faces(tmp_path / "data", count=5, per_shard=2, size=32), progress=False)
    assert list(faces.keys) == [f"{index:08d}" for index in range(5)]
    assert faces.images.shape == (5, 32, 32, 3)
    assert faces.vertices.shape == (5, *toy_template()["mean"].shape)
    assert faces.reflectance is not None and faces.reflectance.dtype == np.float16
    assert len(faces.region("face")) > 100
    assert len(read_faces(tmp_path / "data", limit=3, progress=False)) == 3


def test_large_arrays_stay_on_the_disk_and_leave_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_toy_faces(tmp_path / "data", count=5, size=32)
    known = read_faces(folder, progress=False)
    monkeypatch.setattr("training.dataset._IN_MEMORY", known.vertices.nbytes - 1)
    faces = read_faces(folder, progress=False, spill=tmp_path / "spill")
    assert isinstance(faces.vertices, np.memmap)
    assert not isinstance(faces.landmarks68, np.memmap)
    np.testing.assert_array_equal(faces.vertices, known.vertices)
    assert list((tmp_path / "spill").iterdir()) == []


def test_landmarks_show_unless_the_samples_say_otherwise(tmp_path: Path) -> None:
    folder = write_toy_faces(tmp_path / "data", count=2, size=32)
    assert read_faces(folder, progress=False).visible68.all()
    shard = folder / "shard-000000.tar"
    samples = list(read_shard(shard))
    flags = np.arange(68) % 2 == 0
    packed = {"seg.png": b"segments", "truth.npz": b"passes"}
    write_shard(shard, [replace(s, arrays=s.arrays | {"landmarks68_visible": flags}, packed=packed) for s in samples])
    faces = read_faces(folder, progress=False)
    np.testing.assert_array_equal(faces.visible68, [flags, flags])
    assert faces.visible_dense.shape == faces.landmarks_dense.shape[:2] and faces.visible_dense.all()


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="likeness render"):
        read_faces(tmp_path, progress=False)


def test_an_incomplete_sample_is_named(tmp_path: Path) -> None:
    folder = write_toy_faces(tmp_path / "data", count=2, size=32)
    shard = folder / "shard-000000.tar"
    with tarfile.open(shard) as archive:
        archive.extractall(tmp_path / "parts", filter="data")
    with tarfile.open(shard, "w") as archive:
        for part in sorted((tmp_path / "parts").iterdir()):
            if part.name != "00000001.npz":
                archive.add(part, part.name)
    with pytest.raises(ValueError, match="00000001"):
        read_faces(folder, progress=False)


def test_pickles_are_refused(tmp_path: Path) -> None:
    folder = write_toy_faces(tmp_path / "data", count=1, size=32)
    np.savez(folder / "template.npz", mean=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read_faces(folder, progress=False)


def test_a_split_shares_no_identity() -> None:
    ours, held_out = split(100, 0.2, np.random.default_rng(0))
    assert len(held_out) == 20
    assert not set(ours) & set(held_out) and len(set(ours) | set(held_out)) == 100


def test_batches_depend_on_the_step_alone_and_go_round_everything() -> None:
    sampler = make_sampler(np.zeros(10), batch_size=4, seed=3, posed=None)
    batches = [sampler.batch(step) for step in range(5)]
    np.testing.assert_array_equal(sampler.batch(3), batches[3])
    assert sorted(np.concatenate(batches)) == sorted(list(range(10)) * 2)


def test_a_fifth_of_each_batch_is_posed() -> None:
    yaw = np.concatenate([np.zeros(50), np.full(10, 60.0)])
    sampler = make_sampler(yaw, batch_size=60, seed=0, posed=(0.2, 30.0))
    for step in range(3):
        assert (yaw[sampler.batch(step)] > 30).sum() == 12
    with pytest.raises(ValueError, match="render"):
        make_sampler(np.zeros(5), 60, 0, (0.2, 30.0))


def test_mirrored_twice_a_head_is_itself() -> None:
    template = toy_template()
    head = template["mean"] + np.random.default_rng(0).normal(size=template["mean"].shape).astype(np.float32)
    np.testing.assert_array_equal(mirror_vertices(mirror_vertices(head, template["mirror"]), template["mirror"]), head)
    assert np.array_equal(MIRROR_68[MIRROR_68], np.arange(68))


def test_the_68_landmarks_mirror_as_their_vertices_do() -> None:
    template = toy_template()
    np.testing.assert_array_equal(mirror_points(template["landmarks68"], template["mirror"]), MIRROR_68)
    lonely = mirror_points(np.array([0, 1]), np.array([1, 0, 2]))
    np.testing.assert_array_equal(lonely, [1, 0])
    np.testing.assert_array_equal(mirror_points(np.array([0]), np.array([1, 0])), [-1])


def test_sets_are_read_one_after_another(tmp_path: Path) -> None:
    one, other = write_toy_faces(tmp_path / "one", count=20), write_toy_faces(tmp_path / "other", count=6, seed=3)
    both = read_sets([one, other], limit=9)
    first, second = read_faces(one, progress=False), read_faces(other, progress=False)
    assert len(both) == 15
    np.testing.assert_array_equal(both.images[:9], first.images[:9])
    np.testing.assert_array_equal(both.vertices[9:], second.vertices)
    assert both.reflectance is not None and len(both.reflectance) == len(both.keys) == 15


def test_sets_that_differ_in_kind_are_not_joined(tmp_path: Path) -> None:
    one = read_faces(write_toy_faces(tmp_path / "one", count=4), progress=False)
    large = read_faces(write_toy_faces(tmp_path / "large", count=4, size=64), progress=False)
    with pytest.raises(ValueError, match="differ in their images"):
        one.joined(large)
    with pytest.raises(ValueError, match="differ in their reflectance"):
        one.joined(read_faces(tmp_path / "one", progress=False, reflectance=False))
    moved = replace(one, template=one.template | {"mean": one.template["mean"] + 1})
    with pytest.raises(ValueError, match="different templates"):
        one.joined(moved)


def test_points_follow_a_landmark_that_was_moved_on_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_toy_faces(tmp_path / "data", count=4)
    before = read_faces(folder, progress=False)
    template = before.template
    ids, other = template["landmarks68"].copy(), int(template["landmarks_dense"][5])
    # The template tells where it comes from by numbers that run backwards.
    base_ids = np.arange(len(template["mean"]))[::-1].copy()
    np.savez(folder / "template.npz", **template, base_ids=base_ids)
    ids[8] = other
    monkeypatch.setattr("training.dataset.LANDMARKS_68", tuple(base_ids[ids]))
    after = read_faces(folder, progress=False)
    np.testing.assert_array_equal(after.template["landmarks68"], ids)
    np.testing.assert_allclose(after.landmarks68[:, 8], before.landmarks_dense[:, 5], atol=0.02)
    kept = np.arange(68) != 8
    np.testing.assert_array_equal(after.landmarks68[:, kept], before.landmarks68[:, kept])
