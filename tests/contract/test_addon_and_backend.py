"""The add-on and the backend share no code: what they must agree on is asked of both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import backend
from backend import bundle as backend_bundle
from blender_addon import bundle as addon_bundle
from blender_addon import reconstruction as addon_reconstruction
from tests.bundles import write_small_bundle

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "docs" / "samples" / "eileen_collins.jpg"


KINDS = ({}, {"landmarks": False, "reflectance": 0}, {"expression": True, "illumination": True})


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    return write_small_bundle(tmp_path_factory.mktemp("bundle") / "small", **request.param)


def test_the_backends_failures_are_known_word_by_word() -> None:
    from backend.failures import TABLE
    from blender_addon.failures import SENTENCES
    from blender_addon.translations.backend import BACKEND_SENTENCES

    assert {code: entry.sentence for code, entry in TABLE.items()} == BACKEND_SENTENCES
    assert set(SENTENCES) & set(TABLE) == {"bundle_missing", "bundle_damaged", "bundle_schema", "cancelled"}


def test_the_protocol() -> None:
    assert addon_reconstruction.PROTOCOL == backend.PROTOCOL


def test_a_bundle_decodes_alike(folder: Path) -> None:
    ours, theirs = addon_bundle.load(folder), backend_bundle.open_bundle(folder)
    assert (ours.sha256, ours.name, ours.method) == (theirs.sha256, theirs.name, theirs.method)
    rng = np.random.default_rng(0)
    identity = rng.normal(size=len(ours.identity)).astype(np.float32)
    expression = rng.uniform(size=52).astype(np.float32)
    decoded = ours.mean + np.tensordot(identity, ours.identity, 1) + np.tensordot(expression, ours.expression, 1)
    np.testing.assert_allclose(theirs.vertices(identity, expression), decoded, atol=1e-3)
    np.testing.assert_allclose(theirs.landmarks(identity, expression), decoded[ours.landmarks68], atol=1e-3)


def test_an_answer_is_read_as_it_was_meant(folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    from backend.pipeline import Reconstructor

    meant = Reconstructor.open(folder).reconstruct(PHOTO.read_bytes(), texture=1024, detail=True)
    answer = json.loads(json.dumps(meant.to_json()))
    read = addon_reconstruction.Reconstruction.from_answer(answer, addon_bundle.load(folder))
    np.testing.assert_allclose(read.identity, meant.identity, rtol=1e-6)
    for name in ("reflectance", "expression", "illumination"):
        ours, theirs = getattr(read, name), getattr(meant, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert (read.pose is None) == (meant.rotation is None)
    assert (read.texture is None) == (meant.texture is None)
    assert (read.detail is None) == (meant.detail is None)
    if read.detail is not None and meant.detail is not None:
        assert read.detail.side == len(meant.detail.displacement)
    if read.pose is not None:
        assert read.pose.image_size == meant.image_size
        assert read.pose.focal == pytest.approx(meant.focal)
