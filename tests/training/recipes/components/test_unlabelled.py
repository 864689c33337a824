from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("torch")

from likeness import cli
from tests.training.recipes.components.toy import RESOLUTION, SIZE, grid, write_toy_heads, write_toy_objects
from training.recipes.components.unlabelled import read_images, read_shapes
from training.recipes.photos import FoundFace, NotUsable
from training.voxels.packed import write_packed


def write_photos(folder: Path) -> Path:
    """A stool on grey, a picture of nothing, and a text."""
    folder.mkdir()
    image = Image.new("RGB", (90, 70), (200, 205, 210))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 60, 28), fill=(40, 30, 30))
    draw.rectangle((36, 28, 44, 60), fill=(40, 30, 30))
    image.save(folder / "stool.png")
    Image.new("RGB", (60, 60), (90, 90, 90)).save(folder / "wall.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_photos_of_objects(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    images, left_out = read_images(write_photos(tmp_path / "photos"), "objects", SIZE, progress=False)
    assert images.shape == (1, SIZE, SIZE)
    assert images[0, 0].mean() > 200  # the background is white now
    assert images[0].min() < 80
    (sentence,) = left_out
    assert "1 no object before a plain background" in sentence
    assert "1 no picture that can be read" in sentence


def test_photos_of_faces_are_cut_by_their_landmarks(tmp_path: Path) -> None:
    class Finder:
        """Finds a face of 40 pixels in the middle of every picture but the smallest."""

        def find(self, content: bytes) -> FoundFace:
            import io

            picture = Image.open(io.BytesIO(content)).convert("RGB") if content[:4] != b"no p" else None
            if picture is None or picture.width < 80:
                raise NotUsable("no face")
            turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
            points = np.stack([45 + 20 * np.cos(turn), 35 + 20 * np.sin(turn)], 1)
            points[36:42], points[42:48], points[17:27], points[8] = (38, 30), (52, 30), (45, 20), (45, 55)
            return FoundFace(picture, points)

    images, left_out = read_images(write_photos(tmp_path / "photos"), "heads", SIZE, Finder, progress=False)
    assert images.shape == (1, SIZE, SIZE)
    assert images[0].min() < 80
    assert "2 no face" in left_out[0]


def test_folders_that_were_rendered(tmp_path: Path) -> None:
    objects = write_toy_objects(tmp_path / "objects", 12)
    grids = read_shapes(objects, "objects", RESOLUTION)[0]
    assert 6 < len(grids) <= 12  # twins are left out
    assert grids.shape[1:] == (RESOLUTION,) * 3
    assert read_images(objects, "objects", SIZE)[0].shape == (3 * len(grids), SIZE, SIZE)
    heads = write_toy_heads(tmp_path / "heads", 10)
    assert read_shapes(heads, "heads", 60)[0].shape == (10, 60, 3)
    with pytest.raises(ValueError, match="shows heads, and the run is of objects"):
        read_images(heads, "objects", SIZE)


def test_a_run_takes_both_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_toy_objects(tmp_path / "objects", 30)
    shapes = tmp_path / "shapes"
    shapes.mkdir()
    rng = np.random.default_rng(7)
    write_packed(shapes / "stool.npy.gz", np.stack([np.zeros((RESOLUTION,) * 3, bool), *(grid(rng) for _ in range(4))]))
    stages = [f"--set={name}.steps=2" for name in ("images", "shapes", "between", "all")]
    command = ["train", "components", "--config", "tiny", "--data", data, "--output", tmp_path / "run", *stages]
    assert cli.main([*map(str, command), "--shapes", str(shapes), "--images", str(data)]) == 0
    assert "stool.npy.gz: stool/0000 is empty" in capsys.readouterr().err
    resumed = [*map(str, command[:-4]), "--resume"]
    assert cli.main(resumed) == 2
    assert "begun on other data" in capsys.readouterr().err
