"""A small synthetic bundle with every joint of a real one: a cube-sphere head, two eyeballs, a tiny regressor.

`write_small_bundle` needs `onnx` (the `test` extra); everything else is numpy. The result is deterministic: the same
arguments give the same vertices and coefficients, so tests may compare two bundles.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CROP_SCALE = 1.45
HEAD_CELLS = 16
EYE_CELLS = 4
EYE_RADIUS = 12.0
EYE_CENTRE = np.array([32.0, 28.0, 74.0])  # of the subject's left eye, mm
HALF_AXES = np.array([75.0, 112.0, 95.0])

ARKIT_NAMES = tuple(
    """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
    jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight
    mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft
    mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut""".split()
)

# Named sliders and their groups.
SLIDERS = (("Age", "Person"), ("Nose Width", "Nose"), ("Nose Length", "Nose"))

# `refine` of bundle.json.
REFINE: dict[str, object] = {
    "correlation": 8.0,
    "expression_sd": [0.1] * len(ARKIT_NAMES),
    "identity": "free",
    "sigma_scale": 1.0,
    "uncertainty": [1.2, 0.3],
}

# Where an expression acts on the face (the subject's left side) and which way, in mm at 1.0.
_EXPRESSION_PLACES: dict[str, tuple[tuple[float, float], tuple[float, float, float]]] = {
    "brow": ((32.0, 48.0), (0.0, 4.0, 1.0)),
    "cheek": ((42.0, -5.0), (2.0, 2.0, 4.0)),
    "eye": ((32.0, 28.0), (0.0, -3.0, 1.0)),
    "jaw": ((0.0, -75.0), (0.0, -12.0, -2.0)),
    "mouth": ((22.0, -45.0), (3.0, 3.0, 1.0)),
    "nose": ((10.0, -10.0), (1.0, 2.0, 1.0)),
    "tongue": ((0.0, -48.0), (0.0, -1.0, 5.0)),
}


def write_small_bundle(
    folder: Path,
    *,
    identity: int = 6,
    reflectance: int = 3,
    landmarks: bool = True,
    expression: bool = False,
    illumination: bool = False,
    sliders: bool = True,
    refine: bool = False,
    size: int = 64,
) -> Path:
    """Write a bundle of `identity` and `reflectance` columns into `folder` (made if absent) and return `folder`.

    `landmarks`, `expression` and `illumination` say whether the regressor has those outputs; `reflectance=0` leaves
    that output out. `sliders` says whether there are named ones, `SLIDERS`. `refine` adds dense points with sigmas, the
    distance, and what is known of the errors; it needs landmarks and expression.
    `size` is the side of the regressor's input in pixels. All hashes in `bundle.json` are right.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = small_head(identity=identity, reflectance=reflectance)
    more = slider_arrays(identity) if sliders else {}
    if refine:
        more["identity_error"] = np.diag(np.full(identity, 0.25)).astype(np.float32)
        more["vertex_sigma"] = np.full(len(head["mean"]), 1.5, np.float32)
    np.savez_compressed(folder / "head.npz", **head, **more)
    write_regressor(
        folder / "regressor.onnx",
        head,
        size=size,
        landmarks=landmarks,
        expression=expression,
        illumination=illumination,
        refine=refine,
        crop_scale=CROP_SCALE,
    )
    (folder / "MODEL_CARD.md").write_text("# small\n\nA synthetic head for tests.\n", encoding="utf-8")
    outputs = ["identity"]
    outputs += ["reflectance"] if reflectance else []
    outputs += ["landmarks"] if landmarks else []
    outputs += ["expression"] if expression else []
    outputs += ["illumination"] if illumination else []
    outputs += ["dense", "sigma", "distance"] if refine else []
    description = {
        "schema": 1,
        "name": "small",
        "recipe": "synthetic",
        "commit": "0" * 40,
        "units": "mm",
        "vertices": len(head["mean"]),
        "identity": identity,
        "expression": len(ARKIT_NAMES),
        "reflectance": reflectance,
        "identity_names": [f"identity{k:03d}" for k in range(identity)],
        "expression_names": list(ARKIT_NAMES),
        "material_names": ["skin", "eye"],
        "region_names": list(REGION_NAMES),
        "regressor": {"file": "regressor.onnx", "size": size, "crop_scale": CROP_SCALE, "outputs": outputs},
        "method": "joint",
        "licences": [{"source": "tests/bundles.py", "licence": "GPL-3.0-or-later", "attribution": "", "url": ""}],
    }
    if refine:
        description["refine"] = dict(REFINE)
    write_description(folder, description)
    return folder


