from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.render.report import write_report
from training.render.sheet import contact_sheet, passes_sheet
from training.render.statistics import names, numbers, read_parameters
from training.shards import DatasetError, DatasetInfo, Sample, open_dataset, shard_path, write_shard
from training.truth import pack_truth

INFO = DatasetInfo(seed=1, count=10, per_shard=5, resolution=16, samples=1, passes=("seg", "depth"))


def sample(index: int) -> Sample:
    encoded = io.BytesIO()
    Image.new("RGB", (16, 16), (25 * index, 0, 255 - 25 * index)).save(encoded, "JPEG", quality=95)
    parameters = {
        "yaw": 10.0 * index - 45.0, "pitch": 0.0, "roll": 1.0, "view_transform": "Standard", "blender": "4.5.15 LTS",
        "identity": {"population": "anny" if index % 2 else "scans",
                     "traits": {"age": 20.0 + index, "female": 0.2, "african": 0.5, "asian": 0.2, "caucasian": 0.3}},
        "skin": {"melanin": index / 10.0}, "expression": {"jawOpen": 0.1 * index},
        "glasses": {"shape": "round"} if index < 3 else None, "beard": {"style": ""},
        "view": {"distance": 900.0, "fill": 0.6}, "lens": 50.0, "landmarks68_shown": 0.9,
        "light": {"worlds": ["forest", "city"], "share": 0.0, "lamps": [{}]},
    }  # fmt: skip
    truth = {"seg": np.full((16, 16), index % 3, np.uint8), "depth": np.full((16, 16), 500.0, np.float32)}
    truth["depth"][0] = np.inf
    return Sample(index, encoded.getvalue(), parameters, {"vertices": np.zeros((1, 3))}, pack_truth(truth))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    open_dataset(tmp_path, INFO)
    for shard in range(INFO.shard_count):
        write_shard(shard_path(tmp_path, shard), (sample(index) for index in INFO.indices(shard)))
    return tmp_path


def test_a_report_shows_and_counts_what_is_there(dataset: Path) -> None:
    assert write_report(dataset) == []
    page = (dataset / "statistics.md").read_text()
    assert "10 of 10, 16 x 16 px" in page
    assert "anny 50.0 %" in page and "round 30.0 %" in page and "none 70.0 %" in page
    for line in page.splitlines():
        if line.startswith("!["):
            with Image.open(dataset / line.partition("(")[2].rstrip(")")) as picture:
                assert picture.width > 60


def test_the_sheet_is_spread_over_the_dataset(dataset: Path) -> None:
    sheet = np.asarray(contact_sheet(dataset, columns=4, rows=1, tile=16)).astype(int)
    red = [sheet[9, 2 + 18 * column + 8, 0] for column in range(4)]
    assert np.abs(np.array(red) - [0, 75, 150, 225]).max() < 6
    passes = passes_sheet(dataset, rows=2, tile=16)
    assert passes is not None and passes.size == (3 * 18 + 2, 2 * 18 + 2)


def test_without_the_libraries_the_report_says_so(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    (note,) = write_report(dataset)
    assert "matplotlib" in note and "--report" in note
    assert (dataset / "sheet.png").exists()


def test_nothing_to_report_is_no_error(tmp_path: Path) -> None:
    (note,) = write_report(tmp_path)
    assert "no finished shard" in note


def test_a_damaged_shard_is_named(dataset: Path) -> None:
    path = shard_path(dataset, 1)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DatasetError, match="shard-000001"):
        write_report(dataset)


def test_what_a_sample_lacks_is_not_counted(dataset: Path) -> None:
    parameters = read_parameters(dataset)
    assert numbers(parameters, "skin.melanin").tolist() == [index / 10.0 for index in range(10)]
    assert len(numbers(parameters, "skin.freckles")) == 0
    assert names(parameters, "glasses") == {"round": 3, "none": 7}
    assert names(parameters, "occluder") == {"none": 10}
