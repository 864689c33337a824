"""The product's own way from a picture to a head, measured on rendered people and on photos with labelled points."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.dataset import move_landmarks
from training.evaluation import metrics
from training.evaluation.metrics import per_vertex_error
from training.evaluation.product.visible import Visibility
from training.shards import read_shard, shard_paths

if TYPE_CHECKING:
    from backend.answer import Reconstruction
    from backend.pipeline import Reconstructor

Floats = NDArray[np.float64]

EIGHT = (36, 39, 42, 45, 30, 48, 54, 8)
"""Eye corners, nose tip, mouth corners and chin among the 68 points."""

_YAWS = (0.0, 15.0, 30.0, 45.0, 60.0, 90.0)
# An action with a smaller standard deviation does not vary.
_LEAST_SPREAD = 0.02
# Pictures that could show an action: of fewer a correlation says nothing.
_FEWEST = 30


@dataclass(frozen=True)
class Person:
    """One rendered picture: its file's content, neutral head (N,3) mm, actions (52,), parameters, points (68,2) px.

    rotation (3,3) and translation (3,) mm are the camera's; shown (P,) tells which of the 68 and the dense points are
    in sight.
    """

    picture: bytes
    vertices: NDArray[np.float32]
    expression: NDArray[np.float32]
    parameters: Mapping[str, Any]
    landmarks: NDArray[np.float32]
    rotation: NDArray[np.float32]
    translation: NDArray[np.float32]
    shown: NDArray[np.bool_]


def people(folder: Path, limit: int | None = None) -> Iterator[Person]:
    """The pictures of a rendered dataset. Raises `FileNotFoundError` for a folder without any."""
    paths = shard_paths(folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no rendered faces: make some with `likeness render --output {folder}`")
    with np.load(folder / "template.npz", allow_pickle=False) as arrays:
        template = {name: arrays[name] for name in arrays.files}
    count = 0
    for path in paths:
        for sample in read_shard(path):
            if limit is not None and count >= limit:
                return
            count += 1
            a = sample.arrays
            one = {name: np.array(array)[None] for name, array in a.items()}
            move_landmarks(one, template)
            points = ("landmarks68", "landmarks_dense")
            # In sight where the samples do not say.
            shown = [a.get(f"{name}_visible", np.ones(len(a[name]), bool)).astype(bool) for name in points]
            yield Person(
                sample.picture, a["vertices"], a["expression"], sample.parameters, one["landmarks68"][0],
                a["rotation"], a["translation"], np.concatenate(shown),
            )  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One picture's figures; errors are mean distances over the face in mm after similarity alignment.

    `inside` is the share of the face's vertices whose error is below the sigma that the product says, nan where it says
    none; `points` the mean distance of the eight re-projected vertices, in outer-eye distances. expression and truth
    (52,) are the actions found and true; `visible` (52,) those that the picture could show.
    """

    parameters: Mapping[str, Any]
    found: bool
    error: float
    control: float
    inside: float
    points: float
    expression: NDArray[np.float64]
    truth: NDArray[np.float64]
    visible: NDArray[np.bool_]


def measure(reconstructor: Reconstructor, persons: Sequence[Person], refine: bool = True) -> list[Row]:
    """One row for each of the persons; where no face was found, the control's error counts."""
    bundle = reconstructor.bundle
    names = [str(name) for name in bundle.description["region_names"]]
    region = np.flatnonzero(bundle.arrays["regions"][names.index("face")])
    visibility = Visibility(bundle.arrays, [str(name) for name in bundle.description["expression_names"]])
    rows = []
    for person in tqdm(persons, desc="pictures", unit="face"):
        visible = visibility.visible(
            person.vertices, person.expression, person.rotation, person.translation, person.shown
        )
        truth = person.vertices[region]
        control = float(per_vertex_error(bundle.mean[region], truth).mean())
        true_actions = person.expression.astype(np.float64)
        answer = answered(reconstructor, person.picture, refine)
        if answer is None:
            nothing = np.zeros(len(true_actions))
            rows.append(Row(person.parameters, False, control, control, np.nan, np.nan, nothing, true_actions, visible))
            continue
        distances = per_vertex_error(bundle.vertices(answer.identity)[region], truth)
        inside = np.nan if answer.sigma is None else float((distances < answer.sigma[region]).mean())
        eight = reprojected(reconstructor, answer)
        apart = np.nan if eight is None else _of_eyes(eight, person.landmarks[list(EIGHT)])
        acted = np.zeros(len(true_actions)) if answer.expression is None else np.asarray(answer.expression, np.float64)
        error = float(distances.mean())
        rows.append(Row(person.parameters, True, error, control, inside, apart, acted, true_actions, visible))
    return rows


def answered(reconstructor: Reconstructor, picture: bytes, refine: bool = True) -> Reconstruction | None:
    """The product's answer, None where it finds no face."""
    from backend.failures import Failure

    try:
        return reconstructor.reconstruct(picture, refine=refine)
    except Failure:
        return None


def reprojected(reconstructor: Reconstructor, answer: Reconstruction) -> Floats | None:
    """The eight points (8,2), pixels, where the head with its expression has them under its camera."""
    if answer.rotation is None or answer.translation is None or answer.focal is None:
        return None
    ids = reconstructor.bundle.landmarks68[list(EIGHT)]
    placed = reconstructor.bundle.vertices(answer.identity, answer.expression)[ids] @ answer.rotation.T
    placed = placed + answer.translation
    seen: Floats = answer.focal * placed[:, :2] / placed[:, 2:] + np.asarray(answer.image_size) / 2
    return seen


