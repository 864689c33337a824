from __future__ import annotations

import errno
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.populations.anny import AnnyPopulation
from training.shards import DatasetInfo, Sample, read_shard, shard_path

pytest.importorskip("bpy")

from training.render import worker
from training.render.engine import DiskFull, NotFinite
from training.render.job import RenderJob, RenderStopped, failures_path

INFO = DatasetInfo(seed=3, count=8, per_shard=4, resolution=64, samples=2)


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)


def test_a_sample_is_the_same_whatever_was_rendered_before(population: AnnyPopulation) -> None:
    maker = worker.SampleMaker(population, INFO)
    for other in (2, 6):
        maker.make(other)
    after_others = maker.make(5)
    maker.close()
    maker = worker.SampleMaker(population, INFO)
    alone = maker.make(5)
    maker.close()
    assert json.dumps(alone.parameters) == json.dumps(after_others.parameters)
    assert alone.parameters["engine"] == "cycles" and alone.parameters["view_transform"]
    assert isinstance(alone.parameters["denoised"], bool)
    assert all(np.array_equal(alone.arrays[name], after_others.arrays[name]) for name in alone.arrays)
    assert np.abs(pixels(alone.picture) - pixels(after_others.picture)).mean() <= 1.0
    for name, count in (("landmarks68", 68), ("landmarks_dense", len(population.template.landmarks_dense))):
        assert alone.arrays[name].shape == (count, 2)
        assert alone.arrays[f"{name}_visible"].shape == (count,)
        assert alone.arrays[f"{name}_visible"].dtype == bool
    assert 0 < alone.arrays["landmarks68_visible"].mean() <= 1


def test_a_folder_without_hdris_is_named(population: AnnyPopulation, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--hdris"):
        worker.SampleMaker(population, INFO, hdris=tmp_path)
    (tmp_path / "broken.exr").write_bytes(b"no picture")
    with pytest.raises(FileNotFoundError, match="could be read"):
        worker.SampleMaker(population, INFO, hdris=tmp_path)


class Makes:
    """In place of Blender: makes samples, and fails as told, by index: the faults of its tries in turn."""

    def __init__(self, faults: dict[int, list[Exception]] | None = None) -> None:
        self.faults = faults or {}
        self.tried: list[int] = []

    def make(self, index: int) -> Sample:
        self.tried.append(index)
        if self.faults.get(index):
            raise self.faults[index].pop(0)
        return Sample(index, b"picture", {"index": index}, {"vertices": np.zeros((2, 3), np.float32)})

    def close(self) -> None:
        """Nothing to do."""


def render(
    folder: Path, maker: Makes, monkeypatch: pytest.MonkeyPatch, crashed: tuple[int, ...] = ()
) -> list[tuple[str, int]]:
    monkeypatch.setattr(worker, "SampleMaker", lambda *_: maker)
    monkeypatch.setattr(worker, "load_populations", lambda _: None)
    told: list[tuple[str, int]] = []
    job = RenderJob(folder, INFO, (0, 1), ("population.npz",), crashed=crashed)
    worker.render_shards(job, lambda event, index: told.append((event, index)))
    return told


def test_a_sample_that_fails_is_tried_again_then_recorded_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Makes({1: [NotFinite("nan")], 6: [NotFinite("nan"), ValueError("nothing to draw")]})
    told = render(tmp_path, maker, monkeypatch)
    assert [index for event, index in told if event == "done"] == [0, 1, 2, 3, 4, 5, 7]
    assert told.count(("failed", 6)) == 1
    assert maker.tried.count(1) == 2 and maker.tried.count(6) == 2
    assert [sample.index for sample in read_shard(shard_path(tmp_path, 1))] == [4, 5, 7]
    assert not failures_path(tmp_path, 0).exists()
    (line,) = failures_path(tmp_path, 1).read_text().splitlines()
    assert json.loads(line) == {"seed": 3, "index": 6, "fault": "ValueError", "message": "nothing to draw"}


def test_recorded_failures_do_not_double_when_a_shard_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        render(tmp_path, Makes({6: [NotFinite("nan")] * 2}), monkeypatch)
        assert len(failures_path(tmp_path, 1).read_text().splitlines()) == 1
        shard_path(tmp_path, 1).unlink()
    render(tmp_path, Makes(), monkeypatch)
    assert not failures_path(tmp_path, 1).exists()


def test_finished_shards_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path, Makes(), monkeypatch)
    again = Makes()
    assert render(tmp_path, again, monkeypatch) == [] and again.tried == []


def test_what_took_blender_down_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Makes()
    told = render(tmp_path, maker, monkeypatch, crashed=(2,))
    assert ("failed", 2) in told and 2 not in maker.tried
    assert json.loads(failures_path(tmp_path, 0).read_text())["fault"] == "Crashed"


def test_failures_without_end_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Makes({index: [NotFinite("all is nan")] * 2 for index in range(8)})
    with pytest.raises(RenderStopped, match="all is nan"):
        render(tmp_path, maker, monkeypatch)
    assert len(set(maker.tried)) == 5
    assert not list(tmp_path.glob("shard-000001*"))


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), DiskFull("The disk is full.")])
def test_a_full_disk_stops_the_run_and_leaves_no_half_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    with pytest.raises(RenderStopped, match="full"):
        render(tmp_path, Makes({5: [fault]}), monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-000000.tar"]


def test_a_job_survives_the_pipe(tmp_path: Path) -> None:
    info = replace(INFO, passes=("seg", "uv"), populations={"anny": 1.0})
    job = RenderJob(tmp_path, info, (1, 2), ("a.npz:2",), 0, tmp_path / "hdris", None, (7,))
    assert RenderJob.from_json(job.to_json()) == job
