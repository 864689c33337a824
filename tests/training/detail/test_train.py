from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from backend.closeup import CHANNELS  # noqa: E402  needs torch
from training.detail import train as training  # noqa: E402
from training.detail.examples import Example  # noqa: E402
from training.detail.export import export  # noqa: E402
from training.detail.network import DetailNetwork  # noqa: E402
from training.detail.train import DetailRun, loss_of  # noqa: E402

SIDE = 32


def example(seed: int) -> Example:
    """Waves that are as bright as they are steep, under a light from the right."""
    rng = np.random.default_rng(seed)
    columns = np.arange(48) + rng.uniform(0, 9)
    slope = np.broadcast_to(0.2 * np.cos(columns / 3.0), (48, 48))
    channels = np.zeros((len(CHANNELS), 48, 48))
    channels[:3] = 5.0 * slope
    channels[3], channels[7], channels[9] = 0.5, -1.0, 1.0
    ones = np.ones((48, 48))
    half = np.float16
    return Example(
        channels.astype(half), np.stack([slope, 0 * slope]).astype(half), np.stack([ones, 0 * ones, ones]).astype(half),
        ones.astype(half),
    )  # fmt: skip


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(population: Any, run: DetailRun, folder: Path) -> list[Example]:
        return [example(seed) for seed in range(run.simulated)]

    monkeypatch.setattr(training, "_simulated", made)


class NoPopulation:
    template = None


def settings(batches: int) -> DetailRun:
    return DetailRun(batches=batches, batch=2, side=SIDE, rate=3e-3, decay=0.9, simulated=4, threads=1)


def test_it_learns_that_bright_is_steep(tmp_path: Path, simulated: None) -> None:
    network = training.train([], NoPopulation(), settings(60), tmp_path)  # type: ignore[arg-type]
    known = example(99)
    with torch.no_grad():
        height = network(torch.from_numpy(known.channels[None].astype(np.float32))).numpy()[0]
    found, true = np.gradient(height)[1], known.slopes[0].astype(float)
    assert np.corrcoef(found[8:-8, 8:-8].ravel(), true[8:-8, 8:-8].ravel())[0, 1] > 0.7


def test_a_checkpoint_is_gone_on_from_and_another_runs_is_refused(tmp_path: Path, simulated: None) -> None:
    first = training.train([], NoPopulation(), settings(4), tmp_path)  # type: ignore[arg-type]
    again = training.train([], NoPopulation(), settings(4), tmp_path)  # type: ignore[arg-type]
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="another run"):
        training.train([], NoPopulation(), settings(5), tmp_path)  # type: ignore[arg-type]


def test_the_loss_is_the_tilt_between_the_surfaces() -> None:
    height = (0.1 * torch.arange(32.0)).expand(1, 32, 32)
    nothing, ones = torch.zeros(1, 32, 32), torch.ones(1, 32, 32)
    metric = torch.stack([ones, nothing, ones], 1)
    true = torch.stack([0.1 * ones, nothing], 1)
    level = 0.005 * float(torch.nn.functional.avg_pool2d(height[:, None], 16).abs().mean())
    assert float(loss_of(height, true, metric, ones, 1e-6)) == pytest.approx(level, abs=1e-5)
    flat = float(loss_of(height, torch.zeros_like(true), metric, ones, 1e-6))
    assert flat == pytest.approx(0.1 + level, abs=1e-3)


def test_the_file_gives_the_same_heights_at_any_size(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    network = DetailNetwork()
    export(network, tmp_path / "detail.onnx")
    assert (tmp_path / "detail.onnx").stat().st_size < 1_500_000
    session = onnxruntime.InferenceSession(str(tmp_path / "detail.onnx"), providers=["CPUExecutionProvider"])
    for shape in ((40, 64), (72, 56)):
        channels = np.random.default_rng(1).standard_normal((1, len(CHANNELS), *shape)).astype(np.float32)
        (height,) = session.run(None, {"channels": channels})
        with torch.no_grad():
            np.testing.assert_allclose(height, network(torch.from_numpy(channels)).numpy(), atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map["licence"] == "CC0-1.0"
