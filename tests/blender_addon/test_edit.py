"""The operators on a head, as a script or a click calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.facetext import Face
from blender_addon.reconstruction import Reconstruction

bpy = pytest.importorskip("bpy")

import blender_addon  # noqa: E402  its register needs bpy
from blender_addon import head, result, shape  # noqa: E402
from blender_addon.result import Options, Shot  # noqa: E402


@pytest.fixture
def made(scene: Any, bundle: Bundle, make_answer: Callable[..., dict[str, Any]]) -> Iterator[Any]:
    """An active head with two photos and the expressions of both."""
    smiles = [np.eye(52)[list(bundle.expression_names).index(name)] for name in ("jawOpen", "mouthSmileLeft")]
    answers = [Reconstruction.from_answer(make_answer(0, expression=smile.tolist()), bundle) for smile in smiles]
    blender_addon.register()
    done = result.add(
        scene, scene.collection, bundle, [Shot(one, f"{at}.jpg") for at, one in enumerate(answers)], Options()
    )
    bpy.context.view_layer.objects.active = done.head
    yield done
    blender_addon.unregister()


def failure(operator: Any, **options: Any) -> str:
    with pytest.raises(RuntimeError) as caught:
        operator(**options)
    return str(caught.value)


def test_the_slider_properties_are_the_sliders(made: Any) -> None:
    made.head.likeness.slider_01 = 2.0
    assert made.head.likeness.slider_01 == pytest.approx(2.0, abs=1e-4)
    assert not made.head.likeness.bl_rna.properties["slider_01"].is_animatable
    assert made.head.likeness.slider_40 == 0.0 == made.cameras[0].likeness.slider_00
    made.head.likeness.slider_40 = 1.0  # of which there is none: nothing happens


def test_back_to_photo_average_and_neutral(made: Any) -> None:
    recovered, smile = shape.identity(made.head), shape.expression(made.head)
    assert bpy.ops.likeness.reset(to="MEAN") == {"FINISHED"}
    assert not shape.identity(made.head).any() and shape.expression(made.head).any()
    bpy.ops.likeness.reset(to="PHOTO")
    np.testing.assert_allclose(shape.identity(made.head), recovered, atol=1e-6)
    bpy.ops.likeness.reset(to="NEUTRAL")
    assert not shape.expression(made.head).any()
    bpy.ops.likeness.reset(to="PHOTO_EXPRESSION")
    np.testing.assert_allclose(shape.expression(made.head), smile, atol=1e-6)


def test_randomise_keeps_its_seed(made: Any) -> None:
    smile = shape.expression(made.head)
    bpy.ops.likeness.randomise(seed=41)
    one = shape.identity(made.head)
    assert bpy.context.scene.likeness.seed == 41
    bpy.ops.likeness.randomise(seed=42)
    assert not np.allclose(shape.identity(made.head), one)
    bpy.ops.likeness.randomise(seed=41)
    np.testing.assert_array_equal(shape.identity(made.head), one)
    np.testing.assert_array_equal(shape.expression(made.head), smile)


def test_paste(made: Any) -> None:
    face = shape.face(made.head)
    bpy.ops.likeness.reset(to="MEAN")
    assert bpy.ops.likeness.paste_face(text=face.to_text()) == {"FINISHED"}
    np.testing.assert_allclose(shape.identity(made.head), list(face.identity.values()), atol=1e-4)
    before = shape.identity(made.head)
    assert "clipboard holds no face" in failure(bpy.ops.likeness.paste_face, text="hello")
    assert "made with the model" in failure(bpy.ops.likeness.paste_face, text=Face("other").to_text())
    np.testing.assert_array_equal(shape.identity(made.head), before)


def test_keyframes_lie_on_the_shape_keys(made: Any) -> None:
    bpy.context.scene.frame_set(5)
    bpy.ops.likeness.key_face(part="EXPRESSION")
    bpy.ops.likeness.key_face(part="IDENTITY")
    animation = made.head.data.shape_keys.animation_data
    curves = [
        curve
        for layer in animation.action.layers
        for strip in layer.strips
        for curve in strip.channelbag(animation.action_slot).fcurves
    ]
    assert len(curves) == 52 + 6
    assert 'key_blocks["jawOpen"].value' in {curve.data_path for curve in curves}


def test_view_as_photo_brings_camera_size_and_expression(made: Any) -> None:
    scene = bpy.context.scene
    second = made.cameras[1]
    assert bpy.ops.likeness.view_photo(camera=second.name) == {"FINISHED"}
    assert scene.camera == second
    assert (scene.render.resolution_x, scene.render.resolution_y) == (640, 480)
    keys = made.head.data.shape_keys.key_blocks
    assert (keys["mouthSmileLeft"].value, keys["jawOpen"].value) == (1.0, 0.0)


def test_the_heads_camera_stands_for_the_head(made: Any) -> None:
    bpy.context.view_layer.objects.active = made.cameras[0]
    bpy.ops.likeness.reset(to="MEAN")
    assert not shape.identity(made.head).any()


def test_without_a_head_the_buttons_say_why_they_are_grey(made: Any) -> None:
    bpy.context.view_layer.objects.active = None
    for name in ("reset", "mirror", "randomise", "copy_face", "view_photo", "export_copy", "mark_asset"):
        assert "Select a head made by Likeness" in failure(getattr(bpy.ops.likeness, name)), name


def test_presets_are_files_of_blenders_own_system(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("face", "expression"):
        (tmp_path / "presets" / "likeness" / kind).mkdir(parents=True)
    monkeypatch.setattr(bpy.utils, "user_resource", lambda *_, path="", create=False: str(tmp_path / path))
    recovered, smile = shape.identity(made.head), shape.expression(made.head)
    for kind in ("face", "expression"):
        assert getattr(bpy.ops.likeness, f"add_{kind}_preset")(name="Mine") == {"FINISHED"}
    bpy.ops.likeness.reset(to="MEAN")
    bpy.ops.likeness.reset(to="NEUTRAL")
    for kind in ("face", "expression"):
        (file,) = (tmp_path / "presets" / "likeness" / kind).glob("*.py")
        assert bpy.ops.likeness.apply_preset(filepath=str(file)) == {"FINISHED"}
    np.testing.assert_allclose(shape.identity(made.head), recovered, atol=1e-4)
    np.testing.assert_allclose(shape.expression(made.head), smile, atol=1e-4)


def test_a_preset_is_read_and_never_run(made: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert "holds no face" in failure(bpy.ops.likeness.apply_preset, filepath=str(bad))
    bad.write_text("(")
    assert "not a whole face" in failure(bpy.ops.likeness.apply_preset, filepath=str(bad))
    assert not (tmp_path / "ran").exists()


def test_the_presets_that_come_along_can_be_applied(made: Any) -> None:
    folder = Path(blender_addon.__file__).parent / "presets" / "likeness" / "expression"
    files = sorted(folder.glob("*.py"))
    assert len(files) >= 6
    assert str(folder) in bpy.utils.preset_paths("likeness/expression")
    for file in files:
        assert bpy.ops.likeness.apply_preset(filepath=str(file)) == {"FINISHED"}
        assert shape.expression(made.head).any(), file.name


def test_an_asset_says_what_it_is(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(made.head), "asset_generate_preview", lambda self: None, raising=False)
    assert bpy.ops.likeness.mark_asset() == {"FINISHED"}
    described = made.head.asset_data
    assert {tag.name for tag in described.tags} == {"Likeness", "ARKit"}
    assert "GPL-3.0" in described.license


def test_diagnostics_name_versions_and_hide_paths(made: Any) -> None:
    bpy.context.window_manager.likeness.last_error = "The photo /home/somebody/secret/me.jpg is not on disk any more."
    from blender_addon import diagnostics
    from blender_addon.operators.upkeep import facts

    text = diagnostics.report(facts(bpy.context))
    assert bpy.app.version_string in text and "Backend: not running" in text
    assert "somebody" not in text and ".../me.jpg" in text
    assert bpy.ops.likeness.copy_diagnostics() == {"FINISHED"}


def test_head_properties_are_plain(made: Any) -> None:
    assert made.head[head.METHOD] == "joint"
    assert len(made.head[head.SLIDERS]) == 18
