"""Trains the recipe `joint` (paper 1).

    likeness train joint --config tiny --data DATA --output RUN --steps 60
    likeness train joint --config paper --data DATA --output RUN
    likeness train joint --config shipped --data DATA --output RUN [--steps 6000 | --hours 0.75]
    likeness train joint --config shipped --data DATA --output RUN --resume

A run depends on its configuration, its data and its number of steps alone: killed and resumed, it gives the losses
that it would have given uninterrupted.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from training.dataset import FaceSet, make_sampler, split
from training.evaluation.metrics import per_vertex_error
from training.recipes.joint.autoencoder import start_from_principal_components
from training.recipes.joint.config import JointConfig
from training.recipes.joint.data import Faces, fingerprint, landmark_swap, prepare_faces, prepare_pictures
from training.recipes.joint.losses import Batch, first_stage, losses, total
from training.recipes.joint.run import JointModel, prepare_run, save_run, take_over
from training.recipes.runs import (
    RunLog,
    WeightAverage,
    cosine_rate,
    load_checkpoint,
    read_log,
    require_same_run,
    restore,
)
from training.recipes.shape_space import Floats, alignment_free_metric, principal_directions

# Validation looks at the faces that the product is measured on.
_FRONTAL_DEGREES = 40.0


def train(
    config: JointConfig,
    faces: FaceSet,
    output: Path,
    resume: bool = False,
    progress: bool = True,
    start: Path | None = None,
) -> None:
    """Trains, or goes on training, in the folder `output`; a new run may `start` from what another one learned.

    Raises `ValueError` when a run to be resumed had another configuration or other data.
    """
    output.mkdir(parents=True, exist_ok=True)
    data_id = fingerprint(faces)
    checkpoint = load_checkpoint(output) if resume else None
    if checkpoint is not None:
        require_same_run(checkpoint, "joint", config, data_id, "other data")
    training, validation = split(len(faces), config.held_out, np.random.default_rng([config.seed, 2]))
    space, reflectance = prepare_run(config, faces, training, output, output if resume else start)
    known = prepare_pictures(prepare_faces(faces, space, reflectance), config, training)
    metric = None
    if config.losses.j2_space == "vertices":
        metric = torch.from_numpy(alignment_free_metric(space, faces.region("face")))

    torch.manual_seed(config.seed)
    model = JointModel(config, space.dimensions, len(landmark_swap(faces.template)))
    if config.principal_start or config.basis == "fixed":
        start_from_principal_components(model.autoencoder, *principal_components(config, known, training))
    if start is not None and not resume:
        learned = load_checkpoint(start)
        take_over(model, learned["average"] or learned["model"])
    model.to(memory_format=torch.channels_last)
    optimiser = _optimiser(config, model)
    average = WeightAverage(model, config.schedule.ema) if config.schedule.ema else None
    sampler = make_sampler(faces.yaw[training], config.schedule.batch_size, config.seed, config.posed)
    step = 0
    if checkpoint is not None:
        step = restore(checkpoint, model, optimiser, average)
    log = RunLog(output, step)
    first_steps = config.first_steps if config.basis == "first" else 0
    started, first = time.perf_counter(), step

    def make_batch(number: int) -> Batch | torch.Tensor:
        indices = training[sampler.batch(number)]
        if number < first_steps:
            return torch.from_numpy(known.heads(indices, np.zeros(len(indices), bool)))
        share, size = config.schedule.early
        early = number < share * config.schedule.steps
        seen = replace(config, size=size) if early else config
        return known.batch(indices, seen, np.random.default_rng([config.seed, 3, number]))

    with (
        # The next batch is made beside the network's work, which leaves part of the second core idle.
        ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as prepare,
        tqdm(total=config.schedule.steps, initial=step, desc=f"joint {config.name}", disable=not progress) as bar,
    ):
        coming = prepare.submit(make_batch, step)
        while step < config.schedule.steps:
            for group in optimiser.param_groups:
                group["lr"] = config.schedule.rate * cosine_rate(
                    step, config.schedule.steps, config.schedule.warmup, config.schedule.final
                )
            batch = coming.result()
            coming = prepare.submit(make_batch, step + 1)
            model.train()
            if isinstance(batch, torch.Tensor):
                found = first_stage(model.autoencoder, batch)
            else:
                estimate, held = model.network(batch.images), config.basis != "joint"
                found = losses(config.losses, model.autoencoder, estimate, batch, metric, held)
            loss = total(config.losses, found)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.network.parameters(), 10.0)
            optimiser.step()
            if average is not None:
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
                save_run(output, config, data_id, model, optimiser, average, step)


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
    for vector, index in zip(np.concatenate(estimated), chosen, strict=True):
        head = known.space.columns(vector[None])[0, region] + known.space.mean[region]
        truth = known.faces.vertices[index, region]
        ours.append(per_vertex_error(head, truth).mean())
        control.append(per_vertex_error(known.space.mean[region], truth).mean())
    scores = {"similarity_mm": float(np.mean(ours)), "of_control": float(np.mean(ours) / np.mean(control))}
    if landmarks:
        scores["landmarks_percent"] = 100 * float(np.concatenate(landmarks).mean())
    return scores


def averaged(model: JointModel, average: WeightAverage | None, config: JointConfig, known: Faces) -> JointModel:
    """A copy of the model with the averaged weights (or its own, where there is no averaging)."""
    copy = JointModel(config, known.space.dimensions, len(known.swap))
    copy.load_state_dict(model.state_dict() if average is None else average.state)
    return copy.to(memory_format=torch.channels_last)


def principal_components(config: JointConfig, known: Faces, training: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Principal directions (D,d) of the training heads in the shape space, and the standard deviations (d,) along them.

    Heads count with their mirror images where the pictures do.
    """
    both = config.augmentation.flip > 0
    if known.vectors is not None and known.mirrored is not None:
        vectors = known.vectors[training]
        vectors = np.concatenate([vectors, known.mirrored[training]]) if both else vectors
        values, directions = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors / len(vectors))
        directions = directions[:, ::-1].astype(np.float32)
        return directions, np.sqrt(np.maximum(values[::-1], 0)).astype(np.float32)
    rng = np.random.default_rng([config.seed, 7])
    mirror, vertices = known.faces.template["mirror"], known.faces.vertices
    directions = principal_directions(known.space, vertices, mirror, config.neurons, rng, training)
    squares = np.zeros(directions.shape[1])
    for part in np.array_split(training, -(-len(training) // 256)):
        squares += ((known.space.vectors(vertices[part]) @ directions).astype(np.float64) ** 2).sum(0)
    return directions, np.sqrt(squares / len(training)).astype(np.float32)


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
