from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from blender_addon.reconstruction import Reconstruction


def test_what_is_not_estimated_is_none(bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> None:
    full = make_answer()
    needed = ("protocol", "method", "bundle", "bundle_sha256", "identity")
    least = Reconstruction.from_answer({name: full[name] for name in needed}, bundle)
    assert least.reflectance is least.expression is least.pose is least.landmarks is least.face_box is None
    np.testing.assert_allclose(least.identity, full["identity"])


def test_the_pose_is_read(bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> None:
    pose = Reconstruction.from_answer(make_answer(), bundle).pose
    assert pose is not None
    assert (pose.focal, pose.image_size) == (700.0, (640, 480))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"protocol": 2}, "protocol"),
        ({"bundle_sha256": "0" * 64}, "bundle_differs"),
        ({"identity": [1.0]}, "backend_answer"),
        ({"identity": [float("nan")] * 6}, "backend_answer"),
        ({"identity": None}, "backend_answer"),
        ({"rotation": [1, 2, 3]}, "backend_answer"),
        ({"reflectance": "red"}, "backend_answer"),
        ({"texture": {"side": 8, "albedo": "no base64!", "origin": ""}}, "backend_answer"),
        ({"texture": {"side": 8, "albedo": "aGVsbG8=", "origin": "aGVsbG8="}}, "backend_answer"),
    ],
)
def test_an_answer_that_cannot_be_used(
    bundle: Bundle, make_answer: Callable[..., dict[str, Any]], changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Failure) as caught:
        Reconstruction.from_answer(make_answer(**changes), bundle)
    assert caught.value.code == code
