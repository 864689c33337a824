from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.failures import Failure
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

from blender_addon import arkit, head, shape, sliders  # noqa: E402  needs bpy


@pytest.fixture
def made(scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Any:
    answer = Reconstruction.from_answer(make_answer(expression=np.linspace(0.0, 1.0, 52).tolist()), bundle)
    return head.create(bundle, answer, scene.collection)


def evaluated(thing: Any) -> np.ndarray:
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    positions = np.empty(3 * len(shown.vertices), np.float32)
    shown.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3)


def test_the_names_are_apples(made: Any, bundle: Bundle) -> None:
    assert len(arkit.NAMES) == len(set(arkit.NAMES)) == 52
    assert tuple(key.name for key in head.expression_keys(made)) == arkit.NAMES == bundle.expression_names
    assert all(arkit.twin(arkit.twin(name)) == name and arkit.twin(name) in arkit.NAMES for name in arkit.NAMES)
    grouped = [name for _, beginnings in arkit.GROUPS for name in arkit.NAMES if name.startswith(beginnings)]
    assert sorted(grouped) == sorted(arkit.NAMES), "every expression is in the panel once"
    base = np.array([point.co for point in made.data.shape_keys.key_blocks[0].points])
    for key in head.expression_keys(made):
        assert np.abs(np.array([point.co for point in key.points]) - base).max() > 1e-5, key.name


def test_what_is_written_is_read_and_seen(made: Any, bundle: Bundle) -> None:
    wanted = np.array([1.0, -2.0, 0.5, 0.0, 4.5, -12.0])
    shape.set_identity(made, wanted)
    shape.set_expression(made, np.zeros(52))
    np.testing.assert_allclose(shape.identity(made), [1.0, -2.0, 0.5, 0.0, 4.5, -10.0], atol=1e-6)
    keys = head.identity_keys(made)
    assert [key.slider_max for key in keys] == pytest.approx([3, 3, 3, 3, 4.5, 10]), "the range follows"
    expected = bundle.mean + np.tensordot(shape.identity(made), bundle.identity.astype(float), 1)
    np.testing.assert_allclose(shape.neutral(made), expected, atol=1e-3)
    np.testing.assert_allclose(head.from_blender(evaluated(made)), expected, atol=0.01)


def test_a_key_of_somebodys_own_is_left_alone(made: Any) -> None:
    own = made.shape_key_add(name="Scar", from_mix=False)
    own.slider_min, own.value = -1.0, 0.7
    shape.set_identity(made, np.ones(6))
    shape.set_expression(made, np.zeros(52))
    assert own.value == pytest.approx(0.7)
    assert len(shape.identity(made)) == 6 and len(shape.expression(made)) == 52


def test_back_to_the_photo(made: Any) -> None:
    identity, expression = shape.identity(made), shape.expression(made)
    np.testing.assert_allclose(shape.recovered_identity(made), identity, atol=1e-6)
    found = shape.recovered_expression(made)
    assert found is not None
    np.testing.assert_allclose(found, expression, atol=1e-6)


def test_mirroring_swaps_the_sides_of_the_head(made: Any, bundle: Bundle) -> None:
    before = evaluated(made)
    shape.mirror(made)
    expressions = dict(zip(arkit.NAMES, shape.expression(made), strict=True))
    assert expressions["jawLeft"] == pytest.approx(np.linspace(0, 1, 52)[arkit.NAMES.index("jawRight")])
    assert np.abs(evaluated(made) - before).max() > 1e-3
    shape.mirror(made)
    np.testing.assert_allclose(evaluated(made), before, atol=5e-4)
    shape.set_expression(made, np.zeros(52))
    neutral = shape.neutral(made)
    shape.mirror(made)
    flipped = (neutral * [-1.0, 1.0, 1.0])[bundle.mirror]
    error = np.linalg.norm(shape.neutral(made) - flipped, axis=1).mean()
    assert error < 0.25 * np.linalg.norm(neutral - bundle.mean, axis=1).mean(), "as near as the basis can"


def test_chance_is_repeatable_and_plausible(made: Any) -> None:
    one = shape.random_identity(made, 7, 1.0)
    np.testing.assert_array_equal(one, shape.random_identity(made, 7, 1.0))
    assert not np.array_equal(one, shape.random_identity(made, 8, 1.0))
    assert np.abs(shape.random_identity(made, 3, 3.0)).max() <= shape.PLAUSIBLE


def test_text_brings_the_face_to_another_head(made: Any, scene: Any, bundle: Bundle) -> None:
    other = head.create(
        bundle, Reconstruction("joint", "small", bundle.sha256, np.zeros(6, np.float32)), scene.collection
    )
    face = shape.face(made)
    shape.set_identity_of(other, face)
    shape.set_expression_of(other, face)
    np.testing.assert_allclose(evaluated(other), evaluated(made), atol=1e-6)
    before = shape.identity(other)
    with pytest.raises(Failure) as caught:
        shape.set_identity_of(other, replace(face, model="another"))
    assert caught.value.code == "text_differs"
    np.testing.assert_array_equal(shape.identity(other), before)


def test_a_named_slider_moves_its_own_reading_alone(made: Any) -> None:
    named = sliders.of(made)
    assert [(slider.name, slider.group) for slider in named] == [
        ("Age", "Person"), ("Nose Width", "Nose"), ("Nose Length", "Nose")
    ]  # fmt: skip
    before = [sliders.value(made, slider.index) for slider in named]
    sliders.set_value(made, 1, 2.5)
    after = [sliders.value(made, slider.index) for slider in named]
    assert after[1] == pytest.approx(2.5, abs=1e-4)
    assert [after[0], after[2]] == pytest.approx([before[0], before[2]], abs=1e-4)
    sliders.set_all(made, np.array([1.0, 0.0, -1.0]))
    assert [sliders.value(made, at) for at in range(3)] == pytest.approx([1.0, 0.0, -1.0], abs=1e-4)


def test_one_unit_of_a_slider_is_the_bundles_direction(made: Any, bundle: Bundle) -> None:
    before = shape.identity(made)
    sliders.set_value(made, 0, sliders.value(made, 0) + 1.0)
    np.testing.assert_allclose(shape.identity(made) - before, bundle.sliders[0], atol=1e-4)


def test_sliders_follow_keys_and_animation(made: Any) -> None:
    """Nothing of ours runs while an animation plays: the sliders read what the keys say."""
    scene = bpy.context.scene
    key = head.identity_keys(made)[0]
    for frame, value in ((1, 0.0), (11, 2.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    driven = head.expression_keys(made)[0].driver_add("value").driver
    driven.type, driven.expression = "SCRIPTED", "frame / 20"
    readings = []
    for frame in (1, 11):
        scene.frame_set(frame)
        readings.append(sliders.value(made, 0))
    assert key.value == pytest.approx(2.0)
    assert readings[0] != pytest.approx(readings[1], abs=1e-3)
    assert head.expression_keys(made)[0].value == pytest.approx(11 / 20)


def test_a_head_without_named_sliders(scene: Any, bundle: Bundle) -> None:
    plain = replace(bundle, sliders=bundle.sliders[:0], slider_names=(), slider_groups=())
    made = head.create(
        plain, Reconstruction("joint", "small", bundle.sha256, np.zeros(6, np.float32)), scene.collection
    )
    assert sliders.of(made) == () and not sliders.has(made, 0)
