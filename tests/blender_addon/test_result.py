from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blender_addon.bundle import Bundle
from blender_addon.reconstruction import Reconstruction, of_one_person

bpy = pytest.importorskip("bpy")

from blender_addon import camera, confidence, head, illumination, material, result  # noqa: E402  needs bpy
from blender_addon.result import Options, Shot  # noqa: E402

MakeAnswer = Callable[..., dict[str, Any]]
KINDS = ("objects", "collections", "meshes", "materials", "node_groups", "shape_keys", "images", "cameras", "lights")


@pytest.fixture
def answer(bundle: Bundle, make_answer: MakeAnswer) -> Reconstruction:
    return Reconstruction.from_answer(make_answer(), bundle)


def contents() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in (*KINDS, "worlds")}


def add(scene: Any, bundle: Bundle, *answers: Reconstruction, **options: Any) -> result.Result:
    image = bpy.data.images.new("photo", 64, 48)
    shots = [Shot(answer, f"photo {number}.jpg", lambda: image) for number, answer in enumerate(answers, 1)]
    return result.add(scene, scene.collection, bundle, shots, Options(**options))


def test_one_collection_holds_all_of_it(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    made = add(scene, bundle, answer, lights="STUDIO")
    assert [child.name for child in scene.collection.children] == ["photo 1"]
    assert set(made.collection.objects) == set(bpy.data.objects)
    assert {thing.parent for thing in made.collection.objects} == {None, made.head}
    assert sum(thing.type == "LIGHT" for thing in made.collection.objects) == 3


def test_the_photos_camera_sees_the_face_where_the_photo_has_it(
    scene: Any, bundle: Bundle, make_answer: MakeAnswer
) -> None:
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    told = make_answer()
    answer = Reconstruction.from_answer(told, bundle)
    image = bpy.data.images.new("photo", 64, 48)
    place = Vector((2.0, 3.0, 4.0))
    shot = Shot(answer, "me.jpg", lambda: image)
    made = result.add(scene, scene.collection, bundle, [shot], location=place)
    (view,) = made.cameras
    assert scene.camera == view and view.data.background_images[0].image == image
    scene.render.resolution_x, scene.render.resolution_y = 640, 480
    bpy.context.view_layer.update()
    shape = made.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    seen = [
        world_to_camera_view(scene, view, made.head.matrix_world @ shape.vertices[vertex].co)
        for vertex in bundle.landmarks68
    ]
    pixels = np.array([(point.x * 640, (1.0 - point.y) * 480) for point in seen])
    assert np.abs(pixels - told["landmarks68_2d"]).max() < 0.1


def test_a_camera_that_is_there_stays_the_scenes(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    own = bpy.data.objects.new("Own", bpy.data.cameras.new("Own"))
    scene.collection.objects.link(own)
    scene.camera = own
    add(scene, bundle, answer)
    assert scene.camera == own


def test_what_is_not_wanted_is_not_there(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    made = add(scene, bundle, answer, camera=False, subdivision=False)
    assert list(made.collection.objects) == [made.head]
    assert not made.head.modifiers and scene.world is None and made.cameras == ()


def test_the_viewport_shows_the_mesh_itself(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    made = add(scene, bundle, answer)
    (modifier,) = made.head.modifiers
    assert not modifier.show_viewport and not modifier.show_in_editmode and modifier.show_render
    shown = made.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert len(shown.vertices) == len(bundle.mean)


def test_several_photos_of_one_person(scene: Any, bundle: Bundle, make_answer: MakeAnswer) -> None:
    smile = np.eye(52)[list(bundle.expression_names).index("mouthSmileLeft")]
    answers = [
        Reconstruction.from_answer(make_answer(seed, expression=(smile * seed).tolist()), bundle) for seed in (0, 1)
    ]
    together = of_one_person(answers)
    np.testing.assert_allclose(together[0].identity, (answers[0].identity + answers[1].identity) / 2, rtol=1e-6)
    made = add(scene, bundle, *together)
    assert [view[head.PHOTO] for view in made.cameras] == ["photo 1.jpg", "photo 2.jpg"]
    assert camera.of_photos(made.head) == list(made.cameras)
    assert [max(view[head.EXPRESSION]) for view in made.cameras] == [0.0, 1.0]


def test_the_surer_photo_of_a_person_counts_more(bundle: Bundle, make_answer: MakeAnswer) -> None:
    known = [
        Reconstruction.from_answer(make_answer(seed, uncertainty=[sigma] * len(bundle.mean)), bundle)
        for seed, sigma in ((0, 1.0), (1, 2.0))
    ]
    together = of_one_person(known)
    expected = (4 * known[0].identity + known[1].identity) / 5
    np.testing.assert_allclose(together[0].identity, expected, rtol=1e-5, atol=1e-6)
    unknown = Reconstruction.from_answer(make_answer(2), bundle)
    mean = (known[0].identity + unknown.identity) / 2
    np.testing.assert_allclose(of_one_person([known[0], unknown])[0].identity, mean, rtol=1e-5, atol=1e-6)


def test_an_error_leaves_nothing_behind(
    scene: Any, bundle: Bundle, answer: Reconstruction, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents()

    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(result, "_light", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        result.add(scene, scene.collection, bundle, [Shot(answer)], Options(lights="STUDIO"))
    assert contents() == before and scene.camera is None


def test_uncertainty_becomes_a_group_colours_and_words(scene: Any, bundle: Bundle, answer: Reconstruction) -> None:
    millimetres = np.linspace(0.0, 2 * confidence.FULL_MM, len(bundle.mean)).astype(np.float32)
    made = add(scene, bundle, replace(answer, uncertainty=millimetres)).head
    group = made.vertex_groups[confidence.GROUP]
    weights = [group.weight(vertex) for vertex in (0, len(bundle.mean) // 4, len(bundle.mean) - 1)]
    assert weights == pytest.approx([0.0, 0.5, 1.0], abs=0.01)
    colours = made.data.color_attributes[confidence.COLOURS].data
    assert colours[0].color[2] > colours[0].color[0] and colours[len(colours) - 1].color[0] > 0.5
    assert made.data.color_attributes.active_color.name == material.REFLECTANCE
    vague = replace(answer, uncertainty=np.full(len(bundle.mean), 100.0, np.float32))
    sure = replace(answer, uncertainty=np.full(len(bundle.mean), 0.1, np.float32))
    scores = [confidence.personalisation(bundle, one) for one in (vague, sure)]
    assert scores[0] is not None and scores[1] is not None
    assert confidence.words(scores[0]).startswith("Hardly") and confidence.words(scores[1]).startswith("Clearly")
    assert confidence.personalisation(bundle, answer) is None


def test_a_head_that_is_only_larger_is_nobody_in_particular(bundle: Bundle, answer: Reconstruction) -> None:
    grown = np.zeros_like(bundle.identity)
    grown[0] = 0.02 * bundle.mean
    coefficients = np.eye(len(grown), dtype=np.float32)[0]
    larger = replace(answer, identity=coefficients, uncertainty=np.ones(len(bundle.mean), np.float32))
    score = confidence.personalisation(replace(bundle, identity=grown), larger)
    assert score == pytest.approx(0.0, abs=1e-3)


def test_light_comes_from_where_the_harmonics_say(scene: Any) -> None:
    towards_left = np.zeros((9, 3))
    towards_left[0], towards_left[3] = 1.0, 1.0  # x of head space is the subject's left, Blender's x
    world = illumination.add(scene, towards_left)
    assert scene.world == world
    (node,) = [one for one in world.node_tree.nodes if one.type == "TEX_ENVIRONMENT"]
    width, height = node.image.size
    pixels = np.empty(4 * width * height, np.float32)
    node.image.pixels.foreach_get(pixels)
    directions = illumination.directions(width, height)
    values = pixels.reshape(height, width, 4)[..., 0]
    brightest = directions[np.unravel_index(values.argmax(), values.shape)]
    assert brightest[0] > 0.95
    assert values.min() >= 0.0


@pytest.mark.slow
def test_a_ball_under_the_light_is_as_bright_as_the_harmonics_say(scene: Any) -> None:
    """Ramamoorthi and Hanrahan's irradiance, rendered by Cycles: the picture is not mirrored, turned or scaled."""
    rng = np.random.default_rng(0)
    coefficients = np.concatenate([[[4.0] * 3], rng.normal(0.0, 0.5, (8, 3))])
    illumination.add(scene, coefficients)
    mesh = bpy.data.meshes.new("Wall")
    mesh.from_pydata([(-9, 0, -9), (9, 0, -9), (9, 0, 9), (-9, 0, 9)], [], [(0, 1, 2, 3)])
    wall = bpy.data.objects.new("Wall", mesh)
    scene.collection.objects.link(wall)
    view = bpy.data.objects.new("View", bpy.data.cameras.new("View"))
    view.location, view.rotation_euler = (0.0, -2.0, 0.0), (np.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(view)
    scene.camera = view
    scene.render.engine, scene.cycles.device, scene.cycles.samples = "CYCLES", "CPU", 64
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "OPEN_EXR"
    import tempfile
    from pathlib import Path

    bands = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "wall.exr")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.array(image.pixels[:]).reshape(-1, 4)[:, :3].mean(axis=0)
    normal = np.array([0.0, -1.0, 0.0])  # of the wall, Blender's axes
    x, z, y = normal[0], -normal[1], normal[2]
    harmonics = illumination.CONSTANTS * [1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    wanted = (harmonics * bands) @ coefficients / np.pi * 0.8
    np.testing.assert_allclose(pixels, wanted, rtol=0.06)