def slider_arrays(identity: int) -> dict[str, NDArray[np.generic]]:
    """The optional arrays of `head.npz`: as many of `SLIDERS` as `identity` columns can tell apart."""
    chosen = SLIDERS[:identity]
    names, groups = (np.array([entry[side] for entry in chosen]) for side in (0, 1))
    directions = np.random.default_rng(4).normal(size=(len(chosen), identity))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return {"slider_names": names, "slider_groups": groups, "sliders": directions.astype(np.float32)}


def write_description(folder: Path, description: dict[str, object]) -> None:
    """Write `bundle.json` with the sha256 of every other file in `folder`."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "bundle.json"
    }
    text = json.dumps({**description, "files": files}, indent=1)
    (folder / "bundle.json").write_text(text + "\n", encoding="utf-8")


def small_head(*, identity: int, reflectance: int) -> dict[str, NDArray[np.generic]]:
    """The arrays of `head.npz`: an ellipsoid with a nose, and two eyeballs (1,734 vertices, quads only)."""
    sphere, cells = _cube_sphere(HEAD_CELLS, centre_density=2.0)
    skin = sphere * HALF_AXES
    skin[:, 0] *= 1.0 - 0.25 * np.clip(-skin[:, 1] / HALF_AXES[1], 0.0, 1.0) ** 2
    skin[:, 2] += 20.0 * _bump(skin, (0.0, -2.0), 13.0)
    ball, ball_cells = _cube_sphere(EYE_CELLS)
    left = ball * EYE_RADIUS + EYE_CENTRE
    right = left * [-1.0, 1.0, 1.0]
    mean = np.concatenate([skin, left, right])
    first_left, first_right = len(skin), len(skin) + len(left)
    quads = np.concatenate([cells, ball_cells + first_left, ball_cells[:, ::-1] + first_right])
    material = np.repeat([0, 1], [len(cells), 2 * len(ball_cells)])
    uv = np.concatenate(
        [_cylinder_uv(sphere)[cells], _radial_uv(ball)[ball_cells], _radial_uv(ball)[ball_cells[:, ::-1]]]
    )
    seam = np.ptp(uv[:, :, 0], axis=1) > 0.5
    uv[seam, :, 0] = np.where(uv[seam, :, 0] < 0.5, 1.0, uv[seam, :, 0])
    # As in a real head's, the skin has but a part of the square.
    uv[: len(cells)] *= 0.35
    eye_left = np.arange(first_left, first_right)
    eye_right = np.arange(first_right, len(mean))
    eyes = np.zeros(len(mean), bool)
    eyes[first_left:] = True
    mirror = np.array([int(np.argmin(np.sum((mean - p) ** 2, axis=1))) for p in mean * [-1.0, 1.0, 1.0]])
    albedo = np.where(eyes[:, None], [0.75, 0.73, 0.70], [0.50, 0.27, 0.19])
    ids = _landmark_ids(mean, eyes, mirror)
    return {
        "quads": quads.astype(np.int32),
        "triangles": np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3).astype(np.int32),
        "uv": uv.astype(np.float32),
        "mean": mean.astype(np.float32),
        "identity": _identity_columns(mean, eye_left, eye_right, identity).astype(np.float32),
        "expression": _expression_columns(mean, eyes).astype(np.float32),
        "reflectance_mean": albedo.astype(np.float32),
        "reflectance": _reflectance_columns(mean, eyes, reflectance).astype(np.float32),
        "landmarks68": ids.astype(np.int32),
        "landmarks_dense": np.flatnonzero(_regions(mean, eyes)[0]).astype(np.int32),
        "mirror": mirror.astype(np.int32),
        "regions": _regions(mean, eyes),
        "material": material.astype(np.int32),
        "eye_left": eye_left.astype(np.int32),
        "eye_right": eye_right.astype(np.int32),
    }


def write_regressor(
    path: Path,
    head: dict[str, NDArray[np.generic]],
    *,
    size: int,
    landmarks: bool,
    expression: bool,
    illumination: bool = False,
    refine: bool = False,
    crop_scale: float,
) -> None:
    """Write an ONNX network of the regressor's interface: pooled pixels, one linear layer, tanh.

    Identity depends on the picture; the landmarks are those of the frontal head with that identity, in crop pixels.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(2)
    count, reflectance_count = len(head["identity"]), len(head["reflectance"])
    nodes, weights, outputs = [], [], []

    def constant(name: str, value: NDArray[np.generic]) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def declare(name: str, shape: list[int]) -> None:
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]))

    def bounded(name: str, width: int, spread: float, offset: float) -> None:
        weight = rng.normal(size=(48, width)).astype(np.float32)
        mixed = node("MatMul", ["centred", constant(f"{name}_weight", weight)], f"{name}_mixed")
        scaled = node(
            "Mul",
            [node("Tanh", [mixed], f"{name}_tanh"), constant(f"{name}_spread", np.array([spread], np.float32))],
            f"{name}_scaled",
        )
        node("Add", [scaled, constant(f"{name}_offset", np.array([offset], np.float32))], name)
        declare(name, [width])

    pooled = node("AveragePool", ["image"], "pooled", kernel_shape=[size // 4] * 2, strides=[size // 4] * 2)
    node("Sub", [node("Flatten", [pooled], "flat", axis=1), constant("middle", np.array([0.5], np.float32))], "centred")
    bounded("identity", count, 2.0, 0.0)
    if reflectance_count:
        bounded("reflectance", reflectance_count, 2.0, 0.0)
    if expression:
        bounded("expression", len(ARKIT_NAMES), 0.5, 0.5)
    if illumination:
        bounded("light", 27, 1.0, 0.5)
        outputs.pop()
        node("Reshape", ["light", constant("light_shape", np.array([-1, 9, 3], np.int64))], "illumination")
        declare("illumination", [9, 3])

    def affine(name: str, base: Array, columns: Array, shape: list[int]) -> None:
        moved = node("MatMul", ["identity", constant(f"{name}_columns", columns.astype(np.float32))], f"{name}_moved")
        base = base.reshape(1, -1).astype(np.float32)
        placed = node("Add", [moved, constant(f"{name}_base", base)], f"{name}_flat")
        node("Reshape", [placed, constant(f"{name}_shape", np.array([-1, *shape], np.int64))], name)
        declare(name, shape)

    flip = np.array([1.0, -1.0])
    points = head["mean"][head["landmarks68"]][:, :2] * flip
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / (crop_scale * float(np.max(high - low)))
    places = [("landmarks", head["landmarks68"])] if landmarks else []
    places += [("dense", head["landmarks_dense"])] if refine else []
    for name, ids in places:
        base = (head["mean"][ids][:, :2] * flip - (low + high) / 2) * scale + size / 2
        columns = (head["identity"][:, ids, :2] * flip * scale).reshape(count, -1)
        affine(name, base, columns, [len(ids), 2])
    if refine:
        told = 68 + len(head["landmarks_dense"])
        affine("sigma", np.full(told, 0.5), np.full((count, told), 0.02), [told])
        affine("distance", np.full(1, 6.5), np.full((count, 1), 0.01), [])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size, size])
    graph = helper.make_graph(nodes, "small_regressor", [image], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"method": "joint", "crop_scale": str(crop_scale), "size": str(size)})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


