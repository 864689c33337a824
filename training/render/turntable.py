"""One thing before a camera that goes round it: a scene for pictures by the thousand, small, lit, on nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from PIL import Image

from training.render.engine import NoPicture, quiet

Floats = NDArray[np.floating]

# A 50 mm lens on a 36 mm sensor, far enough away that a thing of size 1 fits whatever its shape.
_DISTANCE = 3.2
_SENSOR = 36.0


@dataclass(frozen=True)
class View:
    """Where the camera stands and how it is lit: degrees.

    azimuth counts from the thing's left (+x, 0) by its front (-y, 90) to its right (180). The key light stands
    `key_turn` to the right of the camera and `key_height` above the horizon; `ambient` is the share of light from all
    sides; `roll` turns the picture.
    """

    azimuth: float
    elevation: float = 20.0
    key_turn: float = -35.0
    key_height: float = 45.0
    ambient: float = 0.4
    roll: float = 0.0


class Turntable:
    """The scene; build one in a process and change what stands in it."""

    def __init__(self, resolution: int, samples: int = 8, threads: int = 1) -> None:
        with quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.resolution = resolution
        _configure(self.scene, resolution, samples, threads)
        self.mesh: bpy.types.Mesh | None = None
        self.item: bpy.types.Object | None = None
        self.material = _material()
        self.camera = self._link(bpy.data.objects.new("camera", bpy.data.cameras.new("camera")))
        self.camera.data.sensor_width = _SENSOR
        self.scene.camera = self.camera
        self.key = self._link(bpy.data.objects.new("key", bpy.data.lights.new("key", "SUN")))
        self.key.data.angle = 0.3
        self.scene.world = bpy.data.worlds.new("world")
        self.scene.world.use_nodes = True
        self.background = self.scene.world.node_tree.nodes["Background"]

    def _link(self, item: bpy.types.Object) -> bpy.types.Object:
        self.scene.collection.objects.link(item)
        return item

    def show(self, points: Floats, faces: NDArray[np.integer], colours: Floats, smooth_below: float = 180.0) -> None:
        """Puts a mesh there in place of the last one: points (V,3) in units in which it is about 1 large.

        faces (F,3) or (F,4), -1 pads triangles; colours (V,3) or (3,) linear RGB; edges whose faces meet at less than
        `smooth_below` degrees are shaded smoothly.
        """
        if self.mesh is not None and self.item is not None:
            bpy.data.objects.remove(self.item)
            bpy.data.meshes.remove(self.mesh)
        used = faces >= 0
        sides = used.sum(1)
        self.mesh = mesh = bpy.data.meshes.new("thing")
        mesh.vertices.add(len(points))
        mesh.loops.add(int(sides.sum()))
        mesh.polygons.add(len(faces))
        mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
        mesh.loops.foreach_set("vertex_index", faces[used].astype(np.int32))
        mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(sides)[:-1]]).astype(np.int32))
        colour = np.ones((len(points), 4), np.float32)
        colour[:, :3] = colours
        mesh.color_attributes.new("colour", "FLOAT_COLOR", "POINT").data.foreach_set("color", colour.ravel())
        mesh.materials.append(self.material)
        mesh.update(calc_edges=True)
        mesh.shade_smooth()
        if smooth_below < 180.0:
            mesh.set_sharp_from_angle(angle=float(np.radians(smooth_below)))
        self.item = self._link(bpy.data.objects.new("thing", mesh))

    def move(self, points: Floats, colours: Floats) -> None:
        """Gives the mesh that is shown other points (V,3) and colours (V,3): quicker than `show`."""
        assert self.mesh is not None
        colour = np.ones((len(points), 4), np.float32)
        colour[:, :3] = colours
        self.mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
        self.mesh.color_attributes["colour"].data.foreach_set("color", colour.ravel())
        self.mesh.update()

    def picture(self, view: View, framed: Floats, scale: float, path: Path) -> NDArray[np.uint8]:
        """RGBA (S,S,4), straight alpha, of the view; `path` is a scratch ``.png``.

        The picture is the square around the points `framed` (P,3), `scale` times as large as their box. Raises
        :class:`training.render.engine.NoPicture` when Blender leaves none.
        """
        self._aim(view, framed, scale)
        path.unlink(missing_ok=True)
        self.scene.render.filepath = str(path)
        with quiet():
            bpy.ops.render.render(write_still=True)
        try:
            with Image.open(path) as image:
                return np.asarray(image.convert("RGBA"))
        except OSError as error:
            raise NoPicture(f"Blender left no picture ({error}): is the disk full? Then run again.") from error

    def _aim(self, view: View, framed: Floats, scale: float) -> None:
        middle = (framed.min(0) + framed.max(0)) / 2
        towards = _direction(view.azimuth, view.elevation)
        axes = _axes(towards, view.roll)
        place = middle + _DISTANCE * towards
        seen = (framed - place) @ axes  # camera axes: x right, y up, z backwards
        flat = seen[:, :2] / -seen[:, 2:]
        low, high = flat.min(0), flat.max(0)
        side = scale * float((high - low).max())
        camera = self.camera.data
        camera.lens = _SENSOR / side
        camera.shift_x, camera.shift_y = ((low + high) / 2 / side).tolist()
        self.camera.matrix_world = _placed(axes, place)
        back = _direction(view.azimuth + view.key_turn, view.key_height)
        self.key.matrix_world = _placed(_axes(back, 0.0), back)
        self.key.data.energy = 5.0 * (1.0 - view.ambient)
        self.background.inputs["Strength"].default_value = 1.2 * view.ambient


def _direction(azimuth: float, elevation: float) -> NDArray[np.float64]:
    turn, height = np.radians(azimuth), np.radians(elevation)
    return np.array([np.cos(height) * np.cos(turn), -np.cos(height) * np.sin(turn), np.sin(height)])


def _axes(back: NDArray[np.float64], roll: float) -> NDArray[np.float64]:
    """Right, up and back (3,3) as columns."""
    right = np.cross([0.0, 0.0, 1.0], back)
    right = right / np.linalg.norm(right)
    up = np.cross(back, right)
    cosine, sine = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.stack([cosine * right + sine * up, cosine * up - sine * right, back], axis=1)


def _placed(axes: NDArray[np.float64], place: NDArray[np.float64]) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, place
    return Matrix(matrix.tolist())


def _material() -> bpy.types.Material:
    material = bpy.data.materials.new("thing")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    colour = nodes.new("ShaderNodeVertexColor")
    colour.layer_name = "colour"
    shader = nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.6
    links.new(colour.outputs["Color"], shader.inputs["Base Color"])
    return material


def _configure(scene: bpy.types.Scene, resolution: int, samples: int, threads: int) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.use_persistent_data = True
    render.use_compositing = render.use_sequencer = False
    render.threads_mode = "FIXED" if threads else "AUTO"
    render.threads = max(threads, 1)
    render.resolution_x = render.resolution_y = resolution
    render.film_transparent = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
