"""A dataset folder in the shards' format with simply drawn faces, for tests of training and export."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.bundles import ARKIT_NAMES, small_head
from training.camera import frame, rotation_from_angles

IDENTITIES = 6
REGIONS = ("face", "skin", "eyes", "brows", "nose", "lips", "ears", "scalp", "neck")
MATERIALS = ("skin", "eye")
_PARTS = ((slice(17, 22), False), (slice(22, 27), False), (slice(27, 31), False), (slice(31, 36), False))
_OUTLINES = ((slice(36, 42), True), (slice(42, 48), True), (slice(48, 60), True))


def toy_template() -> dict[str, NDArray]:
    """The arrays of `template.npz`: the small head of the other tests."""
    head = small_head(identity=IDENTITIES, reflectance=2)
    template = {k: v for k, v in head.items() if k not in ("identity", "reflectance", "reflectance_mean")}
    # A few of the dense landmarks have no partner on the other side.
    template["landmarks_dense"] = head["landmarks_dense"][::7]
    names = {"expression_names": ARKIT_NAMES, "material_names": MATERIALS, "region_names": REGIONS}
    return template | {name: np.array(value) for name, value in names.items()}


def write_toy_faces(
    folder: Path, count: int = 24, per_shard: int = 16, size: int = 48, seed: int = 0, acting: bool = True
) -> Path:
    """Writes `count` faces, with expressions if `acting`, into `folder`, which is returned.

    Face i depends on (seed, i) alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    template = toy_template()
    head = small_head(identity=IDENTITIES, reflectance=2)
    np.savez(folder / "template.npz", **template)
    info = {"schema": 1, "seed": seed, "count": count, "resolution": size, "per_shard": per_shard, "samples": 1}
    (folder / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    for start in range(0, count, per_shard):
        with tarfile.open(folder / f"shard-{start // per_shard:06d}.tar", "w") as archive:
            for index in range(start, min(start + per_shard, count)):
                for ending, content in _sample(head, template, size, seed, index, acting).items():
                    member = tarfile.TarInfo(f"{index:08d}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return folder


def _sample(
    head: dict[str, NDArray], template: dict[str, NDArray], size: int, seed: int, index: int, acting: bool
) -> dict[str, bytes]:
    rng = np.random.default_rng([seed, index])
    vertices = head["mean"] + np.tensordot(rng.normal(size=IDENTITIES), head["identity"], 1)
    albedo = head["reflectance_mean"] + np.tensordot(rng.normal(size=2) * 0.3, head["reflectance"], 1)
    yaw = float(rng.uniform(-60, 60) if index % 4 == 0 else rng.uniform(-20, 20))
    rotation = rotation_from_angles(yaw, float(rng.normal(0, 4)), float(rng.normal(0, 4)))
    drawn = np.random.default_rng([seed, index, 1])
    expression = drawn.uniform(0, 1, len(head["expression"])) * (drawn.random(len(head["expression"])) < 0.1)
    expression *= acting
    acted = vertices + np.tensordot(expression, head["expression"], 1)
    landmarks = acted[template["landmarks68"]]
    camera = frame(landmarks, rotation, float(rng.uniform(500, 1500)), size, 0.6, rng.normal(0, 0.02, 2))
    points = camera.project(landmarks)
    colours = rng.uniform(0, 255, (2, 3)).astype(int)
    image = Image.new("RGB", (size, size), tuple(colours[0]))
    draw = ImageDraw.Draw(image)
    skin = tuple(int(n) for n in 255 * np.clip(albedo.mean(0), 0, 1))
    draw.polygon([tuple(p) for p in np.concatenate([points[:17], points[26:16:-1]])], fill=skin)
    for part, _ in _PARTS:
        draw.line([tuple(p) for p in points[part]], fill=(30, 20, 10), width=1)
    for part, _ in _OUTLINES:
        draw.polygon([tuple(p) for p in points[part]], fill=(240, 240, 240) if part.start < 48 else (150, 40, 40))
    picture, arrays = io.BytesIO(), io.BytesIO()
    image.save(picture, "PNG")
    np.savez(
        arrays,
        vertices=vertices.astype(np.float32),
        reflectance_vertices=albedo.astype(np.float16),
        landmarks68=points.astype(np.float32),
        landmarks_dense=camera.project(acted[template["landmarks_dense"]]).astype(np.float32),
        rotation=camera.rotation.astype(np.float32),
        translation=camera.translation.astype(np.float32),
        focal=np.float32(camera.focal),
        expression=expression.astype(np.float32),
        illumination=drawn.normal(1, 0.3, (9, 3)).astype(np.float32),
    )
    traits = {"age": 40.0, "female": 0.2, "african": 0.2, "asian": 0.1, "caucasian": 0.7}
    record = {"seed": seed, "index": index, "yaw": yaw, "skin": {"melanin": 0.3}, "beard": {"style": "none"}}
    record |= {"identity": {"population": "toys", "coefficients": [0.1], "traits": traits}, "glasses": None}
    return {"png": picture.getvalue(), "json": json.dumps(record).encode(), "npz": arrays.getvalue()}
