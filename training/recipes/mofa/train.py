"""Trains the recipe `mofa` (paper 5): on pictures alone.

    likeness train mofa --config tiny --populations POPULATION --output RUN
    likeness train mofa --config shipped --populations ANNY:0.3 ICT:0.7 --data PHOTOS --output RUN
    likeness train mofa --config shipped --model MODEL --data PHOTOS --set losses.landmarks=1e-4 --output RUN

Without photos the pictures are scenes of the face model's own making (paper, figure 10). A run depends on its
configuration, its face model, its pictures and its number of steps alone.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.dataset import Sampler
from training.evaluation.mofa import Scores, score
from training.formation.code import Code
from training.formation.decoder import FaceDecoder, face_decoder
from training.formation.face_model import FaceModel
from training.progress import Progress
from training.recipes.mofa.config import MofaConfig
from training.recipes.mofa.descent import descend, distance
from training.recipes.mofa.encoder import MofaEncoder, Usual, usual_camera
from training.recipes.mofa.losses import Marks, blurred, each_loss, loss_decoder, losses, off_centre, total, weighted
from training.recipes.mofa.pictures import Pictures, Scenes
from training.recipes.mofa.run import as_input, codes_of, save_run
from training.recipes.parametric import prepare_folder
from training.recipes.runs import RunLog, WeightAverage, cosine_rate, load_checkpoint, require_same_run, restore

_CLIP = 10.0
_PAPERS_SIZE = 240


def train(
    config: MofaConfig,
    model: FaceModel,
    pictures: Pictures,
    held_out: Pictures,
    output: Path,
    resume: bool = False,
    progress: bool = True,
) -> None:
    """Trains, or goes on training, in the folder `output`; nothing is learned from `held_out`.

    Errors on `held_out` are logged before the first step and on the way; where those are scenes, whose numbers are
    known, geometric ones too. Raises `ValueError` when a run to be resumed was begun with others.
    """
    codes = config.codes
    model = model.reduced(codes.identity, codes.expression, codes.reflectance)
    data_id = f"{pictures.fingerprint()} {float(np.abs(model.identity).sum()):.6g}"
    state = load_checkpoint(output) if resume else None
    if state is not None:
        require_same_run(state, "mofa", config, data_id, "another face model or other pictures")
    prepare_folder(output, config.to_json(), model)
    decoder, camera = loss_decoder(config.losses, model), usual_camera(config, model)
    torch.manual_seed(config.seed)
    encoder = MofaEncoder(config, camera).to(memory_format=torch.channels_last)
    optimiser = make_optimiser(config, encoder)
    average = WeightAverage(encoder, config.schedule.ema) if config.schedule.ema else None
    step, seconds = 0, 0.0
    if state is not None:
        step = restore(state, encoder, optimiser, average)
        seconds = state["seconds"]
    log = RunLog(output, step)
    everything = np.arange(len(pictures))
    sampler = Sampler((everything,), (1.0,), config.schedule.batch_size, config.seed)

    def make(number: int) -> tuple[Tensor, Marks | None]:
        indices = sampler.batch(number)
        return pictures.images(indices), pictures.marks(indices) if config.losses.landmarks else None

    def judge() -> None:
        chosen = np.arange(min(config.held_out, len(held_out)))
        if len(chosen):
            judged = averaged(config, model, encoder, average) if step else encoder
            log.write(step=step, seconds=round(seconds, 1), **validate(judged, model, held_out, chosen).summary())

    if step == 0:
        judge()
    with (
        Progress(f"mofa {config.name}", config.steps, step, "batch", progress) as bar,
        # The next batch is made beside the network's work.
        ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as prepare,
    ):
        coming = prepare.submit(make, step)
        while step < config.steps:
            started = time.perf_counter()
            images, marks = coming.result()
            coming = prepare.submit(make, step + 1)
            set_rates(config, optimiser, step)
            encoder.train()
            sharp = blurred(images, blur_at(config, step))
            code = encoder(as_input(images))
            if config.descent.steps:
                found, loss = followed(config, decoder, camera, code, sharp, marks, step / config.steps)
            else:
                found = losses(config.losses, decoder, code, camera, sharp, marks)
                loss = total(config.losses, found)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), _CLIP)
            optimiser.step()
            if average is not None:
                average.update(encoder)
            step += 1
            bar.advance()
            seconds += time.perf_counter() - started
            last = step == config.steps
            if step % config.log_every == 0 or last:
                values = {name: float(value.detach()) for name, value in found.items()}
                if not np.isfinite(list(values.values())).all():
                    raise FloatingPointError(f"the losses are no longer finite at step {step}: lower the rate")
                bar.advance(0, f"photometric {values['photometric']:.4f}")
                losses_now = {f"loss_{name}": value for name, value in values.items()}
                log.write(step=step, seconds=round(seconds, 1), **losses_now)
            if step % config.validate_every == 0 or last:
                judge()
            if step % config.checkpoint_every == 0 or last:
                save_run(output, config, data_id, encoder, optimiser, average, step, seconds)


def validate(encoder: MofaEncoder, model: FaceModel, pictures: Pictures, indices: NDArray[np.intp]) -> Scores:
    """Scores of the encoder on pictures; those of scenes against the numbers that they were drawn from."""
    code = codes_of(encoder, pictures, indices)
    images = pictures.images(indices)
    truth = pictures.code.at(torch.from_numpy(indices)) if isinstance(pictures, Scenes) else None
    marks = None if truth is not None else pictures.marks(indices).points
    return score(face_decoder(model), code, encoder.focal, images, marks, truth)


def blur_at(config: MofaConfig, step: int) -> float:
    """Deviation in pixels of the blur of the loss' pictures at a step."""
    share = config.losses.blur * config.steps
    if step >= share:
        return 0.0
    return config.losses.blur_pixels * config.size / _PAPERS_SIZE * (1 - step / share)


