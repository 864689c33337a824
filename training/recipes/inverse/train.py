"""Trains the recipe `inverse` (paper 4): on drawn faces, then on bred ones (Algorithm 1).

    likeness train inverse --config tiny --populations POPULATION --output RUN
    likeness train inverse --config shipped --populations ANNY:0.3 ICT:0.7 --data PHOTOS --output RUN
    likeness train inverse --config shipped --data PHOTOS --output RUN --resume

A run depends on its configuration, its face model, its photos and its number of steps alone; killed at any moment and
resumed, it gives the losses that it would have given uninterrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.dataset import Sampler
from training.formation.decoder import FaceDecoder, skin_decoder
from training.formation.face_model import FaceModel
from training.formation.picture import face_mask
from training.progress import Progress
from training.recipes.inverse.config import InverseConfig
from training.recipes.inverse.corpus import Corpus, Drawn, draw_first, perturb
from training.recipes.inverse.losses import loss_weights, parameter_loss
from training.recipes.inverse.network import InverseNetwork
from training.recipes.inverse.run import (
    answers,
    fingerprint,
    load_bred,
    save_bred,
    save_run,
)
from training.recipes.parametric import prepare_folder
from training.recipes.photos import Photos
from training.recipes.runs import RunLog, WeightAverage, cosine_rate, load_checkpoint, require_same_run, restore

_CLIP = 10.0

Judge = Callable[[InverseNetwork], dict[str, float]]
"""What says how good a network is: scores by name, for the log."""


@dataclass(frozen=True)
class _Phase:
    """Steps [begin, end) of the run, on one corpus: number 0 is the first one, the others are bred."""

    number: int
    begin: int
    end: int


def phases(config: InverseConfig) -> list[_Phase]:
    """The parts of a run."""
    if config.breed is None:
        return [_Phase(0, 0, config.schedule.steps)]
    found = [_Phase(0, 0, config.breed.first)]
    for number in range(1, config.breed.rounds + 1):
        found.append(_Phase(number, found[-1].end, found[-1].end + config.breed.steps))
    return found


def train(
    config: InverseConfig,
    model: FaceModel,
    photos: Photos | None,
    output: Path,
    resume: bool = False,
    progress: bool = True,
    judge: Judge | None = None,
) -> None:
    """Trains, or goes on training, in the folder `output`; `photos` are what breeding is towards.

    `judge` is asked at the end of every round; nothing is learned from its answers.
    Raises `ValueError` when a configuration that breeds has no photos, or a run to be resumed was begun with others.
    """
    if config.breed is not None and photos is None:
        raise ValueError(
            "breeding needs photos: name a folder of them with --data, or take a configuration that does not breed"
        )
    _Training(config, model.reduced(*_sizes(config)), photos, output, resume, progress, judge).run()


def _sizes(config: InverseConfig) -> tuple[int, int, int]:
    return config.codes.identity, config.codes.expression, config.codes.reflectance


class _Training:
    """One run's state between its parts."""

    def __init__(
        self,
        config: InverseConfig,
        model: FaceModel,
        photos: Photos | None,
        output: Path,
        resume: bool,
        progress: bool,
        judge: Judge | None,
    ) -> None:
        self.config, self.model, self.photos, self.output = config, model, photos, output
        self.progress, self.judge = progress, judge
        self.data_id = fingerprint(model, photos)
        state = load_checkpoint(output) if resume else None
        if state is not None:
            require_same_run(state, "inverse", config, self.data_id, "another face model or other photos")
        prepare_folder(output, config.to_json(), model)
        torch.manual_seed(config.seed)
        self.network = InverseNetwork(config).to(memory_format=torch.channels_last)
        self.optimiser = make_optimiser(config, self.network)
        self.average = WeightAverage(self.network, config.schedule.ema) if config.schedule.ema else None
        self.weights = loss_weights(config, model)
        self.step, self.seconds = 0, 0.0
        if state is not None:
            self.step = restore(state, self.network, self.optimiser, self.average)
            self.seconds = state["seconds"]
        self.log = RunLog(output, self.step)

    def run(self) -> None:
        """Every part that is not finished."""
        decoder = skin_decoder(self.model)
        with Progress(f"inverse {self.config.name}", self.config.steps, self.step, "batch", self.progress) as bar:
            for phase in phases(self.config):
                if self.step < phase.end:
                    self._phase(phase, self._corpus(phase, decoder), bar)

    def _corpus(self, phase: _Phase, decoder: FaceDecoder) -> Corpus:
        seed = [self.config.seed, 3, phase.number]
        rng = np.random.default_rng([*seed, 1])
        if phase.number == 0:
            drawn = draw_first(self.config, self.model, rng, self.config.corpus.count)
        else:
            path = self.output / f"bred-{phase.number:02d}.npz"
            # A corpus is bred by the network as it was when its round began.
            if self.step == phase.begin:
                save_bred(path, self._breed(rng))
            drawn = load_bred(path)
        return Corpus(drawn, decoder, self.config, seed, self.output)

    def _breed(self, rng: np.random.Generator) -> Drawn:
        """Steps 1 and 2 of Algorithm 1; step 3, rasterising, happens as the pictures are asked for."""
        breed, photos = self.config.breed, self.photos
        assert breed is not None and photos is not None
        started = time.perf_counter()
        found = answers(averaged(self.config, self.network, self.average), masked_photos(photos))
        drawn = perturb(found, self.config, breed, rng)
        if breed.keep:
            count = round(breed.keep / (1 - breed.keep) * len(drawn))
            first = draw_first(self.config, self.model, rng, count)
            theta, distance = (
                np.concatenate([getattr(drawn, name), getattr(first, name)]) for name in ("theta", "distance")
            )
            drawn = Drawn(theta, distance)
        self.seconds += time.perf_counter() - started
        return drawn

    def _phase(self, phase: _Phase, corpus: Corpus, bar: Progress) -> None:
        schedule = self.config.schedule
        everything = np.arange(len(corpus.drawn))
        sampler = Sampler((everything,), (1.0,), schedule.batch_size, self.config.seed * 100 + phase.number)

        def make(number: int) -> tuple[Tensor, Tensor]:
            return corpus.batch(sampler.batch(number - phase.begin))

        started, before = time.perf_counter(), self.seconds
        # The next batch is made beside the network's work.
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as prepare:
            coming = prepare.submit(make, self.step)
            while self.step < phase.end:
                images, truth = coming.result()
                coming = prepare.submit(make, self.step + 1)
                loss = self._learn(images, truth)
                self.step += 1
                bar.advance()
                last = self.step == phase.end
                self.seconds = before + time.perf_counter() - started
                if self.step % self.config.log_every == 0 or last:
                    self._report(phase, loss, images, bar)
                if last and self.judge is not None:
                    scores = self.judge(averaged(self.config, self.network, self.average))
                    self.log.write(step=self.step, round=phase.number, **scores)
                if self.step % self.config.checkpoint_every == 0 or last:
                    self._save()

    def _learn(self, images: Tensor, truth: Tensor) -> Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.config, self.step)
        self.network.train()
        loss = parameter_loss(self.network(images), truth, self.weights)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.network)
        return loss.detach()

    def _report(self, phase: _Phase, loss: Tensor, images: Tensor, bar: Progress) -> None:
        value = float(loss)
        if not np.isfinite(value):
            raise FloatingPointError(f"the loss is no longer finite at step {self.step}: lower the rate")
        bar.advance(0, f"round {phase.number} loss {value:.4f}")
        self.log.write(step=self.step, round=phase.number, loss=value, seconds=round(self.seconds, 2))

    def _save(self) -> None:
        save_run(
            self.output,
            self.config,
            self.data_id,
            self.network,
            self.optimiser,
            self.average,
            self.step,
            self.seconds,
        )


