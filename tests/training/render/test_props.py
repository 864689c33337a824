from __future__ import annotations

import numpy as np
import pytest

from training.subjects.props import CurveProp, MeshProp, Surface

pytest.importorskip("bpy")


def _plate(name: str, height: float, surface: Surface | None = None) -> MeshProp:
    points = np.array([[-10, height, 0], [10, height, 0], [10, height, 10], [-10, height, 10]], np.float32)
    return MeshProp(name, "glasses", points, np.array([[0, 1, 2, 3]], np.int32), (surface or Surface(),))


def _strands(count: int, colour: tuple[float, float, float] = (0.1, 0.1, 0.1)) -> CurveProp:
    points = np.random.default_rng(0).normal(0.0, 50.0, (count, 6, 3)).astype(np.float32)
    return CurveProp("hair", points, np.full((count, 6), 0.3, np.float32), Surface("hair", colour))


def _shown() -> list[str]:
    import bpy

    return sorted(item.name for item in bpy.context.scene.objects if not item.hide_render)


def test_props_are_shown_moved_and_hidden_without_new_objects() -> None:
    import bpy

    from training.render.props import PropRoom

    bpy.ops.wm.read_factory_settings(use_empty=True)
    room = PropRoom(bpy.context.scene)
    room.show((_plate("glasses", 5.0), _strands(20)))
    assert _shown() == ["glasses", "strands 0"]
    made = len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.materials), len(bpy.data.hair_curves)
    room.show((_strands(50, (0.5, 0.2, 0.1)),))
    assert _shown() == ["strands 0"]
    assert len(bpy.data.hair_curves[0].curves) == 50
    room.show((_plate("glasses", 9.0),))
    assert _shown() == ["glasses"]
    assert np.isclose(bpy.data.objects["glasses"].data.vertices[0].co.z, 0.009)
    assert made == (len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.materials), len(bpy.data.hair_curves))


def test_a_pass_index_tells_what_a_prop_is() -> None:
    import bpy

    from training.render.props import PropRoom
    from training.subjects.props import SEGMENTS

    bpy.ops.wm.read_factory_settings(use_empty=True)
    PropRoom(bpy.context.scene).show((_plate("lens", 5.0, Surface("glass", opacity=0.2)), _strands(3)))
    assert SEGMENTS[bpy.data.objects["lens"].pass_index] == "glasses"
    assert SEGMENTS[bpy.data.objects["strands 0"].pass_index] == "hair"
    assert SEGMENTS[bpy.data.objects["lens"].data.materials[0].pass_index] == "glasses"


def test_two_props_of_one_name_are_refused() -> None:
    import bpy

    from training.render.props import PropRoom

    bpy.ops.wm.read_factory_settings(use_empty=True)
    with pytest.raises(ValueError, match="glasses"):
        PropRoom(bpy.context.scene).show((_plate("glasses", 5.0), _plate("glasses", 6.0)))
