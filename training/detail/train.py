"""Training of the network for detail, on one core or many, resumable."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.detail.examples import Example, kept_example, load_examples
from training.detail.faces import DetailDataError, list_faces
from training.detail.network import DetailNetwork
from training.detail.simulate import Simulator
from training.populations.identity import Population
from training.progress import Progress
from training.whole_file import whole_file

CHECKPOINT = "detail.pt"

_ENOUGH = (0.1, 0.02)
"""Tilt, rad, below which errors count quadratically, at first and from the middle of the training on: what is smaller
is noise of the truth. Squares first, since a network that begins with no relief learns little from what is linear."""

_STEEP = 0.7
"""Share of pieces that are the steeper of two, until the training's last part, which is to learn how rare relief is."""

_LAST = 0.7


@dataclass(frozen=True)
class DetailRun:
    """batches of ``batch`` pieces of ``side`` px; the rate rises for a twentieth of them, then falls as a cosine.

    simulated faces beside those that were rendered, which are so large a share of the pieces.
    """

    batches: int = 5200
    batch: int = 6
    side: int = 112
    rate: float = 2.5e-3
    decay: float = 0.999
    seed: int = 1
    simulated: int = 160
    rendered_share: float = 0.6
    threads: int = 0


def train(folders: list[Path], population: Population, run: DetailRun, output: Path) -> DetailNetwork:
    """Trains on the faces of the folders and on simulated ones, goes on from the checkpoint in ``output``.

    Returns the averaged network.

    Raises :class:`training.detail.faces.DetailDataError`.
    """
    if run.threads:
        torch.set_num_threads(run.threads)
    output.mkdir(parents=True, exist_ok=True)
    template = population.template
    paths = [path for folder in folders for path in list_faces(folder)]
    rendered = _large([example for path in paths for example in load_examples(path, template)], run)
    simulated = _large(_simulated(population, run, output / "simulated"), run)
    if not rendered and not simulated:
        raise DetailDataError("None of the faces is large enough to learn from.")
    torch.manual_seed(run.seed)
    network, averaged = DetailNetwork(), DetailNetwork()
    network = network.to(memory_format=torch.channels_last)
    averaged.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=run.rate, weight_decay=1e-4)
    first = _resume(output / CHECKPOINT, run, network, averaged, optimiser)
    total, counted = 0.0, 0
    with Progress("train", run.batches, first, "batch") as progress:
        for number in range(first, run.batches):
            share = number / run.batches
            for group in optimiser.param_groups:
                group["lr"] = run.rate * min(1.0, 20.0 * share + 0.01) * 0.5 * (1.0 + math.cos(math.pi * share))
            steep = _STEEP if share < _LAST else 0.0
            batch = _batch(rendered, simulated, run, steep, np.random.default_rng([run.seed, number]))
            first_enough, last_enough = _ENOUGH
            loss = _step(network, batch, max(last_enough, first_enough * (1.0 - 2.0 * share)))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            with torch.no_grad():
                keep = min(run.decay, (number + 1) / (number + 10))
                for mean, value in zip(averaged.parameters(), network.parameters(), strict=True):
                    mean.lerp_(value, 1.0 - keep)
            total, counted = total + float(loss.detach()), counted + 1
            if (number + 1) % 100 == 0:
                progress.advance(100, f"{total / counted:.4f}")
                total, counted = 0.0, 0
            if (number + 1) % 500 == 0:
                _save(output / CHECKPOINT, run, number + 1, network, averaged, optimiser)
    _save(output / CHECKPOINT, run, run.batches, network, averaged, optimiser)
    return averaged


def _large(examples: list[Example | None], run: DetailRun) -> list[Example]:
    return [example for example in examples if example is not None and min(example.weight.shape) >= run.side]


def _simulated(population: Population, run: DetailRun, folder: Path) -> list[Example | None]:
    """Made once and kept in the folder; each depends on the seed and its number alone."""
    folder.mkdir(exist_ok=True)
    simulator = Simulator(population)
    examples = []
    with Progress("simulate", run.simulated) as progress:
        for index in range(run.simulated):
            draw = functools.partial(simulator.draw, np.random.default_rng([run.seed, index, 7]))
            examples.append(kept_example(folder / f"example-{index:06d}.npz", draw))
            progress.advance()
    return examples


def _resume(
    path: Path, run: DetailRun, network: DetailNetwork, averaged: DetailNetwork, optimiser: torch.optim.Optimizer
) -> int:
    if not path.exists():
        return 0
    kept: dict[str, Any] = torch.load(path, weights_only=True)
    if kept["run"] != json.dumps(asdict(run)):
        raise DetailDataError(f"{path} is of another run: choose another folder.")
    network.load_state_dict(kept["network"])
    averaged.load_state_dict(kept["averaged"])
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["batches"])


def _save(
    path: Path,
    run: DetailRun,
    batches: int,
    network: DetailNetwork,
    averaged: DetailNetwork,
    optimiser: torch.optim.Optimizer,
) -> None:
    with whole_file(path) as stream:
        torch.save(
            {
                "run": json.dumps(asdict(run)),
                "batches": batches,
                "network": network.state_dict(),
                "averaged": averaged.state_dict(),
                "optimiser": optimiser.state_dict(),
            },
            stream,
        )


