from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from backend.localise import Localiser
from tests.bundles import write_small_bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle that tests only read."""
    return write_small_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def localiser() -> Localiser:
    return Localiser.open()


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """NASA's portrait of Eileen Collins, public domain, 512 x 512: the face's middle is near (223, 120)."""
    return (ROOT / "docs" / "samples" / "eileen_collins.jpg").read_bytes()