def set_rates(config: MofaConfig, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Each group's learning rate at a step."""
    schedule = config.schedule
    shape = 1.0
    if schedule.optimiser != "adadelta":
        shape = cosine_rate(step, config.steps, schedule.warmup, schedule.final)
    for group in optimiser.param_groups:
        group["lr"] = schedule.rate * shape * group["factor"]


def followed(
    config: MofaConfig,
    decoder: FaceDecoder,
    camera: Usual,
    code: Code,
    images: Tensor,
    marks: Marks | None,
    share: float,
) -> tuple[dict[str, Tensor], Tensor]:
    """Losses by name before the last step of each picture's descent, and what the encoder is to make small ()."""
    last: dict[str, Tensor] = {}

    def misfit(code: Code) -> Tensor:
        last.update(each_loss(config.losses, decoder, code, camera, images, marks))
        return weighted(config.losses, last)

    target = descend(config.descent, code, misfit, share)
    found = {name: value.mean() for name, value in last.items()} | {"centre": off_centre(code)}
    return found, distance(code, target) + config.losses.centre * found["centre"]


def make_optimiser(config: MofaConfig, encoder: MofaEncoder) -> torch.optim.Optimizer:
    """ADADELTA (Zeiler 2012) as in the paper, or AdamW; last layers have rates of their own and no decay."""
    schedule = config.schedule
    groups = encoder.groups(config.rates, schedule.weight_decay)
    if schedule.optimiser == "adadelta":
        return torch.optim.Adadelta(groups, lr=schedule.rate, rho=0.95, eps=1e-6)
    return torch.optim.AdamW(groups, lr=schedule.rate, fused=True)


def averaged(config: MofaConfig, model: FaceModel, encoder: MofaEncoder, average: WeightAverage | None) -> MofaEncoder:
    """A copy of the encoder with the averaged weights (or its own, where there is no averaging)."""
    copy = MofaEncoder(config, usual_camera(config, model))
    copy.load_state_dict(encoder.state_dict() if average is None else average.state)
    return copy.eval()
