"""Trains the recipe `joint` (paper 1).

    likeness train joint --config tiny --data DATA --output RUN --steps 60
    likeness train joint --config paper --data DATA --output RUN
    likeness train joint --config shipped --data DATA --output RUN [--steps 6000 | --hours 0.75]
    likeness train joint --config shipped --data DATA --output RUN --resume

A run depends on its configuration, its data and its number of steps alone: killed and resumed, it gives the losses
that it would have given uninterrupted.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from training.dataset import FaceSet, make_sampler, split
from training.evaluation.metrics import per_vertex_error
from training.recipes.joint.autoencoder import Autoencoder, start_from_principal_components
from training.recipes.joint.config import JointConfig
from training.recipes.joint.data import (
    Faces,
    Reflectance,
    fingerprint,
    fit_reflectance,
    landmark_swap,
    prepare_faces,
    prepare_space,
)
from training.recipes.joint.losses import losses, total
from training.recipes.joint.network import make_network
from training.recipes.runs import (
    RunLog,
    WeightAverage,
    cosine_rate,
    load_checkpoint,
    read_log,
    save_checkpoint,
    write_atomically,
)
from training.recipes.shape_space import ShapeSpace, alignment_free_metric

SPACE = "space.npz"
CONFIG = "config.json"
# Validation looks at the faces that the product is measured on.
_FRONTAL_DEGREES = 40.0


class JointModel(nn.Module):
    """Autoencoder and CNN, trained at once (paper, section IV.D)."""

    def __init__(self, config: JointConfig, dimensions: int, points: int) -> None:
        super().__init__()
        self.autoencoder = Autoencoder(dimensions, config.neurons, config.hidden)
        self.network = make_network(config.network, 1 if config.grey else 3, config.size, config.neurons, points)


@dataclass(frozen=True)
class Trained:
    """A run read back: averaged weights, what they speak of, and the fingerprint of its data."""

    config: JointConfig
    model: JointModel
    space: ShapeSpace
    reflectance: Reflectance | None
    step: int
    data: str


def train(config: JointConfig, faces: FaceSet, output: Path, resume: bool = False, progress: bool = True) -> None:
    """Trains, or goes on training, in the folder `output`.

    Raises `ValueError` when a run to be resumed had another configuration or other data.
    """
    output.mkdir(parents=True, exist_ok=True)
    data_id = fingerprint(faces)
    checkpoint = load_checkpoint(output) if resume else None
    if checkpoint is not None:
        _same_run(checkpoint, config, data_id)
    training, validation = split(len(faces), config.held_out, np.random.default_rng([config.seed, 2]))
    space, reflectance = _prepare(config, faces.subset(training), output, resume)
    known = prepare_faces(faces, space, reflectance)
    metric = None
    if config.losses.j2_space == "vertices":
        metric = torch.from_numpy(alignment_free_metric(space, faces.region("face")))

    torch.manual_seed(config.seed)
    model = JointModel(config, space.dimensions, len(landmark_swap(faces.template)))
    if config.principal_start:
        both = np.concatenate([known.vectors[training], known.mirrored[training]])
        start_from_principal_components(model.autoencoder, both)
    model.to(memory_format=torch.channels_last)
    optimiser = _optimiser(config, model)
    average = WeightAverage(model, config.schedule.ema)
    sampler = make_sampler(faces.yaw[training], config.schedule.batch_size, config.seed, config.posed)
    step = 0
    if checkpoint is not None:
        model.load_state_dict(checkpoint["model"])
        optimiser.load_state_dict(checkpoint["optimiser"])
        average.state, average.updates = checkpoint["average"], checkpoint["average_updates"]
        torch.set_rng_state(checkpoint["generator"])
        step = checkpoint["step"]
    log = RunLog(output, step)
    started, first = time.perf_counter(), step
    with tqdm(total=config.schedule.steps, initial=step, desc=f"joint {config.name}", disable=not progress) as bar:
        while step < config.schedule.steps:
            for group in optimiser.param_groups:
                group["lr"] = config.schedule.rate * cosine_rate(
                    step, config.schedule.steps, config.schedule.warmup, config.schedule.final
                )
            indices = training[sampler.batch(step)]
            batch = known.batch(indices, config, np.random.default_rng([config.seed, 3, step]))
            model.train()
            found = losses(config.losses, model.autoencoder, model.network(batch.images), batch, metric)
            loss = total(config.losses, found)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.network.parameters(), 10.0)
            optimiser.step()
            average.update(model)
            step += 1
            bar.update()
            last = step == config.schedule.steps
            if step % config.log_every == 0 or last:
                values = {name: float(value.detach()) for name, value in found.items()}
                if not np.isfinite(list(values.values())).all():
                    raise FloatingPointError(f"the losses are no longer finite at step {step}: lower the rate")
                rate = (step - first) * config.schedule.batch_size / (time.perf_counter() - started)
                bar.set_postfix(loss=f"{float(loss.detach()):.3f}", images_per_second=f"{rate:.0f}")
                log.write(step=step, loss=float(loss.detach()), **values, images_per_second=round(rate, 1))
            if len(validation) and (step % config.validate_every == 0 or last):
                scores = validate(config, averaged(model, average, config, known), known, validation)
                log.write(step=step, **scores)
                bar.write(f"step {step}: validation " + ", ".join(f"{k} {v:.4f}" for k, v in scores.items()))
            if step % config.checkpoint_every == 0 or last:
                _save(output, config, data_id, model, optimiser, average, step)


def validate(config: JointConfig, model: JointModel, known: Faces, indices: np.ndarray) -> dict[str, float]:
    """Errors on faces turned at most 40 degrees: mm after similarity alignment of the face, and as a share of the
    mean-face control's; landmarks in per cent of the crop's side.
    """
    chosen = indices[np.abs(known.faces.yaw[indices]) <= _FRONTAL_DEGREES]
    chosen = indices if len(chosen) == 0 else chosen
    region = known.faces.region("face")
    estimated, ours, control, landmarks = [], [], [], []
    model.eval()
    with torch.no_grad():
        for start in range(0, len(chosen), 64):
            batch = known.plain_batch(chosen[start : start + 64], config)
            estimate = model.network(batch.images)
            estimated.append((estimate.code @ model.autoencoder.basis.T).numpy())
            if estimate.points is not None:
                landmarks.append((estimate.points - batch.points)[:, :68].norm(dim=2).mean(1).numpy())
    heads = known.space.columns(np.concatenate(estimated))[:, region] + known.space.mean[region]
    for head, index in zip(heads, chosen, strict=True):
        truth = known.faces.vertices[index, region]
        ours.append(per_vertex_error(head, truth, scale=True).mean())
        control.append(per_vertex_error(known.space.mean[region], truth, scale=True).mean())
    scores = {"similarity_mm": float(np.mean(ours)), "of_control": float(np.mean(ours) / np.mean(control))}
    if landmarks:
        scores["landmarks_percent"] = 100 * float(np.concatenate(landmarks).mean())
    return scores


def averaged(model: JointModel, average: WeightAverage, config: JointConfig, known: Faces) -> JointModel:
    """A copy of the model with the averaged weights (or its own, where there is no averaging)."""
    copy = JointModel(config, known.space.dimensions, len(known.swap))
    copy.load_state_dict(average.state if config.schedule.ema else model.state_dict())
    return copy.to(memory_format=torch.channels_last)


def load_run(folder: Path) -> Trained:
    """Reads a run's last checkpoint. Raises `FileNotFoundError` when there is none."""
    state = load_checkpoint(folder)
    folder = folder if folder.is_dir() else folder.parent
    config = JointConfig.from_json(json.loads(state["config"]))
    with np.load(folder / SPACE, allow_pickle=False) as arrays:
        stored = {name: arrays[name] for name in arrays.files}
    space = ShapeSpace.from_state(stored)
    reflectance = Reflectance(stored["albedo"], stored["albedo_columns"]) if "albedo" in stored else None
    model = JointModel(config, space.dimensions, state["points"])
    model.load_state_dict(state["average"] if config.schedule.ema else state["model"])
    return Trained(config, model.eval(), space, reflectance, state["step"], state["data"])


