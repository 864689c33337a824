"""The last word of a training run: what J1 and J2 leave to be solved in closed form, solved.

While J1 and J2 pull together on the representation z, what pictures do not show of it shrinks. For a direction of the
heads of which the picture explains the share r, J1 + J2 is least where z is ``1 / (2 - r)`` of the head's own: half of
what the picture says nothing of is gone, and what the network answers shrinks with it. Augmented pictures, too, make a
network more cautious than plain ones would. Both are undone here without touching the span of the learned basis or
the network's features.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from training.augmentation import Augmentation
from training.dataset import FaceSet, split
from training.recipes.joint.autoencoder import Autoencoder
from training.recipes.joint.data import Faces, prepare_faces, prepare_pictures
from training.recipes.joint.run import JointModel, Trained
from training.recipes.shape_space import alignment_free_metric

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
_BATCH = 64


@dataclass(frozen=True)
class Finished:
    """The finished run, the strength of its ridge, and the validation errors (mm^2) of the strengths and before.

    `errors` maps a strength to its error; `before` is that of the run as it came. Both are None without held-out faces.
    """

    run: Trained
    strength: float
    errors: dict[float, float] | None
    before: float | None


def finish(run: Trained, faces: FaceSet, strength: float | None = None, progress: bool = True) -> Finished:
    """The run with the best linear encoder for its basis and the best last layer for its features.

    The basis is turned and scaled to unit variance, the encoder is the projection onto it (the minimum of J1), and the
    last layer is the ridge regression of its codes on the features (the minimum of J2) of the training faces' plain,
    mirrored and augmented crops. Without a given `strength`, in units of the features' variance, the one is taken that
    is best on the faces that the run held out. `faces` are the run's data. Raises `ValueError` when no strength is
    given and none was held out.
    """
    training, validation = split(len(faces), run.config.held_out, np.random.default_rng([run.config.seed, 2]))
    if strength is None and not len(validation):
        raise ValueError("this run held out no faces to choose the ridge's strength on: give it")
    known = prepare_pictures(prepare_faces(faces, run.space, None), run.config, training)
    model = copy.deepcopy(run.model).eval()
    rescale_basis(model.autoencoder, _all_vectors(known, training))
    changes = (Augmentation.none(), replace(Augmentation.none(), flip=1.0), run.config.augmentation)
    learned = _features(model, known, run, training, changes, progress)
    candidates = STRENGTHS if strength is None else (strength,)
    weights = {candidate: ridge(learned[0], learned[1], candidate) for candidate in candidates}
    errors, before = None, None
    if len(validation):
        features, codes = _features(model, known, run, validation, changes[:2], progress)
        metric = _metric(run, faces, model.autoencoder)
        errors = {s: _error(features @ w.T + b, codes, metric) for s, (w, b) in weights.items()}
        last, old = run.model.network.last, run.model.autoencoder
        answered = (features @ last.weight.T + last.bias) @ old.basis.T
        before = _error(model.autoencoder.encoder(answered), codes, metric)
    chosen = min(weights, key=(errors or dict.fromkeys(weights, 0.0)).__getitem__)
    with torch.no_grad():
        model.network.last.weight.copy_(weights[chosen][0])
        model.network.last.bias.copy_(weights[chosen][1])
    return Finished(replace(run, model=model), chosen, errors, before)


@torch.no_grad()
def rescale_basis(autoencoder: Autoencoder, vectors: NDArray[np.float32]) -> None:
    """Principal axes of `vectors` (n,D) within the basis' span as the new basis, unit variance, and its projection.

    The encoder becomes linear.
    """
    span = np.linalg.qr(autoencoder.basis.double().numpy())[0]
    within = vectors.astype(np.float64) @ span
    values, axes = np.linalg.eigh(within.T @ within / len(within))
    spread = np.sqrt(np.maximum(values[::-1], 1e-8 * values[-1]))
    directions = span @ axes[:, ::-1]
    encoder = nn.Linear(*directions.shape)
    encoder.weight.copy_(torch.from_numpy((directions / spread).T))
    encoder.bias.zero_()
    autoencoder.encoder = nn.Sequential(encoder)
    autoencoder.decoder.weight.copy_(torch.from_numpy(directions * spread))


def ridge(features: Tensor, targets: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Weight (T,F) and bias (T,) of the linear regression of targets (n,T) on features (n,F), in float32.

    The penalty is `strength` times the squared weights of the features at unit variance, per sample.
    """
    inputs, outputs = features.double(), targets.double()
    middle, spread = inputs.mean(0), inputs.std(0) + 1e-6
    inputs = (inputs - middle) / spread
    average = outputs.mean(0)
    normal = inputs.T @ inputs / len(inputs) + strength * torch.eye(inputs.shape[1], dtype=torch.float64)
    solved = torch.linalg.solve(normal, inputs.T @ (outputs - average) / len(inputs))
    weight = (solved / spread[:, None]).T
    return weight.float(), (average - weight @ middle).float()


def _all_vectors(known: Faces, indices: NDArray[np.intp]) -> NDArray[np.float32]:
    sides = (np.zeros, np.ones)
    return np.concatenate([known.heads(indices, side(len(indices), bool)) for side in sides])


def _metric(run: Trained, faces: FaceSet, autoencoder: Autoencoder) -> Tensor:
    """Matrix that turns differences of codes into what is measured of them on vertices."""
    if run.space.rotation is None:
        return autoencoder.basis.detach()
    return torch.from_numpy(alignment_free_metric(run.space, faces.region("face"))) @ autoencoder.basis.detach()


@torch.no_grad()
def _error(answered: Tensor, codes: Tensor, metric: Tensor) -> float:
    return float(((answered - codes) @ metric.T).square().sum(1).mean())


@torch.no_grad()
def _features(
    model: JointModel,
    known: Faces,
    run: Trained,
    indices: NDArray[np.intp],
    changes: tuple[Augmentation, ...],
    progress: bool,
) -> tuple[Tensor, Tensor]:
    """Inputs of the last layer and the heads' codes, for the faces at `indices` under each of the changes."""
    seen: list[Tensor] = []
    hook = model.network.last.register_forward_hook(lambda _layer, inputs, _output: seen.append(inputs[0]))
    codes = []
    with tqdm(total=len(changes) * len(indices), desc="last layer", unit="face", disable=not progress) as bar:
        for number, augmentation in enumerate(changes):
            augmented = augmentation == run.config.augmentation
            config = replace(
                run.config, augmentation=augmentation, reshape=run.config.reshape if augmented else (0.0, 0.0)
            )
            for start in range(0, len(indices), _BATCH):
                part = indices[start : start + _BATCH]
                batch = known.batch(part, config, np.random.default_rng([run.config.seed, 5, number, start]))
                model.network(batch.images)
                codes.append(model.autoencoder.encoder(batch.vectors))
                bar.update(len(part))
    hook.remove()
    return torch.cat(seen), torch.cat(codes)