def _step(network: DetailNetwork, batch: tuple[Tensor, Tensor, Tensor, Tensor], enough: float) -> Tensor:
    channels, slopes, metric, weight = batch
    with torch.autocast("cpu", torch.bfloat16):
        height = network(channels.to(memory_format=torch.channels_last))
    return loss_of(height, slopes, metric, weight, enough)


def loss_of(height: Tensor, slopes: Tensor, metric: Tensor, weight: Tensor, enough: float) -> Tensor:
    """Mean tilt between the surface of heights (B,h,w) and the true one, linear in the error beyond `enough`.

    Linear, and not squared: where nothing is to be seen, the best answer is then no relief at all and not a faint one.
    slopes (B,2,h,w), metric (B,3,h,w) and weight (B,h,w) as :class:`training.detail.examples.Example` has them.
    """
    # As `np.gradient` has it, which the product uses.
    right = 0.5 * (height[:, 1:-1, 2:] - height[:, 1:-1, :-2]) - slopes[:, 0, 1:-1, 1:-1]
    down = 0.5 * (height[:, 2:, 1:-1] - height[:, :-2, 1:-1]) - slopes[:, 1, 1:-1, 1:-1]
    rr, rd, dd = metric[:, :, 1:-1, 1:-1].unbind(1)
    tilt = torch.sqrt(rr * right**2 + 2.0 * rd * right * down + dd * down**2 + enough**2) - enough
    inner = weight[:, 1:-1, 1:-1]
    # Central differences do not see a checkerboard, and nothing sees the height's level.
    rough = (height[:, 1:, 1:] - height[:, 1:, :-1] - height[:, :-1, 1:] + height[:, :-1, :-1]).abs().mean()
    level = functional.avg_pool2d(height[:, None], 16).abs().mean()
    # Where errors count as squares they are small numbers: about as much as they would be if linear.
    scale = 1.0 + enough / 0.1
    return scale * (tilt * inner).sum() / inner.sum().clamp(min=1.0) + 0.05 * rough + 0.005 * level


def _batch(
    rendered: list[Example], simulated: list[Example], run: DetailRun, steep: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    pieces = list(_pieces(rendered, simulated, run, steep, rng))
    channels, slopes, metric, weight = (torch.from_numpy(np.stack(part)).float() for part in zip(*pieces, strict=True))
    return _disturbed(channels, rng), slopes, metric, weight


def _pieces(
    rendered: list[Example], simulated: list[Example], run: DetailRun, steep: float, rng: np.random.Generator
) -> Iterator[tuple[NDArray[Any], ...]]:
    for _ in range(run.batch):
        examples = rendered if rendered and (not simulated or rng.random() < run.rendered_share) else simulated
        channels, slopes, metric, weight = max(
            (_piece(examples, run.side, rng) for _ in range(2 if rng.random() < steep else 1)),
            key=lambda piece: float((np.abs(piece[1].astype(np.float32)).sum(0) * piece[3]).mean()),
        )
        if rng.random() < 0.5:
            channels, slopes, metric, weight = (part[..., ::-1].copy() for part in (channels, slopes, metric, weight))
            channels[[3, 5]] *= -1
            slopes[0] *= -1
            metric[1] *= -1
        yield channels, slopes, metric, weight


def _piece(examples: list[Example], side: int, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
    """A piece of any of the examples that shows the face, if such a one is found soon."""
    for _ in range(8):
        example = examples[int(rng.integers(len(examples)))]
        height, width = example.weight.shape
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        at = np.s_[..., top : top + side, left : left + side]
        if example.weight[at].mean() > 0.4:
            break
    return tuple(np.array(part[at]) for part in (example.channels, example.slopes, example.metric, example.weight))


def _disturbed(channels: Tensor, rng: np.random.Generator) -> Tensor:
    """Colours as other cameras give them: softer, noisier, of another contrast, with less colour."""
    colour = channels[:, :3]
    count = len(colour)
    grey = colour.mean(1, keepdim=True)

    def drawn(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1))).float()

    colour = grey + drawn(0.6, 1.1) * (colour - grey)
    colour = colour * drawn(0.75, 1.3)
    if rng.random() < 0.3:
        sigma = float(rng.uniform(0.3, 1.2))
        taps = torch.exp(-0.5 * (torch.arange(-3, 4) / sigma) ** 2)
        taps = (taps / taps.sum()).view(1, 1, 1, 7).repeat(3, 1, 1, 1)
        colour = functional.conv2d(functional.pad(colour, (3, 3, 0, 0), "replicate"), taps, groups=3)
        colour = functional.conv2d(
            functional.pad(colour, (0, 0, 3, 3), "replicate"), taps.transpose(2, 3).contiguous(), groups=3
        )
    strength = torch.from_numpy(0.25 * rng.random((count, 1, 1, 1)) ** 2).float()
    noise = torch.from_numpy(rng.standard_normal(tuple(colour.shape), np.float32))
    if rng.random() < 0.5:
        noise = 1.7 * functional.avg_pool2d(noise, 3, 1, 1)
    changed = torch.cat([(colour + strength * noise) * channels[:, 9:10], channels[:, 3:]], 1)
    return changed