def steps_of_run(folder: Path) -> int:
    """The planned number of steps of the run in `folder`. Raises `FileNotFoundError` when there is none."""
    return JointConfig.from_json(json.loads(load_checkpoint(folder)["config"])).schedule.steps


def measured_steps(config: JointConfig, faces: FaceSet, hours: float) -> int:
    """How many steps of `config` take `hours` here, by timing a few on some of the faces."""
    with tempfile.TemporaryDirectory() as folder:
        schedule = replace(config.schedule, steps=12)
        trial = replace(config, schedule=schedule, held_out=0.0, subspace=config.subspace and 64, log_every=1)
        train(trial, faces.subset(np.arange(min(len(faces), 256))), Path(folder), progress=False)
        speeds = [line["images_per_second"] for line in read_log(Path(folder))]
    first, last = len(speeds) // 2, len(speeds)
    # The log's speeds are averages since the start: leave out the slow first steps.
    seconds = (last / speeds[-1] - first / speeds[first - 1]) * schedule.batch_size / (last - first)
    return max(1, int(hours * 3600 / seconds))


def _prepare(config: JointConfig, faces: FaceSet, output: Path, resume: bool) -> tuple[ShapeSpace, Reflectance | None]:
    wanted = config.network.reflectance and faces.reflectance is not None
    if resume:
        with np.load(output / SPACE, allow_pickle=False) as arrays:
            stored = {name: arrays[name] for name in arrays.files}
        return ShapeSpace.from_state(stored), (
            Reflectance(stored["albedo"], stored["albedo_columns"]) if wanted else None
        )
    space, state, reflectance = prepare_space(faces, config), {}, None
    if wanted:
        rng = np.random.default_rng([config.seed, 4])
        reflectance = fit_reflectance(faces.reflectance, config.network.reflectance, rng)
        state = {"albedo": reflectance.mean, "albedo_columns": reflectance.columns}
    temporary = output / (SPACE + ".partial")
    with temporary.open("wb") as file:
        np.savez(file, **space.state(), **state)
    temporary.replace(output / SPACE)
    write_atomically(output / CONFIG, json.dumps(config.to_json(), indent=1).encode())
    return space, reflectance


