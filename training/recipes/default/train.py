"""Trains the recipe `default`: one trunk, many heads, from the weights and on the basis of a bundle of `joint`.

    likeness train default --config tiny --data DATA --bundle BUNDLE --output RUN --steps 40
    likeness train default --config shipped --data DATA --bundle BUNDLE --output RUN [--steps 10000 | --hours 1]
    likeness train default --config shipped --data DATA --output RUN --resume
    likeness train default --config shipped --data DATA --output SECOND --start RUN

A GPU that PyTorch finds is used. A run depends on its configuration, its data, its beginning and its number of steps
alone: killed and resumed, it gives the losses that it would have given uninterrupted (on a GPU but for its rounding and
dropout).
"""

from __future__ import annotations

import copy
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from training.dataset import FaceSet, make_sampler, split
from training.evaluation.metrics import correlations, per_vertex_error
from training.recipes.default.config import DefaultConfig
from training.recipes.default.data import Basis, Batch, Faces, Standard, fingerprint, prepare, standard
from training.recipes.default.losses import losses, make_metrics
from training.recipes.default.network import DefaultNetwork
from training.recipes.default.run import load_run, make_network, read_arrays, take_bundle, write_config
from training.recipes.default.start import begin_with, read_weights, settle, unfold
from training.recipes.joint.data import landmark_swap
from training.recipes.runs import (
    RunLog,
    WeightAverage,
    cosine_rate,
    load_checkpoint,
    read_log,
    require_same_run,
    restore,
    save_state,
)

# Validation looks at the faces that the product is measured on.
_FRONTAL_DEGREES = 40.0
_SETTLED_ON = 512


