from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from backend.voxels import VoxelReconstructor
from likeness import cli
from tests.training.recipes.components.toy import RESOLUTION, quick, toy, write_toy_heads, write_toy_objects
from training.recipes.components.config import DecoderConfig
from training.recipes.components.train import train


@pytest.mark.parametrize("decoder", [DecoderConfig("linear", 8), DecoderConfig("convolutional", 8, (8, 4))])
def test_a_run_becomes_a_bundle_that_answers_as_the_run_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], decoder: DecoderConfig
) -> None:
    data = write_toy_objects(tmp_path / "data", 40)
    _, pairs, split = toy(data)
    config = replace(quick("objects"), decoder=decoder, mirror=True)
    trained = train(config, pairs, split, tmp_path / "run", progress=False)
    output = tmp_path / "bundle"
    words = ["export", "--checkpoint", tmp_path / "run", "--data", data, "--output", output, "--name", "stools"]
    assert cli.main(list(map(str, words))) == 0
    assert "| nearest picture |" in capsys.readouterr().out
    reconstructor = VoxelReconstructor.open(output)
    picture = pairs.images[int(pairs.of(split.test)[0])]
    grid = trained.framework(pairs.pictures(pairs.of(split.test)[:1])).detach().numpy().reshape((RESOLUTION,) * 3)
    mirrored = replace(pairs, images=pairs.images[:, :, ::-1]).pictures(pairs.of(split.test)[:1])
    other = trained.framework(mirrored).detach().numpy().reshape((RESOLUTION,) * 3)[::-1]
    np.testing.assert_allclose(reconstructor.occupancy(picture), np.clip((grid + other) / 2, 0, 1), atol=0.02)
    file = io.BytesIO()
    Image.fromarray(picture).resize((160, 160)).save(file, "PNG")
    found = reconstructor.reconstruct(file.getvalue())
    assert found.occupancy.shape == (RESOLUTION,) * 3
    assert json.loads((output / "bundle.json").read_text())["classes"] == ["bench", "stool"]


def test_what_does_not_belong_together_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_toy_heads(tmp_path / "heads", 20)
    _, pairs, split = toy(data)
    train(quick("heads"), pairs, split, tmp_path / "run", progress=False)
    words = ["export", "--checkpoint", tmp_path / "run", "--data", data, "--output", tmp_path / "bundle"]
    assert cli.main(list(map(str, words))) == 2
    assert "run of heads" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
