"""How a bundle's estimate of skin tone is corrected by what the photo shows.

The bundle reconstructs rendered people whose skin is known. Ridge regression then finds how the logarithm of true over
estimated tone follows from what `backend.tone.Sighting` holds. It becomes part of the bundle's description.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.progress import Progress

Floats = NDArray[np.float64]

RIDGE = 10.0
"""In units of a standardised column's variance, as is 1: about a thirtieth of what 300 faces weigh."""

FOLDS = 10
FEWEST = 40


@dataclass(frozen=True)
class ToneTable:
    """Of n faces: `with_white` (n,10) and `without` (n,7) numbers, as a photo with and without eyes' white gives them,
    rows without any NaN; `change` (n,3) logarithms of true over estimated tone.
    """

    with_white: Floats
    without: Floats
    change: Floats


def measure(bundle: Path, data: Path, limit: int | None = None) -> ToneTable:
    """Reconstructs every face and compares its skin's tone with the truth; faces that are not found are left out.

    Raises `ValueError` when too few remain, or the bundle estimates no skin.
    """
    from backend.bundle import open_bundle
    from backend.decode import decode
    from backend.failures import Failure
    from backend.feedback import Feedback
    from backend.localise import Localiser
    from backend.pipeline import Reconstructor
    from backend.pose import Pose
    from backend.regress import Regressor
    from backend.skin import Portrait, Skin
    from training.shards import Sample, read_shard, shard_paths

    def samples() -> Iterator[Sample]:
        for path in shard_paths(data):
            yield from read_shard(path)

    opened = open_bundle(bundle)
    opened = replace(opened, description={key: value for key, value in opened.description.items() if key != "tone"})
    skin = Skin.of(opened)
    if skin is None:
        raise ValueError(f"{bundle} has no skin whose tone could be corrected")
    reconstructor = Reconstructor(opened, Localiser.open(), Regressor.open(opened), Feedback.open(opened))
    total = json.loads((data / "dataset.json").read_text(encoding="utf-8"))["count"]
    total = total if limit is None else min(limit, total)
    with_white, without, change = [], [], []
    with Progress("tone", total, unit="img") as progress:
        for number, sample in enumerate(samples()):
            if number == total:
                break
            progress.advance()
            truth = sample.arrays.get("reflectance_vertices")
            if truth is None:
                raise ValueError(f"{data} does not say what colour skin is: render it with this version")
            try:
                picture, answer = decode(sample.picture), reconstructor.reconstruct(sample.picture)
            except Failure:
                continue
            if answer.rotation is None or answer.translation is None or answer.focal is None:
                continue
            if answer.reflectance is None or answer.landmarks68_2d is None:
                continue
            rotation, translation = (np.asarray(part, np.float64) for part in (answer.rotation, answer.translation))
            pose = Pose(rotation, translation, answer.focal, 0.0)
            head = opened.vertices(answer.identity, answer.expression)
            portrait = Portrait(picture.image, picture.reduction, pose, answer.landmarks68_2d, head)
            seen = skin.tone_sighting(portrait, answer.reflectance)
            if seen is None:
                continue
            numbers = seen.numbers()
            with_white.append(numbers if seen.white is not None else np.full(10, np.nan))
            without.append(np.concatenate([seen.estimate, seen.skin, [1.0]]))
            estimate = skin.plain_tone(skin.model(answer.reflectance))
            change.append(np.log(np.maximum(skin.plain_tone(truth), 1e-3) / np.maximum(estimate, 1e-3)))
    table = ToneTable(np.array(with_white), np.array(without), np.array(change))
    if len(change) < FEWEST or np.isfinite(table.with_white).all(1).sum() < FEWEST:
        raise ValueError(f"{data} holds {len(change)} faces that can be used: at least {FEWEST} are needed")
    return table


def fit(table: ToneTable) -> dict[str, Any]:
    """The description's entry."""
    from backend.tone import Tone

    seen = np.isfinite(table.with_white).all(1)
    return Tone(ridge(table.with_white[seen], table.change[seen]), ridge(table.without, table.change)).to_json()


def ridge(numbers: Floats, change: Floats, strength: float = RIDGE) -> Floats:
    """Numbers (n,F), the last of them 1, and what they shall give (n,3) -> weights (F,3).

    Columns are standardised, and the last one's weight is free.
    """
    middle, spread = numbers[:, :-1].mean(0), numbers[:, :-1].std(0) + 1e-9
    columns = (numbers[:, :-1] - middle) / spread
    target = change - change.mean(0)
    solved = np.linalg.solve(columns.T @ columns + strength * np.eye(columns.shape[1]), columns.T @ target)
    solved = solved / spread[:, None]
    weights: Floats = np.concatenate([solved, (change.mean(0) - middle @ solved)[None]])
    return weights


def report(table: ToneTable) -> str:
    """How far tones are off, before and after, cross-validated."""
    seen = np.isfinite(table.with_white).all(1)
    rows = [("the estimate", table.change)]
    for name, numbers, change in (
        ("with the photo's skin", table.without, table.change),
        ("with skin and eyes' white", table.with_white[seen], table.change[seen]),
    ):
        left = change.copy()
        for fold in range(FOLDS):
            held = np.arange(len(change)) % FOLDS == fold
            left[held] -= numbers[held] @ ridge(numbers[~held], change[~held])
        rows.append((name, left))
    lines = ["| root mean square of the logarithm | red | green | blue | faces |", "|---|---|---|---|---|"]
    for name, left in rows:
        red, green, blue = np.sqrt(np.square(left).mean(0))
        lines.append(f"| {name} | {red:.3f} | {green:.3f} | {blue:.3f} | {len(left)} |")
    return "\n".join(lines)