def _of_eyes(found: Floats, truth: NDArray[np.floating]) -> float:
    return float(np.linalg.norm(found - truth, axis=1).mean() / np.linalg.norm(truth[3] - truth[0]))


@dataclass(frozen=True)
class Figures:
    """Means over pictures; `ratio` is that of the mean errors, `worse` the share that the control is nearer to."""

    count: int
    found: float
    error: float
    control: float
    ratio: float
    worse: float
    inside: float
    points: float


def figures(rows: Sequence[Row]) -> Figures:
    """Of some rows."""
    errors, controls = (np.array([getattr(row, name) for row in rows]) for name in ("error", "control"))
    found = [row for row in rows if row.found]
    return Figures(
        count=len(rows),
        found=len(found) / len(rows),
        error=float(errors.mean()),
        control=float(controls.mean()),
        ratio=float(errors.mean() / controls.mean()),
        worse=float((errors > controls).mean()),
        inside=float(np.mean([row.inside for row in found])) if found else np.nan,
        points=float(np.mean([row.points for row in found])) if found else np.nan,
    )


def groups(rows: Sequence[Row]) -> dict[str, dict[str, list[Row]]]:
    """The rows by what people ask about: yaw, skin tone, age, sex, ancestry, glasses, beard, population."""
    tables: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        for table, name in _belongs(row.parameters).items():
            tables.setdefault(table, {}).setdefault(name, []).append(row)
    return {table: dict(sorted(parts.items())) for table, parts in tables.items()}


def _belongs(parameters: Mapping[str, Any]) -> dict[str, str]:
    traits, melanin = parameters["identity"]["traits"], parameters["skin"]["melanin"]
    yaw, beard = abs(parameters["yaw"]), parameters["beard"]["style"]
    low, high = next((a, b) for a, b in pairwise(_YAWS) if yaw <= b)
    ancestry = max(("african", "asian", "caucasian"), key=lambda name: traits[name])
    return {
        "yaw": f"{low:g}-{high:g}°",
        "skin": ("1 light", "2 medium", "3 dark")[int(melanin > 0.25) + int(melanin > 0.5)],
        "age": ("18-35", "35-60", "60-90")[int(traits["age"] > 35) + int(traits["age"] > 60)],
        "sex": "female" if traits["female"] > 0.5 else "male",
        "ancestry": ancestry,
        "glasses": "no" if parameters["glasses"] is None else "yes",
        "beard": "no" if beard == "none" else "yes",
        "shapes of": parameters["identity"]["population"],
    }


def correlations(rows: Sequence[Row], visible: bool = False) -> NDArray[np.float64]:
    """For each action the correlation of answers with the truth over the faces found; nan where it hardly varies.

    With `visible`, of each action over the pictures that could show it, nan where these are fewer than `_FEWEST`.
    """
    kept = [row for row in rows if row.found]
    if not kept:
        return np.full(rows[0].truth.shape, np.nan)
    found, truth, seen = (np.stack([getattr(row, name) for row in kept]) for name in ("expression", "truth", "visible"))
    values = np.full(truth.shape[1], np.nan)
    for action in range(len(values)):
        chosen = seen[:, action] if visible else np.ones(len(kept), bool)
        if (visible and chosen.sum() < _FEWEST) or not truth[chosen, action].std() > _LEAST_SPREAD:
            continue
        one = metrics.correlations(found[chosen, action, None], truth[chosen, action, None])
        # An answer that never varies tells nothing of an action that does.
        values[action] = np.nan_to_num(one[0])
    return values


@dataclass(frozen=True)
class PhotoFigures:
    """Of labelled photos: faces found; normalised mean errors of the eight points, plain and with each point's constant
    offset taken out; the share of photos whose error is above a tenth; `direct` the same two of the network's own
    points.
    """

    count: int
    found: int
    plain: float
    median: float
    corrected: float
    above: float
    direct: tuple[float, float]


def photos(reconstructor: Reconstructor, folder: Path, refine: bool = True) -> PhotoFigures:
    """Figures on a folder with `landmarks.csv`: a row an image, its name and 68 iBUG points x00, y00, ... in pixels."""
    ours, direct, truth, count = [], [], [], 0
    with (folder / "landmarks.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    for name, *numbers in tqdm(rows, desc="photos", unit="photo"):
        count += 1
        answer = answered(reconstructor, (folder / name).read_bytes(), refine)
        eight = None if answer is None else reprojected(reconstructor, answer)
        if answer is None or eight is None or answer.landmarks68_2d is None:
            continue
        ours.append(eight)
        direct.append(answer.landmarks68_2d[list(EIGHT)])
        truth.append(np.array(numbers, np.float64).reshape(68, 2)[list(EIGHT)])
    places, labels = np.array(ours), np.array(truth)
    plain, corrected = _normalised(places, labels)
    seen = _normalised(np.array(direct), labels)
    return PhotoFigures(
        count, len(ours), float(plain.mean()), float(np.median(plain)), float(corrected.mean()),
        float((plain > 0.1).mean()), (float(seen[0].mean()), float(seen[1].mean())),
    )  # fmt: skip


def _normalised(found: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Errors (n,) in outer-eye distances of points (n,8,2), and with each point's mean offset in the face taken out."""
    across = truth[:, 3] - truth[:, 0]
    length = np.linalg.norm(across, axis=1)
    along = across / length[:, None]
    axes = np.stack([along, np.stack([-along[:, 1], along[:, 0]], 1)], 1)
    apart = np.einsum("nij,npj->npi", axes, found - truth) / length[:, None, None]
    # The median: what is a convention is the same in most photos, however far off a few are.
    return np.linalg.norm(apart, axis=2).mean(1), np.linalg.norm(apart - np.median(apart, axis=0), axis=2).mean(1)