REGION_NAMES = ("face", "skin", "eyes", "brows", "nose", "lips", "ears", "scalp", "neck")


def _regions(mean: Array, eyes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    x, y, z = mean.T
    face = ~eyes & (z > 20) & (y < 70) & (y > -100)
    return np.stack(
        [
            face,
            ~eyes,
            eyes,
            face & (np.abs(y - 48) < 9) & (np.abs(x) < 60),
            face & (np.abs(x) < 18) & (y > -20) & (y < 28),
            face & (np.abs(x) < 28) & (np.abs(y + 45) < 12),
            ~eyes & (np.abs(x) > 65) & (np.abs(z) < 20) & (np.abs(y) < 25),
            ~eyes & ((y > 75) | ((y > 20) & (z < -20))),
            ~eyes & (y < -60) & (z < 20),
        ]
    )


def _landmark_positions() -> Array:
    """(68, 2) mm, the frontal iBUG-68 points; those of the subject's right (image left) come first in each group."""
    turn = np.linspace(-0.5, 0.5, 17) * np.pi
    jaw = np.stack([66 * np.sin(turn), 8 - 95 * np.cos(turn)], 1)
    brow = np.stack([np.linspace(-56, -14, 5), 48 + np.array([-4.0, 2, 4, 3, 0])], 1)
    bridge = np.stack([np.zeros(4), np.linspace(26, -4, 4)], 1)
    base = np.stack([np.linspace(-13, 13, 5), -14 - np.array([0.0, 2, 3, 2, 0])], 1)
    eye = np.array([[-46.0, 27], [-37, 33], [-27, 33], [-18, 27], [-27, 23], [-37, 23]])
    around = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    mouth = np.stack([26 * np.cos(around), -45 + 11 * np.sin(around)], 1)
    inside = np.linspace(np.pi, -np.pi, 8, endpoint=False)
    lips = np.stack([17 * np.cos(inside), -45 + 4 * np.sin(inside)], 1)
    flip = np.array([-1.0, 1.0])
    left_eye = (eye * flip)[[3, 2, 1, 0, 5, 4]]
    return np.concatenate([jaw, brow, (brow * flip)[::-1], bridge, base, eye, left_eye, mouth, lips])


def _landmark_ids(mean: Array, eyes: NDArray[np.bool_], mirror: NDArray[np.int64]) -> NDArray[np.int64]:
    """(68,) vertex ids, all different, symmetric under `mirror`."""
    wanted = _landmark_positions()
    ids = np.full(68, -1)
    free = ~eyes & (mean[:, 2] > 5)
    order = [*range(27, 68), *range(27)]
    for index in order:
        if ids[index] >= 0 or wanted[index, 0] > 1e-6:
            continue
        middle = abs(wanted[index, 0]) < 1e-6
        side = np.abs(mean[:, 0]) < 1e-6 if middle else mean[:, 0] < -1e-6
        distance = np.sum((mean[:, :2] - wanted[index]) ** 2, axis=1)
        found = int(np.argmin(np.where(free & side, distance, np.inf)))
        twin = int(np.argmin(np.sum((wanted - wanted[index] * [-1.0, 1.0]) ** 2, axis=1)))
        ids[index], ids[twin] = found, mirror[found]
        free[[found, mirror[found]]] = False
    return ids


def _identity_columns(mean: Array, eye_left: NDArray[np.int64], eye_right: NDArray[np.int64], count: int) -> Array:
    """(count, N, 3) smooth deformations, mostly symmetric, largest first; the eyeballs move rigidly."""
    rng = np.random.default_rng(1)
    place = mean / HALF_AXES
    columns = np.empty((count, len(mean), 3))
    for k in range(count):
        waves = rng.normal(scale=1.3, size=(3, 3))
        phases = rng.uniform(0, 2 * np.pi, size=3)
        field = np.sin(np.abs(place[:, :1]) * waves[0] + place[:, 1:2] * waves[1] + place[:, 2:] * waves[2] + phases)
        field[:, 0] *= place[:, 0]
        for eye in (eye_left, eye_right):
            field[eye] = field[eye].mean(axis=0)
        columns[k] = field * (4.0 / (1.0 + 0.3 * k)) / np.sqrt(np.mean(field**2))
    order = np.argsort(-np.sum(columns**2, axis=(1, 2)), kind="stable")
    return columns[order]


def _expression_columns(mean: Array, eyes: NDArray[np.bool_]) -> Array:
    """(52, N, 3) local bumps on the side that the ARKit name says; the eyeballs stay still but for eyeLook*."""
    columns = np.zeros((len(ARKIT_NAMES), len(mean), 3))
    for e, name in enumerate(ARKIT_NAMES):
        (x, y), move = next(value for key, value in _EXPRESSION_PLACES.items() if name.startswith(key))
        sides = (1,) if name.endswith("Left") else (-1,) if name.endswith("Right") else (1, -1)
        for side in sides:
            direction = np.array([side * move[0], move[1], move[2]]) * (1.0 + 0.05 * e)
            weight = _bump(mean, (side * x, y), 14.0)
            if name.startswith("eyeLook"):
                weight = np.where(eyes & (mean[:, 0] * side > 0), 0.3, 0.0)
            else:
                weight = np.where(eyes | (weight < 0.01), 0.0, weight)
            columns[e] += weight[:, None] * direction
    return columns


def _reflectance_columns(mean: Array, eyes: NDArray[np.bool_], count: int) -> Array:
    """(count, N, 3) linear RGB per standard deviation: tone first, then smooth colour changes; none on the eyeballs."""
    rng = np.random.default_rng(3)
    columns = np.empty((count, len(mean), 3))
    for j in range(count):
        tone = np.array([0.10, 0.07, 0.06]) if j == 0 else rng.normal(scale=0.05 / (1 + j), size=3)
        variation = np.ones(len(mean)) if j == 0 else np.sin(mean @ rng.normal(scale=0.02, size=3))
        columns[j] = np.where(eyes, 0.0, variation)[:, None] * tone
    return columns


def _bump(points: Array, centre: tuple[float, float], width: float) -> Array:
    """(N,) Gaussian in x, y on the front of the head."""
    distance = np.sum((points[:, :2] - centre) ** 2, axis=1)
    return np.where(points[:, 2] > 0, np.exp(-distance / (2 * width**2)), 0.0)


def _cube_sphere(cells: int, centre_density: float = 1.0) -> tuple[Array, NDArray[np.int64]]:
    """(6 cells^2 + 2, 3) unit vectors and (6 cells^2, 4) quads, counter-clockwise from outside, symmetric in x."""
    line = np.linspace(-1.0, 1.0, cells + 1)
    line = line * (1.0 / centre_density + (1.0 - 1.0 / centre_density) * line**2)
    u, v = np.meshgrid(line, line, indexing="ij")
    one = np.ones_like(u)
    sides = [(u, v, one), (u, v, -one), (one, u, v), (-one, u, v), (v, one, u), (v, -one, u)]
    points = np.concatenate([np.stack(side, -1).reshape(-1, 3) for side in sides])
    unique, index = np.unique(np.round(points, 9), axis=0, return_inverse=True)
    grid = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    quad = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], -1).reshape(-1, 4)
    quads = index.reshape(-1)[np.concatenate([quad + side * grid.size for side in range(6)])]
    unit: Array = unique / np.linalg.norm(unique, axis=1, keepdims=True)
    corner = unit[quads]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    inward = np.sum(normal * corner.mean(axis=1), axis=1) < 0
    quads[inward] = quads[inward][:, ::-1]
    return unit, quads


def _cylinder_uv(unit: Array) -> Array:
    """(N, 2): the face's middle at u = 0.5, the seam behind the head."""
    around = np.arctan2(unit[:, 0], unit[:, 2]) / (2 * np.pi) + 0.5
    return np.stack([around, 0.5 + np.arcsin(np.clip(unit[:, 1], -1, 1)) / np.pi], 1)


def _radial_uv(unit: Array) -> Array:
    """(N, 2): the pupil at (0.5, 0.5), the radius growing with the angle from the optical axis to 0.5 at the back."""
    angle = np.arccos(np.clip(unit[:, 2], -1, 1)) / np.pi * 0.5
    length = np.maximum(np.hypot(unit[:, 0], unit[:, 1]), 1e-12)
    uv: Array = 0.5 + angle[:, None] * unit[:, :2] / length[:, None]
    return uv
