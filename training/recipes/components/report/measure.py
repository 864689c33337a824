"""What is measured of a trained framework, and of those that look shapes up instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.components import (
    best_iou_among,
    best_threshold,
    nearest_pictures,
    pose_invariance,
    vertex_errors,
    voxel_iou,
)
from training.recipes.components.data import Floats, Indices, Pairs, Split, labelled_pairs
from training.recipes.components.run import Trained

_CHUNK = 256


@dataclass(frozen=True)
class Answers:
    """Estimated vectors (m,p) of the test pictures, and the threshold, 0 for heads."""

    pictures: Indices
    vectors: Floats
    threshold: float


def answers(trained: Trained, pairs: Pairs, split: Split) -> Answers:
    """Of the test things' pictures; the threshold is the best one on the labelled pictures held out of training."""
    pictures = pairs.of(split.test)
    threshold = 0.0
    if pairs.kind == "objects":
        _, held = labelled_pairs(pairs, split, trained.config)
        truth = pairs.shapes[pairs.owner[held]].reshape(len(held), -1)
        threshold = best_threshold(trained.vectors(pairs, held), truth)
    return Answers(pictures, trained.vectors(pairs, pictures), threshold)


def figures(trained: Trained, pairs: Pairs, split: Split, found: Answers) -> dict[str, Any]:
    """RMSE and eq. 12's norm; IoU over all and by kind for objects; mm over the face and pose invariance for heads."""
    owner, space = pairs.owner[found.pictures], trained.space
    squares = 0.0
    for start in range(0, len(owner), _CHUNK):
        part = slice(start, start + _CHUNK)
        squares += float(np.square(found.vectors[part] - space.vectors(pairs.shapes[owner[part]])).sum(dtype=float))
    error = float(np.sqrt(squares / found.vectors.size))
    result: dict[str, Any] = {"rmse": error, "norm": error * float(np.sqrt(space.length))}
    if pairs.kind == "objects":
        scores = voxel_iou(found.vectors > found.threshold, pairs.shapes[owner])
        result |= {"threshold": found.threshold, "iou": float(scores.mean())}
        result["iou by kind"] = _by(scores, pairs.kinds[owner])
        return result
    region = slice(None) if pairs.region is None else pairs.region
    errors = np.concatenate(
        [
            vertex_errors(
                space.shapes(found.vectors[start : start + _CHUNK])[:, region],
                pairs.shapes[owner[start : start + _CHUNK]][:, region],
            )
            for start in range(0, len(owner), _CHUNK)
        ]
    )
    result["face mm"] = float(errors.mean())
    views = np.bincount(owner)
    views = views[views > 0]
    if len(views) and (views == views[0]).all() and views[0] > 1:
        shapes = space.shapes(found.vectors)[:, region].reshape(len(views), int(views[0]), -1)
        result["pose invariant"] = float(pose_invariance(shapes).mean())
    return result


def controls(pairs: Pairs, split: Split) -> dict[str, Any]:
    """What needs no training: the mean shape, and, for objects, shapes looked up among the training things.

    "nearest picture" answers with the shape of the training picture that looks most like the test picture; "nearest
    shape" with the training shape that is most like the true one, which nobody can know.
    """
    known, asked = pairs.of(split.training), pairs.of(split.test)
    owner = pairs.owner[asked]
    if pairs.kind == "heads":
        mean = pairs.shapes[split.training].mean(0, dtype=np.float64).astype(np.float32)
        region = slice(None) if pairs.region is None else pairs.region
        apart = [vertex_errors(mean[None, region], pairs.shapes[thing][None, region])[0] for thing in split.test]
        by_thing = dict(zip(split.test.tolist(), apart, strict=True))
        return {"mean shape": {"face mm": float(np.mean([by_thing[int(thing)] for thing in owner]))}}
    shapes = pairs.shapes.reshape(len(pairs.shapes), -1)
    mean = shapes[split.training].mean(0, dtype=np.float64)
    threshold = best_threshold(np.repeat(mean[None], len(split.training), 0), shapes[split.training])
    same = voxel_iou(np.repeat(mean[None] > threshold, len(owner), 0), shapes[owner])
    per_kind = np.zeros(len(owner))
    for kind in np.unique(pairs.kinds):
        members = split.training[pairs.kinds[split.training] == kind]
        mean = shapes[members].mean(0, dtype=np.float64)
        best = best_threshold(np.repeat(mean[None], len(members), 0), shapes[members])
        chosen = pairs.kinds[owner] == kind
        per_kind[chosen] = voxel_iou(np.repeat(mean[None] > best, int(chosen.sum()), 0), shapes[owner[chosen]])
    looked_up = pairs.owner[known[nearest_pictures(pairs.images[known], pairs.images[asked])]]
    nearest = best_iou_among(shapes[split.training], shapes[split.test])
    by_thing = dict(zip(split.test.tolist(), nearest, strict=True))
    rows = {
        "mean shape": same,
        "mean shape of the true kind": per_kind,
        "nearest picture": voxel_iou(shapes[looked_up], shapes[owner]),
        "nearest shape": np.array([by_thing[int(thing)] for thing in owner]),
    }
    return {
        name: {"iou": float(scores.mean()), "iou by kind": _by(scores, pairs.kinds[owner])}
        for name, scores in rows.items()
    }


def _by(scores: NDArray[np.floating], kinds: NDArray[np.str_]) -> dict[str, float]:
    return {str(kind): float(scores[kinds == kind].mean()) for kind in np.unique(kinds)}
