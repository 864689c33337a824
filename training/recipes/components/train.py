"""Trains the recipe `components` (paper 2).

    likeness render-objects --input modelnet10 --output data/objects
    likeness train components --config paper --data data/objects --output runs/objects
    likeness train components --config shipped --data data/objects --output runs/objects --resume
    likeness train components --config few --data data/heads --output runs/heads --set labelled=0.05

Encoder and decoder are trained apart, without labels, then the mapping on labelled pairs, then all of it. What is
linear is solved, not trained (Baldi & Hornik 1989). A run depends on its configuration and its data alone: killed and
resumed, it gives what it would have given uninterrupted. With `views`, two stages more stand before the mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.recipes.components import linear
from training.recipes.components.agreement import Expander, disagreement, varied, views_of
from training.recipes.components.answers import mean_answers
from training.recipes.components.config import ComponentsConfig, MappingConfig, ViewsConfig, stage_of
from training.recipes.components.data import Indices, Pairs, Space, Split, fingerprint, labelled_pairs, make_space
from training.recipes.components.decoders import DenseShapeEncoder, LinearDecoder, make_shape_encoder
from training.recipes.components.encoders import ImageDecoder, LinearEncoder, make_encoder
from training.recipes.components.framework import Framework, Mapping, rmse, seeded
from training.recipes.components.kernel import fit_kernel
from training.recipes.components.parts import Parts
from training.recipes.components.run import Trained, write_run, write_weights
from training.recipes.components.session import Session
from training.recipes.components.targets import Targets, make_targets

# Shapes and pictures that a basis is found on: more gain nothing.
_ENOUGH = 2500
_CHUNK = 256
_VALIDATED = 512
# Of the codes' variance, the ridges that the least squares of a mapping with neurons beside it may begin with.
_RIDGES = (0.0, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)


def train(
    config: ComponentsConfig,
    pairs: Pairs,
    split: Split,
    output: Path | None = None,
    resume: bool = False,
    progress: bool = True,
    parts: Path | None = None,
) -> Trained:
    """Trains, or goes on training, in the folder `output`; without one nothing is written.

    Pre-trained parts are looked up in the folder `parts`, and kept there. Raises `ValueError` when a run to be resumed
    had another configuration or other data.
    """
    space = make_space(pairs, split.training)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_run(output, config, space)
    run = _Run(config, pairs, split, space, output, resume, progress, parts)
    if config.pretrained:
        run.pretrain_encoder()
        run.pretrain_decoder()
        if config.views is not None:
            run.agree(config.views)
            run.learn_answers(config.views)
        run.fit_mapping()
    elif "all" not in run.session.done and not run.session.waits_in("all"):
        run.start_at_mean(np.unique(pairs.owner[run.labelled]))
    run.fine_tune()
    trained = Trained(config, run.full_framework(), space, fingerprint(pairs))
    if output is not None:
        write_weights(output, trained)
    return trained


@dataclass(frozen=True)
class _Codes:
    """Codes of pictures (m,k) and of the shapes that they show (m,k')."""

    pictures: Tensor
    shapes: Tensor


class _Run:
    """The parts of one run and their stages."""

    def __init__(
        self,
        config: ComponentsConfig,
        pairs: Pairs,
        split: Split,
        space: Space,
        output: Path | None,
        resume: bool,
        progress: bool,
        parts: Path | None = None,
    ) -> None:
        self.config, self.pairs, self.split, self.space = config, pairs, split, space
        self.labelled, self.validation = labelled_pairs(pairs, split, config)
        both = np.concatenate([self.labelled, self.validation])
        # Without pre-training, no shape is looked at but the labelled ones.
        seen = split.training if config.pretrained else np.unique(pairs.owner[both])
        self.targets: Targets = make_targets(config, pairs, space, seen)
        self.framework = Framework(config, self.targets.length)
        self.modules: dict[str, nn.Module] = {
            "encoder": self.framework.encoder,
            "mapping": self.framework.mapping,
            "decoder": self.framework.decoder,
        }
        # What only the pre-training needs is seeded anew: with whichever part it goes, it begins the same.
        with seeded(config.seed, 3):
            self.modules["picture"] = ImageDecoder(config.size, config.encoder)
        with seeded(config.seed, 4):
            self.modules["shape"] = make_shape_encoder(config.decoder, self.targets.length)
        if config.pretrained and config.views is not None:
            with seeded(config.seed, 8):
                self.modules["agreeing"] = make_encoder(config.encoder, config.size)
                self.modules["expander"] = Expander(config.encoder.code, config.views.expanded)
                self.modules["autoencoder"] = make_encoder(config.encoder, config.size)
        data = fingerprint(pairs, unlabelled=True)
        self.session = Session(config, self.modules, data, output, resume, progress)
        self.parts = Parts(parts, config, data)

    def pretrain_encoder(self) -> None:
        """The 2D component, on pictures alone: principal components where it is linear, else an autoencoder."""
        config, encoder, back = self.config, self.framework.encoder, self.modules["picture"]
        pictures = np.concatenate([self.pairs.of(self.split.training), self.pairs.unlabelled])
        if isinstance(encoder, LinearEncoder):
            if "images" not in self.session.done:
                known = self.pairs.pictures(_some(pictures, 4 * _ENOUGH)).flatten(1).numpy()
                found = linear.basis(known.T, config.encoder.code)
                encoder.set(torch.from_numpy(found.U.T.copy()), torch.from_numpy(found.mean[:, 0]))
            self.session.finish("images")
            return

        def loss(members: NDArray[np.int64]) -> Tensor:
            images = self.pairs.pictures(pictures[members], self._flips(members))
            again = back(encoder(images))
            # The way back of AlexNet ends in smaller pictures than it was given.
            smaller = nn.functional.adaptive_avg_pool2d(images, again.shape[-1])
            return rmse(again.flatten(1), smaller.flatten(1))

        self._apart("images", ("encoder", "picture"), loss, len(pictures))

    def pretrain_decoder(self) -> None:
        """The 3D component, on shapes alone."""
        config, decoder, shape = self.config, self.framework.decoder, self.modules["shape"]
        things = self.split.training
        if "shapes" not in self.session.done and not self.session.waits_in("shapes"):
            known = self.targets.vectors(_some(things, _ENOUGH))
            if isinstance(decoder, LinearDecoder):
                found = linear.basis(known.numpy().T, config.decoder.code)
                directions, mean = torch.from_numpy(found.U.copy()), torch.from_numpy(found.mean[:, 0])
                decoder.set(directions, mean)
                shape.set(directions.T, mean)
                self.session.finish("shapes")
            else:
                decoder.measure(known)
                if isinstance(shape, DenseShapeEncoder):
                    shape.measure(known)
        if isinstance(decoder, LinearDecoder):
            return

        def loss(members: NDArray[np.int64]) -> Tensor:
            vectors = self.targets.vectors(things[members], self._flips(members))
            return rmse(decoder(shape(vectors)), vectors)

        self._apart("shapes", ("decoder", "shape"), loss, len(things))

    def agree(self, config: ViewsConfig) -> None:
        """Another encoder of the same form, on pictures of which it is known which show the same thing."""
        encoder, expander = self.modules["agreeing"], self.modules["expander"]
        views = views_of(self.pairs, self.split.training)

        def loss(members: NDArray[np.int64]) -> Tensor:
            rng = np.random.default_rng([self.config.seed, 9, *(int(n) for n in members[:4])])
            pictures = views.draw(members, config.views, rng).reshape(-1)
            flips = np.repeat(self._flips(members), config.views)
            images = varied(self.pairs.pictures(pictures, flips), config, rng)
            return disagreement(expander(encoder(images)).unflatten(0, (len(members), config.views)))

        self._apart("agreement", ("agreeing", "expander"), loss, len(views))

    def learn_answers(self, config: ViewsConfig) -> None:
        """Encoder and neurons, on what both encoders answer to unlabelled pictures.

        Labelled ones are not learned from: their codes shall be like those of pictures never seen, as the kernel
        mapping is solved on them next.
        """
        if "answers" in self.session.done:
            return
        encoder, mapping = self.framework.encoder, self.framework.mapping
        if not self.session.waits_in("answers"):
            # The network goes on from the codes that agree; what it was before is a teacher.
            self.modules["autoencoder"].load_state_dict(encoder.state_dict())
            encoder.load_state_dict(self.modules["agreeing"].state_dict())
            self._measure(encoder, mapping)
        pictures = self._unlabelled()
        if mapping.neurons is None or not len(pictures):
            self.session.finish("answers")
            return
        teachers = [self._teacher(self.modules[name], config) for name in ("autoencoder", "agreeing")]
        answers = mean_answers(self.pairs, pictures, teachers, self.config.mirror)

        def loss(members: NDArray[np.int64]) -> Tensor:
            flips = self._flips(members)
            codes = mapping(encoder(self.pairs.pictures(pictures[members], flips)))
            return rmse(codes, answers.codes(members, flips))

        self.session.stage("answers", config.answers, ("encoder", "mapping"), loss, len(pictures))

    def _unlabelled(self) -> Indices:
        """All pictures of the training side whose shape may not be seen."""
        pictures = np.concatenate([self.pairs.of(self.split.training), self.pairs.unlabelled])
        return np.setdiff1d(pictures, np.concatenate([self.labelled, self.validation]))

    def _teacher(self, encoder: nn.Module, config: ViewsConfig) -> nn.Module:
        """An encoder and the kernel mapping from its codes, solved on the labelled pairs."""
        mapping = Mapping(
            MappingConfig("kernel", (config.centres,)), self.config.encoder.code, self.config.decoder.code
        )
        self._measure(encoder, mapping)
        self._solve_kernel(mapping, self._codes(encoder, self.labelled, self.config.mirror))
        return nn.Sequential(encoder, mapping).eval()

    def _apart(
        self, stage: str, names: tuple[str, str], loss: Callable[[NDArray[np.int64]], Tensor], pool: int
    ) -> None:
        """A stage that trains one component without labels, unless its like was trained before."""
        if stage in self.session.done:
            return
        modules = {name: self.modules[name] for name in names}
        if not self.session.waits_in(stage) and self.parts.load(stage, modules):
            self.session.finish(stage)
            return
        self.session.stage(stage, stage_of(self.config, stage), names, loss, pool)
        self.parts.keep(stage, modules)

    def fit_mapping(self) -> None:
        """What lies between, on labelled pairs, the other two held: eq. 8, by least squares or with neurons."""
        if "mapping" in self.session.done:
            return
        encoder, mapping = self.framework.encoder, self.framework.mapping
        known = self._codes(encoder, self.labelled, self.config.mirror)
        held = self._codes(encoder, self.validation, False)
        if mapping.kernel is not None:
            self._measure(encoder, mapping, again=True)
            self._solve_kernel(mapping, known)
            mapping.join_kernel(taught=self.config.views is not None and len(self._unlabelled()) > 0)
            self.session.finish("mapping")
            return
        if not self.session.waits_in("mapping"):
            self._measure(encoder, mapping)
            _solve(mapping, known, held, (0.0,) if mapping.neurons is None else _RIDGES)
        if mapping.neurons is None:
            self.session.finish("mapping")
            return

        def loss(members: NDArray[np.int64]) -> Tensor:
            chosen = torch.from_numpy(members)
            return rmse(mapping(known.pictures[chosen]), known.shapes[chosen])

        def score() -> float:
            return float(rmse(mapping(held.pictures), held.shapes))

        self.session.stage("mapping", self.config.between, ("mapping",), loss, len(known.pictures), score)

    @torch.no_grad()
    def _solve_kernel(self, mapping: Mapping, known: _Codes) -> None:
        things = self.pairs.owner[self.labelled]
        assert mapping.kernel is not None
        groups = np.tile(things, len(known.pictures) // len(things))
        rng = np.random.default_rng([self.config.seed, 7])
        codes = mapping.before(known.pictures).numpy()
        most = len(mapping.kernel.centres)
        # Not standardised: directions in which shapes hardly differ shall not choose the ridge.
        found = fit_kernel(codes, known.shapes.numpy(), groups, most, rng)
        mean, spread = mapping.after.mean.numpy(), mapping.after.spread.numpy()
        mapping.kernel.set(replace(found, weights=found.weights / spread, mean=(found.mean - mean) / spread))

    def fine_tune(self) -> None:
        """All three on labelled pairs, with the root of the mean squared error (eq. 12)."""
        if self.config.all.steps == 0:
            self.session.finish("all")
            return
        labelled, owner = self.labelled, self.pairs.owner
        seen = _some(self.validation, _VALIDATED)

        def loss(members: NDArray[np.int64]) -> Tensor:
            flips, chosen = self._flips(members), labelled[members]
            shapes = self.targets.vectors(owner[chosen], flips)
            return rmse(self.framework(self.pairs.pictures(chosen, flips)), shapes)

        def score() -> float:
            squares = 0.0
            for part in _parts(seen):
                apart = self.framework(self.pairs.pictures(part)) - self.targets.vectors(owner[part])
                squares += float(apart.square().sum())
            return float(np.sqrt(squares / (len(seen) * self.space.length)))

        self.session.stage("all", self.config.all, ("encoder", "mapping", "decoder"), loss, len(labelled), score)

    def start_at_mean(self, things: Indices) -> None:
        """The decoder begins at the shapes' mean: nobody would let it learn that."""
        decoder, known = self.framework.decoder, self.targets.vectors(_some(things, _ENOUGH))
        if isinstance(decoder, LinearDecoder):
            decoder.set_mean(known.mean(0))
        else:
            decoder.measure(known)

    @torch.no_grad()
    def full_framework(self) -> Framework:
        """The framework with a decoder that gives all of a shape's numbers."""
        if self.targets.rotation is None:
            return self.framework.eval()
        full = Framework(self.config, self.space.length)
        full.encoder, full.mapping = self.framework.encoder, self.framework.mapping
        ours, theirs = self.framework.decoder, full.decoder
        ours.turn_into(theirs, self.targets.full_layer)
        return full.eval()

    def _flips(self, members: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of a batch are mirrored: half of them where the run mirrors, drawn from the batch alone."""
        rng = np.random.default_rng([self.config.seed, 6, *(int(n) for n in members[:4])])
        return rng.random(len(members)) < (0.5 if self.config.mirror else 0.0)

    @torch.no_grad()
    def _codes(self, encoder: nn.Module, pictures: Indices, mirrored: bool) -> _Codes:
        """Codes of labelled pictures and of their shapes, and of their mirror images."""
        shape, encoder = self.modules["shape"].eval(), encoder.eval()
        seen, shown = [], []
        for flip in (False, True) if mirrored else (False,):
            for part in _parts(pictures):
                flips = np.full(len(part), flip)
                seen.append(encoder(self.pairs.pictures(part, flips)))
                shown.append(shape(self.targets.vectors(self.pairs.owner[part], flips)))
        return _Codes(torch.cat(seen), torch.cat(shown))

    @torch.no_grad()
    def _measure(self, encoder: nn.Module, mapping: Mapping, again: bool = False) -> None:
        """Means and spreads of both codes, from pictures and shapes without regard to which belong together.

        With `again` what neurons have learned since the last time remains.
        """
        shape, encoder = self.modules["shape"].eval(), encoder.eval()
        pictures = _some(self.pairs.of(self.split.training), _ENOUGH)
        codes = torch.cat([encoder(self.pairs.pictures(part)) for part in _parts(pictures)])
        if again:
            mapping.measure_again(codes)
        else:
            mapping.before.measure(codes)
        things = _some(self.split.training, _ENOUGH)
        mapping.after.measure(torch.cat([shape(self.targets.vectors(part)) for part in _parts(things)]))


@torch.no_grad()
def _solve(mapping: Mapping, known: _Codes, held: _Codes, ridges: tuple[float, ...]) -> None:
    """Least squares between standardised codes; of several ridges the one that is best on the held pairs."""
    Y = mapping.before(known.pictures).double()
    B = ((known.shapes - mapping.after.mean) / mapping.after.spread).double()
    ones = torch.cat([Y, torch.ones(len(Y), 1, dtype=Y.dtype)], 1)
    gram, mixed = ones.T @ ones / len(Y), ones.T @ B / len(Y)
    best = np.inf
    for ridge in ridges:
        penalty = torch.full((len(gram),), ridge, dtype=gram.dtype)
        penalty[-1] = 0.0
        solved = torch.linalg.lstsq(gram + torch.diag(penalty), mixed, driver="gelsd").solution.float()
        answer = mapping.before(held.pictures) @ solved[:-1] + solved[-1]
        error = float((answer * mapping.after.spread + mapping.after.mean - held.shapes).square().mean())
        if error < best:
            best = error
            mapping.start_from(solved[:-1].T, solved[-1])


def _parts(indices: Indices) -> list[Indices]:
    return [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]


def _some(indices: Indices, most: int) -> Indices:
    """At most `most` of the indices, evenly spread."""
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).astype(np.intp)]
