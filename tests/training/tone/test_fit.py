from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime")

from backend.bundle import open_bundle
from backend.pipeline import Reconstructor
from backend.skin import Skin
from likeness.cli import main
from tests.bundles import write_small_bundle
from training.shards import Sample, shard_path, write_shard
from training.tone.fit import ToneTable, report, ridge

SAMPLE = Path(__file__).resolve().parents[3] / "docs" / "samples" / "eileen_collins.jpg"
COUNT = 42


def darkened(content: bytes, gain: float) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image.convert("RGB").resize((256, 256)), np.float64)
    encoded = io.BytesIO()
    # About what a factor of linear light does to sRGB.
    Image.fromarray((pixels * gain ** (1 / 2.2)).astype(np.uint8)).save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face in light and shade, and skin that is as much darker as the light is, by its square root."""
    folder = tmp_path_factory.mktemp("tone")
    bundle = write_small_bundle(folder / "bundle")
    mean = open_bundle(bundle).arrays["reflectance_mean"]
    content = SAMPLE.read_bytes()
    gains = np.random.default_rng(0).uniform(0.4, 1.0, COUNT)

    def samples() -> Iterator[Sample]:
        for index, gain in enumerate(gains):
            arrays = {"reflectance_vertices": (mean * gain**0.5).astype(np.float32)}
            yield Sample(index, darkened(content, gain), {"yaw": 0.0, "index": index}, arrays)

    data = folder / "data"
    data.mkdir()
    (data / "dataset.json").write_text(json.dumps({"seed": 5, "count": COUNT, "per_shard": COUNT}))
    write_shard(shard_path(data, 0), samples())
    return folder


def test_a_bundle_learns_how_photos_correct_its_tone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = folder / "bundle"
    before = {path.name: path.read_bytes() for path in bundle.iterdir() if path.name != "bundle.json"}
    assert main(["fit-tone", "--bundle", str(bundle), "--data", str(folder / "data")]) == 0
    assert "| with skin and eyes' white |" in capsys.readouterr().out
    assert before == {path.name: path.read_bytes() for path in bundle.iterdir() if path.name != "bundle.json"}
    known = json.loads((bundle / "bundle.json").read_text())["tone"]
    assert (known["faces"], known["seed"]) == (COUNT, 5)

    reconstructor = Reconstructor.open(bundle)
    skin = Skin.of(reconstructor.bundle)
    assert skin is not None
    tones = []
    for gain in (1.0, 0.45):
        answer = reconstructor.reconstruct(darkened(SAMPLE.read_bytes(), gain))
        assert answer.reflectance is not None
        tones.append(float(np.log(skin.plain_tone(skin.model(answer.reflectance))).mean()))
    assert tones[1] - tones[0] == pytest.approx(0.5 * np.log(0.45), abs=0.15)


def test_too_few_faces_leave_the_bundle_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "bundle" / "bundle.json").read_bytes()
    arguments = ["fit-tone", "--bundle", str(folder / "bundle"), "--data", str(folder / "data"), "--limit", "5"]
    assert main(arguments) == 2
    assert "at least 40 are needed" in capsys.readouterr().err
    assert (folder / "bundle" / "bundle.json").read_bytes() == before


def test_weights_are_those_of_ridge_regression() -> None:
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.normal(2.0, 3.0, (4000, 3)), np.ones((4000, 1))], 1)
    truth = rng.normal(size=(4, 3))
    change = numbers @ truth
    assert np.allclose(ridge(numbers, change, strength=1e-6), truth, atol=1e-6)
    assert np.abs(ridge(numbers, change, strength=1e9)[:-1]).max() < 1e-3
    assert np.allclose(numbers @ ridge(numbers, change, strength=1e9), change.mean(0), atol=1e-2)


def test_the_report_counts_faces_with_and_without_white() -> None:
    rng = np.random.default_rng(2)
    without = np.concatenate([rng.normal(size=(60, 6)), np.ones((60, 1))], 1)
    with_white = np.concatenate([rng.normal(size=(60, 9)), np.ones((60, 1))], 1)
    with_white[:20] = np.nan
    text = report(ToneTable(with_white, without, without[:, :3].copy()))
    assert "| 60 |" in text and "| 40 |" in text
