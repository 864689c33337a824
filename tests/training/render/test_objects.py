from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from likeness import cli
from training.views import ViewsInfo, open_views, read_views, write_chunk
from training.voxels.grid import pack
from training.voxels.packed import write_packed


def chairs(folder: Path) -> Path:
    """A packed file: an empty grid, a chair whose back is at +y, and the same chair again."""
    grids = np.zeros((3, 16, 16, 16), bool)
    grids[1:, 3:13, 3:13, 7] = True
    grids[1:, 3:13, 12, 7:15] = True
    for x, y in ((3, 3), (3, 12), (12, 3), (12, 12)):
        grids[1:, x, y, :7] = True
    folder.mkdir()
    write_packed(folder / "chair.npy.gz", grids)
    return folder


def render(source: Path, output: Path, *more: object) -> int:
    words = ["render-objects", "--input", source, "--output", output, "--voxels", 15, "--resolution", 48, *more]
    return cli.main(list(map(str, words)))


def test_a_chair_is_seen_from_its_left_its_front_and_its_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = chairs(tmp_path / "source"), tmp_path / "views"
    assert render(source, output, "--views", 3) == 1
    assert "chair.npy.gz: chair/0000 is empty" in capsys.readouterr().err
    views = read_views(output)
    assert views.names.tolist() == ["chair/0001"]  # its twin is left out
    assert views.images.shape == (1, 3, 48, 48)
    assert views.grids is not None
    assert views.grids.shape == (1, 15, 15, 15)
    left, front, right = views.alpha[0] > 127
    # From its left, which is +x, its back, at +y, is on the picture's right; from the front it is as wide as the seat.
    upper = slice(6, 16)
    assert left[upper, 26:].sum() > 3 * left[upper, :22].sum()
    assert right[upper, :22].sum() > 3 * right[upper, 26:].sum()
    assert front[upper].any(0).sum() > 1.5 * left[upper].any(0).sum()
    rows, columns = np.flatnonzero(front.any(1)), np.flatnonzero(front.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(48 / 1.12, abs=2)


def test_finished_chunks_are_not_rendered_again(tmp_path: Path) -> None:
    source, output = chairs(tmp_path / "source"), tmp_path / "views"
    render(source, output, "--views", 1, "--per-chunk", 1)
    chunk = output / "chunk-00001.npz"
    before, first = chunk.stat().st_mtime_ns, read_views(output)
    (output / "chunk-00002.npz").unlink()
    render(source, output, "--views", 1, "--per-chunk", 1)
    assert chunk.stat().st_mtime_ns == before
    np.testing.assert_array_equal(read_views(output).images, first.images)
    assert render(source, output, "--views", 2, "--per-chunk", 1) == 2


def test_things_made_by_rule_need_no_files(tmp_path: Path) -> None:
    output = tmp_path / "rules"
    words = ["render-objects", "--procedural", "4", "--views", "1", "--resolution", "32", "--output", str(output)]
    assert cli.main(words) == 0
    views = read_views(output)
    assert views.kinds.tolist() == ["chair", "table", "chair", "monitor"]
    assert ((views.alpha > 127).mean((1, 2, 3)) > 0.03).all()


def test_wrong_options_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(tmp_path, tmp_path / "out") == 2
    assert "holds no shapes" in capsys.readouterr().err
    assert render(chairs(tmp_path / "source"), tmp_path / "out", "--up", "y") == 2
    assert "go together" in capsys.readouterr().err


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    info = ViewsInfo("objects", 2, 1, 8, 1, (0.0,), 4, 0, "toy")
    open_views(tmp_path, info)
    grids = np.ones((1, 4, 4, 4), bool)
    arrays = {"images": np.zeros((1, 1, 8, 8, 2), np.uint8), "names": np.array(["a"]), "kinds": np.array(["a"])}
    for chunk in range(2):
        write_chunk(tmp_path, chunk, arrays | {"bits": pack(grids)})
    path = tmp_path / "chunk-00001.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"chunk-00001\.npz is damaged"):
        read_views(tmp_path)