def rate(config: InverseConfig, step: int) -> float:
    """The learning rate at a step."""
    schedule = config.schedule
    if schedule.optimiser == "adadelta":
        return schedule.rate
    return schedule.rate * cosine_rate(step, config.steps, schedule.warmup, schedule.final)


def make_optimiser(config: InverseConfig, network: nn.Module) -> torch.optim.Optimizer:
    """The paper's ADADELTA (Zeiler 2012, as Caffe has it), or AdamW without decay on norms and biases."""
    schedule = config.schedule
    if schedule.optimiser == "adadelta":
        return torch.optim.Adadelta(
            network.parameters(), lr=schedule.rate, rho=0.95, eps=1e-6, weight_decay=schedule.weight_decay
        )
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.rate, fused=True)


def averaged(config: InverseConfig, network: InverseNetwork, average: WeightAverage | None) -> InverseNetwork:
    """A copy of the network with the averaged weights (or its own, where there is no averaging)."""
    copy = InverseNetwork(config)
    copy.load_state_dict(network.state_dict() if average is None else average.state)
    return copy.eval()


def masked_photos(photos: Photos) -> NDArray[np.uint8]:
    """Photos (n,S,S,3) of which the landmarks' outline leaves the face alone, without eyes and the mouth's inside."""
    return photos.images * photo_masks(photos)[..., None]


def photo_masks(photos: Photos) -> NDArray[np.bool_]:
    """The masks (n,S,S) of photos."""
    masks: NDArray[np.bool_] = face_mask(torch.from_numpy(photos.landmarks), photos.images.shape[1]).numpy()
    return masks
