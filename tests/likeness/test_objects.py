from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from likeness import cli


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.objects_bundle import write_objects_bundle

    return write_objects_bundle(tmp_path_factory.mktemp("objects"))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = Image.new("RGB", (200, 200), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 40, 149, 59), fill=(50, 40, 30))
    draw.rectangle((90, 40, 109, 159), fill=(50, 40, 30))
    path = tmp_path / "stool.png"
    image.save(path)
    return path


def reconstruct(bundle: Path, *arguments: object) -> int:
    words = ["reconstruct", "--method", "components-objects", *map(str, arguments), "--bundle", str(bundle)]
    return cli.main(words)


def test_a_picture_becomes_arrays(bundle: Path, picture: Path, tmp_path: Path) -> None:
    output = tmp_path / "stool.npz"
    assert reconstruct(bundle, picture, "--output", output) == 0
    with np.load(output, allow_pickle=False) as arrays:
        assert arrays["occupancy"].shape == (16, 16, 16)
        assert arrays["triangles"].max() == len(arrays["vertices"]) - 1
        assert arrays["vertices"][:, 2].min() == pytest.approx(0, abs=0.05)


def test_a_picture_of_nothing_is_named_and_the_others_are_done(
    bundle: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64), (200, 200, 200)).save(blank)
    folder = tmp_path / "out"
    assert reconstruct(bundle, blank, picture, "--output", folder, "--format", "npz", "--json") == 1
    captured = capsys.readouterr()
    assert f"{blank}: No object" in captured.err
    assert [json.loads(line).get("error", {}).get("code") for line in captured.out.splitlines()] == [
        "object_none", None
    ]  # fmt: skip
    assert [path.name for path in folder.iterdir()] == ["stool.npz"]


def test_a_missing_model_is_one_sentence(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct(tmp_path / "nowhere", picture, "--output", tmp_path / "stool.npz") == 1
    assert "docs/components.md" in capsys.readouterr().err


@pytest.mark.slow
def test_a_picture_becomes_a_mesh_and_a_preview(bundle: Path, picture: Path, tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    output, preview = tmp_path / "stool.glb", tmp_path / "preview.png"
    assert reconstruct(bundle, picture, "--output", output, "--preview", preview) == 0
    assert output.read_bytes()[:4] == b"glTF"
    assert preview.read_bytes().startswith(b"\x89PNG")
