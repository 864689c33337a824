from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from training.recipes.photos import BundleFinder, FoundFace, NotUsable, Photos, contents, gather, gathered

ROOT = Path(__file__).resolve().parents[3]
PORTRAIT = ROOT / "docs" / "samples" / "eileen_collins.jpg"


class Oval:
    """Finds the white oval in a picture; its landmarks are the box's corners and what lies between."""

    def find(self, content: bytes) -> FoundFace:
        try:
            picture = Image.open(BytesIO(content)).convert("RGB")
        except OSError as error:
            raise NotUsable("no picture that can be read") from error
        box = picture.convert("L").point(lambda n: 255 * (n > 200)).getbbox()
        if box is None:
            raise NotUsable("no face")
        turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        half = np.array([box[2] - box[0], box[3] - box[1]]) / 2
        if box[2] == picture.width:  # the whole oval, though the picture shows a part of it
            middle[0] = box[0] + half[1]
            half[0] = half[1]
        return FoundFace(picture, middle + half * np.stack([np.sin(turn), np.cos(turn)], 1))


def oval(path: Path, box: tuple[int, int, int, int]) -> None:
    from PIL import ImageDraw

    picture = Image.new("RGB", (200, 160), (40, 60, 90))
    ImageDraw.Draw(picture).ellipse(box, fill=(255, 255, 255))
    path.parent.mkdir(exist_ok=True)
    picture.save(path)


def test_what_is_no_face_is_skipped_and_counted(tmp_path: Path) -> None:
    oval(tmp_path / "a.png", (50, 30, 150, 130))
    oval(tmp_path / "deeper" / "b.jpg", (60, 20, 140, 140))
    oval(tmp_path / "cut.png", (150, 30, 250, 130))
    oval(tmp_path / "small.png", (90, 70, 110, 90))
    Image.new("RGB", (90, 90)).save(tmp_path / "nobody.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "torn.png").write_bytes((tmp_path / "a.png").read_bytes()[:90])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = gather(tmp_path, Oval(), 64, 0.9, progress=False)
    assert found.names.tolist() == ["a.png", "deeper/b.jpg"]
    assert found.skipped == {
        "no picture that can be read": 3,
        "no face": 1,
        "face cut off": 1,
        "face too small": 1,
    }
    box = np.ptp(found.landmarks, axis=1).max(1)
    np.testing.assert_allclose(box, 0.9 * 64, atol=0.5)
    assert (found.images[:, 32, 32] > 240).all() and (found.images[:, 1, 1] < 120).all()
    found.save(tmp_path / "found.npz")
    again = Photos.load(tmp_path / "found.npz")
    assert (again.images == found.images).all() and again.skipped == found.skipped


def test_a_folder_without_faces_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ValueError, match="1 no picture"):
        gather(tmp_path, Oval(), 64, 0.9, progress=False)
    with pytest.raises(FileNotFoundError, match="no folder"):
        gather(tmp_path / "missing", Oval(), 64, 0.9, progress=False)


def test_faces_are_looked_for_once_and_never_taken_for_those_of_another_folder(tmp_path: Path) -> None:
    for name in ("one", "other"):
        oval(tmp_path / name / "a.png", (50, 30, 150, 130))
    kept = tmp_path / "run" / "photos.npz"
    first = gathered(kept, tmp_path / "one", Oval, 64, 0.9, progress=False)

    def nobody() -> Oval:
        raise AssertionError("they are known")

    assert (gathered(kept, tmp_path / "one", nobody, 64, 0.9).images == first.images).all()
    with pytest.raises(ValueError, match="of one, not those of other"):
        gathered(kept, tmp_path / "other", nobody, 64, 0.9)
    with pytest.raises(ValueError, match="the first 5 of one"):
        gathered(kept, tmp_path / "one", nobody, 64, 0.9, limit=5)


def test_rendered_faces_are_photos_too(tmp_path: Path) -> None:
    from tests.training.toy_faces import write_toy_faces

    folder = write_toy_faces(tmp_path / "faces", count=3)
    (folder / "shard-000009.tar").write_bytes(b"torn")
    read = dict(contents(folder))
    assert [name for name, content in read.items() if content] == ["00000000", "00000001", "00000002"]
    assert read["shard-000009.tar"] is None


def test_the_products_own_detector(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    Image.new("RGB", (300, 200), (50, 90, 160)).save(tmp_path / "sky.png")
    found = gather(tmp_path, BundleFinder(), 96, 0.95, progress=False)
    assert found.names.tolist() == ["portrait.jpg"]
    assert found.skipped == {"no picture that can be read": 1, "no face": 1}
    left, right = (found.landmarks[0, eye].mean(0) for eye in (slice(36, 42), slice(42, 48)))
    assert right[0] - left[0] > 20