def train(
    config: DefaultConfig,
    faces: FaceSet,
    output: Path,
    bundle: Path | None = None,
    start: Path | None = None,
    resume: bool = False,
    progress: bool = True,
    fresh: bool = False,
) -> None:
    """Trains, or goes on training, in the folder `output`.

    A new run takes basis and weights from a `bundle` of the recipe `joint` or of this one (with `fresh` the basis
    alone), or from what another run (`start`) of this recipe learned. Raises `ValueError` when a run to be resumed had
    another configuration or other data, or when there is nothing to begin with.
    """
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = load_checkpoint(output) if resume else None
    if checkpoint is None:
        if (source := start or bundle) is None:
            raise ValueError("the recipe default needs --bundle, a bundle of joint or default, or --start, a run")
        take_bundle(source, output)
        write_config(config, output)
    basis = Basis.of(read_arrays(output))
    data_id = fingerprint(faces, basis)
    if checkpoint is not None:
        require_same_run(checkpoint, "default", config, data_id, "other data")
    training, validation = split(len(faces), config.held_out, np.random.default_rng([config.seed, 2]))
    first = start and load_run(start)
    known = first.known if first else standard(faces, training)
    if checkpoint is not None:
        known = Standard.from_state(checkpoint["standard"])
    prepared = prepare(faces, basis, known, config, training)
    points = len(landmark_swap(faces.template))

    torch.manual_seed(config.seed)
    network = make_network(config, basis, points)
    if first:
        begin_with(network, first.network)
    elif checkpoint is None and bundle is not None:
        network.expect(torch.from_numpy(faces.expression[training].mean(0)))
        if not fresh:
            pairs = unfold(network, read_weights(bundle / "regressor.onnx"))
            parts = np.array_split(training[:_SETTLED_ON], max(1, min(len(training), _SETTLED_ON) // 64))
            rng = np.random.default_rng([config.seed, 4])
            settle(network, pairs, [prepared.batch(part, config, rng).images for part in parts])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device, memory_format=torch.channels_last)
    optimiser = _optimiser(config, network)
    average = WeightAverage(network, config.schedule.ema) if config.schedule.ema else None
    step = restore(checkpoint, network, optimiser, average) if checkpoint is not None else 0
    if average is not None:
        average.state = {name: tensor.to(device) for name, tensor in average.state.items()}
    sampler = make_sampler(faces.yaw[training], config.schedule.batch_size, config.seed, None)
    metrics, log = make_metrics(basis, faces, known).to(device), RunLog(output, step)
    started, begun = time.perf_counter(), step

    with (
        # The next batch is made beside the network's work, which leaves part of the second core idle.
        ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as beside,
        tqdm(total=config.schedule.steps, initial=step, desc=f"default {config.name}", disable=not progress) as bar,
    ):

        def coming(number: int) -> Future[Batch]:
            rng = np.random.default_rng([config.seed, 3, number])
            share, size = config.schedule.early
            seen = replace(config, size=size) if number < share * config.schedule.steps else config
            return beside.submit(prepared.batch, training[sampler.batch(number)], seen, rng)

        following = coming(step)
        while step < config.schedule.steps:
            for group in optimiser.param_groups:
                group["lr"] = config.schedule.rate * cosine_rate(
                    step, config.schedule.steps, config.schedule.warmup, config.schedule.final
                )
            batch = following.result().to(device)
            following = coming(step + 1)
            network.train()
            found = losses(config.losses, network(batch.images), batch, metrics)
            loss = torch.stack(list(found.values())).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimiser.step()
            if average is not None:
                average.update(network)
            step += 1
            bar.update()
            last = step == config.schedule.steps
            if step % config.log_every == 0 or last:
                values = {name: float(value.detach()) for name, value in found.items()}
                if not np.isfinite(list(values.values())).all():
                    raise FloatingPointError(f"the losses are no longer finite at step {step}: lower the rate")
                rate = (step - begun) * config.schedule.batch_size / (time.perf_counter() - started)
                bar.set_postfix(loss=f"{float(loss.detach()):.3f}", images_per_second=f"{rate:.0f}")
                log.write(step=step, loss=float(loss.detach()), **values, images_per_second=round(rate, 1))
            if len(validation) and (step % config.validate_every == 0 or last):
                scores = validate(config, averaged(network, average), prepared, basis, validation)
                log.write(step=step, **scores)
                bar.write(f"step {step}: validation " + ", ".join(f"{k} {v:.4f}" for k, v in scores.items()))
            if step % config.checkpoint_every == 0 or last:
                more = {"points": points, "standard": known.state()}
                save_state(output, "default", config.to_json(), data_id, step, network, optimiser, average, **more)


@torch.no_grad()
def validate(
    config: DefaultConfig, network: DefaultNetwork, known: Faces, basis: Basis, indices: NDArray[np.intp]
) -> dict[str, float]:
    """Errors on faces turned at most 40 degrees.

    Of the neutral face, mm after similarity alignment and as a share of the mean-face control's; landmarks in per cent
    of the crop's side; the mean correlation of the actions with the truth; how many points lie within one sigma.
    """
    faces = known.faces
    chosen = indices[np.abs(faces.yaw[indices]) <= _FRONTAL_DEGREES]
    chosen = indices if len(chosen) == 0 else chosen
    region, heads, acted, away, within = faces.region("face"), [], [], [], []
    network.eval()
    for start in range(0, len(chosen), 64):
        batch = known.plain_batch(chosen[start : start + 64], config)
        found = network(batch.images)
        heads.append(found.identity.numpy())
        acted.append(found.expression.numpy())
        apart = (found.points - batch.points).numpy()
        away.append(np.linalg.norm(apart, axis=2))
        within.append(np.abs(apart) < found.sigma.numpy()[..., None])
    ours, control = [], []
    for code, index in zip(np.concatenate(heads), chosen, strict=True):
        head = basis.mean[region] + np.tensordot(code, basis.identity[:, region], 1)
        truth = faces.vertices[index, region]
        ours.append(per_vertex_error(head, truth).mean())
        control.append(per_vertex_error(basis.mean[region], truth).mean())
    return {
        "similarity_mm": float(np.mean(ours)),
        "of_control": float(np.mean(ours) / np.mean(control)),
        "landmarks_percent": 100 * float(np.concatenate(away)[:, :68].mean()),
        "expression": float(np.nanmean(correlations(np.concatenate(acted), faces.expression[chosen]))),
        "within_sigma": float(np.concatenate(within).mean()),
    }


def averaged(network: DefaultNetwork, average: WeightAverage | None) -> DefaultNetwork:
    """A copy of the network, on the processor, with the averaged weights (or its own, where there is no averaging)."""
    twin = copy.deepcopy(network)
    if average is not None:
        twin.load_state_dict(average.state)
    return twin.cpu()


def measured_steps(config: DefaultConfig, faces: FaceSet, hours: float, bundle: Path | None, start: Path | None) -> int:
    """How many steps of `config` take `hours` here, by timing a few on some of the faces."""
    with tempfile.TemporaryDirectory() as folder:
        schedule = replace(config.schedule, steps=12)
        trial = replace(config, schedule=schedule, held_out=0.0, log_every=1)
        some = faces.subset(np.arange(min(len(faces), 256)))
        train(trial, some, Path(folder), bundle, start, progress=False)
        speeds = [line["images_per_second"] for line in read_log(Path(folder))]
    first, last = len(speeds) // 2, len(speeds)
    # The log's speeds are averages since the start: leave out the slow first steps.
    seconds = (last / speeds[-1] - first / speeds[first - 1]) * schedule.batch_size / (last - first)
    return max(1, int(hours * 3600 / seconds))


def _optimiser(config: DefaultConfig, network: DefaultNetwork) -> torch.optim.Optimizer:
    groups = [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": config.schedule.weight_decay},
        {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.schedule.rate, betas=config.schedule.betas)
