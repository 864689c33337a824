from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from training.subjects.props import SEGMENTS
from training.truth import check_passes, pack_truth, segment_colours, unpack_truth


def test_truth_comes_back_to_the_precision_that_is_promised() -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(300.0, 3000.0, (24, 32)).astype(np.float32)
    depth[0] = np.inf
    normals = rng.normal(size=(24, 32, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    truth = {
        "seg": rng.integers(0, len(SEGMENTS), (24, 32)).astype(np.uint8),
        "depth": depth,
        "normals": normals.astype(np.float32),
        "albedo": rng.uniform(0.0, 1.0, (24, 32, 3)).astype(np.float32),
        "uv": rng.uniform(0.0, 1.0, (24, 32, 2)).astype(np.float32),
    }
    read = unpack_truth(pack_truth(truth))
    assert list(read) == list(truth)
    np.testing.assert_array_equal(read["seg"], truth["seg"])
    assert np.isinf(read["depth"][0]).all()
    np.testing.assert_allclose(read["depth"][1:], depth[1:], atol=0.01)
    angles = np.degrees(np.linalg.norm(read["normals"] - normals, axis=-1))
    assert angles.max() < 0.15
    np.testing.assert_allclose(read["albedo"], truth["albedo"], rtol=0.006)
    np.testing.assert_allclose(read["uv"], truth["uv"], atol=1e-5)


def test_segments_show_their_colours_in_any_viewer() -> None:
    seg = np.arange(len(SEGMENTS), dtype=np.uint8)[None].repeat(3, 0)
    with Image.open(io.BytesIO(pack_truth({"seg": seg})["seg.png"])) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), segment_colours()[seg])


def test_only_what_was_asked_for_is_packed() -> None:
    packed = pack_truth({"depth": np.ones((2, 2), np.float32)})
    assert list(packed) == ["truth.npz"]
    assert list(unpack_truth(packed)) == ["depth"]
    assert unpack_truth({}) == {}


def test_an_engine_is_not_asked_for_what_it_cannot_give() -> None:
    check_passes("eevee", ("depth", "normals"))
    with pytest.raises(ValueError, match="EEVEE has no pass for seg, uv"):
        check_passes("eevee", ("seg", "depth", "uv"))
    with pytest.raises(ValueError, match="there are seg, depth"):
        check_passes("cycles", ("velocity",))
