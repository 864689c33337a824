"""Trains the recipe `feedback` (paper 3).

    likeness train feedback --config tiny --populations POPULATION --output RUN
    likeness train feedback --config shipped --populations ANNY:0.3 ICT:0.7 --output RUN
    likeness train feedback --config shipped --output RUN --resume

A run depends on its configuration, its face model and its number of steps alone; killed at any moment and resumed, it
gives the losses that it would have given uninterrupted.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.formation.decoder import FaceDecoder, skin_decoder
from training.formation.face_model import FaceModel
from training.progress import Progress
from training.recipes.feedback.config import FeedbackConfig
from training.recipes.feedback.losses import geometry_loss, geometry_metric
from training.recipes.feedback.network import FeedbackNetwork
from training.recipes.feedback.pairs import draw_pairs, drawn_coefficients
from training.recipes.feedback.pictures import disturbed, drawn_stand, phong
from training.recipes.feedback.run import (
    RECIPE,
    fingerprint,
    iterate,
    reduced,
    save_run,
)
from training.recipes.parametric import prepare_folder
from training.recipes.runs import (
    RunLog,
    WeightAverage,
    cosine_rate,
    load_checkpoint,
    one_thread_less,
    require_same_run,
    restore,
)

_CLIP = 10.0
_VALIDATED = 64


def train(config: FeedbackConfig, model: FaceModel, output: Path, resume: bool = False, progress: bool = True) -> None:
    """Trains, or goes on training, in the folder `output`.

    Raises `ValueError` when a run to be resumed was begun with another configuration or face model.
    """
    model = reduced(model, config)
    data_id = fingerprint(model)
    state = load_checkpoint(output) if resume else None
    if state is not None:
        require_same_run(state, RECIPE, config, data_id, "another face model")
    prepare_folder(output, config.to_json(), model)
    torch.manual_seed(config.seed)
    network = FeedbackNetwork(config).to(memory_format=torch.channels_last)
    schedule = config.schedule
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.rate, weight_decay=schedule.weight_decay, fused=True
    )
    average = WeightAverage(network, schedule.ema) if schedule.ema else None
    step = 0
    if state is not None:
        step = restore(state, network, optimiser, average)
    log, decoder, metric = RunLog(output, step), skin_decoder(model), geometry_metric(model, config)

    def make(number: int) -> tuple[Tensor, Tensor, Tensor]:
        pairs = draw_pairs(decoder, config, schedule.batch_size, np.random.default_rng([config.seed, 3, number]))
        return pairs.pictures.contiguous(memory_format=torch.channels_last), pairs.before, pairs.truth

    with (
        # The next batch is drawn beside the network's work, which is about as much: a core for each.
        one_thread_less(),
        ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as prepare,
        Progress(f"feedback {config.name}", schedule.steps, step, "batch", progress) as bar,
    ):
        coming = prepare.submit(make, step)
        while step < schedule.steps:
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate * cosine_rate(step, schedule.steps, schedule.warmup, schedule.final)
            pictures, before, truth = coming.result()
            coming = prepare.submit(make, step + 1)
            network.train()
            loss = geometry_loss(network(pictures, before), truth, metric)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
            optimiser.step()
            if average is not None:
                average.update(network)
            step += 1
            bar.advance()
            last = step == schedule.steps
            if step % config.log_every == 0 or last:
                value = float(loss.detach())
                if not np.isfinite(value):
                    raise FloatingPointError(f"the loss is no longer finite at step {step}: lower the rate")
                bar.advance(0, f"loss {value:.3f}")
                log.write(step=step, loss=value)
            if step % config.validate_every == 0 or last:
                log.write(step=step, **validate(config, averaged(config, network, average), decoder, metric))
            if step % config.checkpoint_every == 0 or last:
                save_run(output, config, data_id, network, optimiser, average, step)


def averaged(config: FeedbackConfig, network: FeedbackNetwork, average: WeightAverage | None) -> FeedbackNetwork:
    """A copy of the network with the averaged weights (or its own, where there is no averaging)."""
    copy = FeedbackNetwork(config)
    copy.load_state_dict(network.state_dict() if average is None else average.state)
    return copy.eval()


def validate(
    config: FeedbackConfig, network: FeedbackNetwork, decoder: FaceDecoder, metric: Tensor
) -> dict[str, float]:
    """Root mean squared distance over the face, mm, after every iteration, on faces that training never draws."""
    rng = np.random.default_rng([config.seed, 4])
    truth = drawn_coefficients(config, _VALIDATED, rng)
    stand, believed = disturbed(drawn_stand(decoder, truth, config, rng), config, rng)
    reflectance = torch.from_numpy(rng.standard_normal((_VALIDATED, config.reflectance)).astype(np.float32))
    faces = phong(decoder, truth, reflectance, stand, config, rng)
    found = iterate(network, decoder, config, faces, believed)
    return {f"iteration_{k}": float(geometry_loss(one, truth, metric)) ** 0.5 for k, one in enumerate(found)}
