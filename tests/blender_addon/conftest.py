from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon import bundle as bundles
from blender_addon.bundle import Bundle
from tests.bundles import write_small_bundle

Answer = dict[str, Any]


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    return write_small_bundle(tmp_path_factory.mktemp("bundle") / "small")


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return bundles.load(bundle_folder)


@pytest.fixture
def scene() -> Any:
    """An empty file's scene. Blender's data is the process's own, so every test begins with it."""
    bpy = pytest.importorskip("bpy")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def make_answer(bundle: Bundle) -> Callable[..., Answer]:
    """Answers as the backend gives them: the head of random coefficients, seen from the front at 900 mm."""

    def make(seed: int = 0, **changes: object) -> Answer:
        rng = np.random.default_rng(seed)
        identity = rng.normal(size=len(bundle.identity)).astype(np.float32)
        vertices = bundle.mean + np.tensordot(identity, bundle.identity, 1)
        rotation, translation, focal = np.diag([1.0, -1.0, -1.0]), np.array([15.0, -40.0, 900.0]), 700.0
        points = vertices[bundle.landmarks68] @ rotation.T + translation
        answer: Answer = {
            "protocol": 1,
            "method": "joint",
            "bundle": bundle.name,
            "bundle_sha256": bundle.sha256,
            "identity": identity.tolist(),
            "reflectance": rng.normal(size=len(bundle.reflectance)).tolist(),
            "rotation": rotation.tolist(),
            "translation": translation.tolist(),
            "focal": focal,
            "image_size": [640, 480],
            "landmarks68_2d": (focal * points[:, :2] / points[:, 2:] + [320, 240]).tolist(),
            "face_box": [240.0, 160.0, 160.0, 200.0],
        }
        return answer | changes

    return make