def _optimiser(config: JointConfig, model: JointModel) -> torch.optim.Optimizer:
    schedule = config.schedule
    if schedule.optimiser == "adam":
        return torch.optim.Adam(
            model.parameters(), lr=schedule.rate, betas=schedule.betas, weight_decay=schedule.weight_decay
        )
    # Decay is for the weights of convolutions and dense layers; the autoencoder has its own measure of right.
    decayed = [p for p in model.network.parameters() if p.ndim > 1]
    others = [p for p in model.network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": schedule.weight_decay},
        {"params": others, "weight_decay": 0.0},
        {"params": list(model.autoencoder.parameters()), "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.rate, betas=schedule.betas)


def _save(
    output: Path,
    config: JointConfig,
    data_id: str,
    model: JointModel,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
    step: int,
) -> None:
    network = model.network
    points = network.points.maps.out_channels if hasattr(network, "points") else 0
    state = {
        "schema": 1,
        "recipe": "joint",
        "config": json.dumps(config.to_json()),
        "data": data_id,
        "points": points,
        "step": step,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.state,
        "average_updates": average.updates,
        "generator": torch.get_rng_state(),
    }
    save_checkpoint(output, state)


def _same_run(checkpoint: dict[str, Any], config: JointConfig, data_id: str) -> None:
    before = JointConfig.from_json(json.loads(checkpoint["config"]))
    pace = {"log_every": config.log_every, "checkpoint_every": config.checkpoint_every}
    if replace(before, **pace) != config:
        raise ValueError("this run was begun with another configuration or number of steps: resume it with the same")
    if checkpoint["data"] != data_id:
        raise ValueError("this run was begun on other data: resume it with the same, or begin a new run")
