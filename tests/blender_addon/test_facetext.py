from __future__ import annotations

import pytest

from blender_addon.facetext import Face
from blender_addon.failures import Failure

FACE = Face("ab12", {"identity000": -1.25, "identity001": 0.0}, {"jawOpen": 0.5, "tongueOut": 0.0})


def test_a_face_survives_its_text() -> None:
    text = FACE.to_text()
    assert "\n" not in text and "tongueOut" not in text
    again = Face.from_text(text)
    assert again.model == "ab12" and again.identity == FACE.identity and again.expression == {"jawOpen": 0.5}


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", '{"a": 1}', "1"])
def test_another_text_is_no_face(text: str) -> None:
    with pytest.raises(Failure) as caught:
        Face.from_text(text)
    assert caught.value.code == "text_none"


@pytest.mark.parametrize(
    "text",
    [
        FACE.to_text().replace('"likeness": 1', '"likeness": 2'),
        FACE.to_text().replace("-1.25", '"much"'),
        FACE.to_text().replace("-1.25", "NaN"),
        FACE.to_text().replace('"model"', '"other"'),
        '{"likeness": 1, "model": "x", "identity": [], "expression": {}}',
    ],
)
def test_a_damaged_face_is_told_from_none(text: str) -> None:
    with pytest.raises(Failure) as caught:
        Face.from_text(text)
    assert caught.value.code == "text_damaged"
