from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.bundle import open_bundle
from backend.closeup import Closeup
from backend.detail import RANGE_MM, SIDE, Detail, SkinDetail, wanted_share
from backend.failures import Failure
from backend.pipeline import Reconstructor
from backend.texture import View


@pytest.fixture(scope="module")
def view() -> View:
    return View(np.full((300, 300, 3), 0.4, np.float32), np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 700.0]), 500.0)


@pytest.fixture
def detail(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Detail:
    """Of the small bundle, with a network that sees waves everywhere."""
    made = Detail.of(open_bundle(bundle_folder))
    assert made is not None

    def waves(look: Closeup) -> Any:
        return (0.5 * np.sin(np.arange(look.present.shape[1]) / 4.0) * look.share).astype(np.float32)

    monkeypatch.setattr(made, "heights", waves)
    return made


def made_of(detail: Detail, view: View, **more: Any) -> SkinDetail:
    bundle = detail._bundle
    found = detail.detail(view, bundle.mean, np.full((len(bundle.mean), 3), 0.5), side=256, **more)
    assert found is not None
    return found


def test_relief_is_on_the_face_and_nowhere_else(detail: Detail, view: View) -> None:
    made = made_of(detail, view)
    assert made.displacement.shape == (256, 256) and made.normals.shape == (256, 256, 3)
    np.testing.assert_allclose(np.linalg.norm(made.normals, axis=2), 1.0, atol=1e-5)
    bent = np.abs(made.normals[..., :2]).max(2) > 0.01
    assert 0.001 < bent.mean() < 0.5
    assert 0.3 < np.abs(made.displacement).max() <= 0.51
    assert (made.normals[..., 2] > 0).all()


def test_what_is_not_trusted_stays_flat(detail: Detail, view: View) -> None:
    hidden = made_of(detail, view, trust=np.zeros((512, 512), np.float32))
    assert not hidden.displacement.any() and (hidden.normals[..., 2] == 1.0).all()
    seen = made_of(detail, view, trust=np.ones((512, 512), np.float32))
    np.testing.assert_allclose(seen.normals, made_of(detail, view).normals, atol=1e-6)


def test_no_relief_no_tilt(detail: Detail, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "heights", lambda look: np.zeros(look.present.shape, np.float32))
    made = made_of(detail, view)
    assert not made.displacement.any() and (made.normals[..., 2] == 1.0).all()


def test_it_ends_softly_beside_lips_and_border() -> None:
    mean = np.stack([np.arange(0.0, 60.0), np.zeros(60), np.zeros(60)], 1)
    face, lips = np.arange(60) < 50, np.arange(60) < 10
    share = wanted_share(mean, {"face": face, "lips": lips, "skin": np.ones(60, bool)})
    assert not share[:12].any() and not share[48:].any()
    assert (share[17:43] == 1.0).all()
    assert (np.diff(share[10:20]) >= 0).all() and (np.diff(share[40:]) <= 0).all()


def test_files_hold_sixteen_bits(detail: Detail, view: View) -> None:
    made = made_of(detail, view)
    answer = made.to_json()
    assert answer["side"] == 256 and answer["range_mm"] == RANGE_MM
    with Image.open(BytesIO(base64.b64decode(answer["displacement"]))) as image:
        back = (np.asarray(image).astype(float) / 65535 - 0.5) * RANGE_MM
    np.testing.assert_allclose(back, made.displacement, atol=RANGE_MM / 65535)


def test_a_missing_network_is_a_sentence(bundle_folder: Path, view: View, tmp_path: Path) -> None:
    made = Detail.of(open_bundle(bundle_folder), tmp_path / "detail.onnx")
    assert made is not None
    with pytest.raises(Failure) as failure:
        made.detail(view, made._bundle.mean, np.full((len(made._bundle.mean), 3), 0.5))
    assert failure.value.code == "detail_missing" and "detail.onnx" in str(failure.value)


def test_an_answer_has_it_where_it_is_asked_for(bundle_folder: Path, portrait: bytes) -> None:
    reconstructor = Reconstructor.open(bundle_folder)
    assert reconstructor.reconstruct(portrait, texture=1024).detail is None
    answer = reconstructor.reconstruct(portrait, detail=True)
    assert answer.texture is None and answer.detail is not None
    assert answer.detail.displacement.shape == (SIDE, SIDE)
    assert answer.seconds["detail"] > 0 and "detail" in answer.to_json()
