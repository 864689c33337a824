"""The training scene: built once in Blender, then only what differs between subjects is changed for each frame."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.camera import SENSOR_MM, Camera
from training.hair import HairShell, shoulders
from training.render import materials
from training.subjects.subject import SubjectParams
from training.template import MATERIALS, Template

Floats = NDArray[np.float32]

# Head space (mm, y up, z out of the face) to Blender's world (m, z up, -y out of the face).
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


class RenderFailed(RuntimeError):
    """Blender finished a frame without leaving a picture; the message names the sample."""


def to_blender(points: NDArray[np.floating]) -> Floats:
    """Head-space points (...,3) mm -> Blender's world, m."""
    return (np.asarray(points) @ _AXES.T / 1000.0).astype(np.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    """Sends what Blender prints per frame (from C, so by file descriptor) nowhere."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def _choices(settings: bpy.types.PropertyGroup, name: str) -> list[str]:
    """Values an enumeration takes in this build; Blender tells a dynamic one's only in the error it raises."""
    try:
        setattr(settings, name, "")
    except TypeError as error:
        return re.findall(r"'([A-Z_]+)'", str(error))
    return []


class TrainingScene:
    """One head with eyes, brows, lashes, hair and shoulders under an HDRI and a key light.

    resolution px; samples per pixel (denoised); threads 0 for all cores.
    """

    def __init__(self, template: Template, resolution: int, samples: int = 12, threads: int = 1) -> None:
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self.template = template
        self.scene = bpy.context.scene
        self._settings(resolution, samples, threads)
        self.materials = {
            "skin": materials.skin(),
            "eye": materials.eye(),
            "mouth": materials.plain("mouth", (0.35, 0.10, 0.09), 0.35),
            "teeth": materials.plain("teeth", (0.70, 0.64, 0.52), 0.20),
            "brow": materials.plain("brow", (0.02, 0.015, 0.01), 0.55),
            "lash": materials.plain("lash", (0.008, 0.006, 0.005), 0.55),
        }
        self.head = self._add_mesh("head", template.mean, template.quads, [self.materials[name] for name in MATERIALS])
        self.head.polygons.foreach_set("material_index", template.material.astype(np.int32))
        layer = self.head.uv_layers.new(name="UVMap")
        layer.data.foreach_set("uv", template.uv.ravel())
        self.head.color_attributes.new("albedo", "FLOAT_COLOR", "POINT")
        self.shell = HairShell.of(template)
        self.hair_material = materials.hair()
        self.hair = self._add_mesh("hair", np.zeros((self.shell.count, 3)), self.shell.quads, [self.hair_material])
        self.clothes_material = materials.plain("clothes", (0.3, 0.3, 0.3), 0.85)
        torso, torso_quads = shoulders()
        self._add_mesh("shoulders", torso, torso_quads, [self.clothes_material])
        self._strand_keep = np.random.default_rng(7).random(len(template.mean))
        self._add_camera_and_light()
        self._add_world()

    def _settings(self, resolution: int, samples: int, threads: int) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        cycles.device = "CPU"
        cycles.samples = samples
        cycles.use_adaptive_sampling = False
        # Some builds of Blender (Debian's) come without the denoiser: their pictures stay noisy, and say so.
        self.denoised = "OPENIMAGEDENOISE" in _choices(cycles, "denoiser")
        cycles.use_denoising = self.denoised
        if self.denoised:
            cycles.denoiser = "OPENIMAGEDENOISE"
            # The feature passes of a few samples are clean enough; prefiltering them doubles the denoiser's time.
            cycles.denoising_prefilter = "NONE"
            cycles.denoising_quality = "FAST"
        cycles.max_bounces = 3
        cycles.diffuse_bounces = 2
        cycles.glossy_bounces = 1
        cycles.caustics_reflective = cycles.caustics_refractive = False
        render.use_persistent_data = True
        render.threads_mode = "FIXED" if threads else "AUTO"
        render.threads = max(threads, 1)
        render.resolution_x = render.resolution_y = resolution
        render.resolution_percentage = 100
        render.image_settings.file_format = "JPEG"
        render.image_settings.quality = 95
        # The factory default is AgX; synthetic photos want the plain sRGB curve.
        self.scene.view_settings.view_transform = "Standard"

    def _add_mesh(
        self, name: str, points: NDArray[np.floating], quads: NDArray[np.integer], used: list[bpy.types.Material]
    ) -> bpy.types.Mesh:
        mesh = bpy.data.meshes.new(name)
        mesh.vertices.add(len(points))
        mesh.loops.add(quads.size)
        mesh.polygons.add(len(quads))
        mesh.vertices.foreach_set("co", to_blender(points).ravel())
        mesh.loops.foreach_set("vertex_index", quads.astype(np.int32).ravel())
        mesh.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
        mesh.polygons.foreach_set("use_smooth", np.ones(len(quads), bool))
        for material in used:
            mesh.materials.append(material)
        mesh.update(calc_edges=True)
        self.scene.collection.objects.link(bpy.data.objects.new(name, mesh))
        return mesh

    def _add_camera_and_light(self) -> None:
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.sensor_width = SENSOR_MM
        self.camera.data.clip_start = 0.01
        self.key = bpy.data.objects.new("key", bpy.data.lights.new("key", "AREA"))
        self.key.data.size = 0.5
        for item in (self.camera, self.key):
            self.scene.collection.objects.link(item)
        self.scene.camera = self.camera

    def _add_world(self) -> None:
        folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world"
        if not folder.is_dir():
            folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights/world"
        files = sorted(folder.glob("*.exr"))
        if not files:
            raise FileNotFoundError(f"Blender's own HDRIs are missing from {folder}: reinstall Blender or bpy.")
        self.worlds = [bpy.data.images.load(str(file)) for file in files]
        world = bpy.data.worlds.new("world")
        world.use_nodes = True
        # A small importance map, set by hand: building a full one costs 0.7 s whenever the world turns.
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = 64
        tree = world.node_tree
        self.background = tree.nodes["Background"]
        place, self.turn = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
        self.environment = tree.nodes.new("ShaderNodeTexEnvironment")
        self.tint = tree.nodes.new("ShaderNodeMix")
        self.tint.data_type, self.tint.blend_type = "RGBA", "MULTIPLY"
        self.tint.inputs["Factor"].default_value = 1.0
        tree.links.new(place.outputs["Generated"], self.turn.inputs["Vector"])
        tree.links.new(self.turn.outputs["Vector"], self.environment.inputs["Vector"])
        tree.links.new(self.environment.outputs["Color"], self.tint.inputs["A"])
        tree.links.new(self.tint.outputs["Result"], self.background.inputs["Color"])
        self.scene.world = world

    def set_subject(self, subject: SubjectParams, vertices: Floats, albedo: Floats, camera: Camera) -> None:
        """Changes the scene to a subject: vertices (N,3) mm with expression, albedo (N,3) linear RGB, its camera."""
        points = self._thinned_brows(vertices, subject.hair.brows)
        self.head.vertices.foreach_set("co", to_blender(points).ravel())
        colour = np.concatenate([albedo, np.ones((len(albedo), 1), np.float32)], axis=1)
        self.head.color_attributes["albedo"].data.foreach_set("color", colour.astype(np.float32).ravel())
        self.head.update()
        hair = self.shell.vertices(vertices, subject.hair.thickness, subject.hair.length, subject.hair.noise)
        self.hair.vertices.foreach_set("co", to_blender(hair).ravel())
        self.hair.update()
        self._set_looks(subject)
        self._set_light(subject)
        self._set_camera(camera)

    def _thinned_brows(self, vertices: Floats, share: float) -> Floats:
        points = vertices.copy()
        brows = np.flatnonzero(self.template.region("brows")).reshape(-1, 4)
        hidden = brows[self._strand_keep[brows[:, 0]] > share]
        points[hidden] = points[hidden[:, :1]]
        return points

    def _set_looks(self, subject: SubjectParams) -> None:
        skin = self.materials["skin"].node_tree.nodes
        shift = subject.hair.noise
        skin["offset"].inputs["Location"].default_value = (shift, -shift, 0.5 * shift)
        skin["mottle"].inputs["To Min"].default_value = 1.0 - 2.0 * subject.skin.mottle
        skin["mottle"].inputs["To Max"].default_value = 1.0 + 2.0 * subject.skin.mottle
        skin["Principled BSDF"].inputs["Roughness"].default_value = subject.skin.roughness
        self.materials["eye"].node_tree.nodes["iris"].outputs[0].default_value = (*subject.iris, 1.0)
        brow = tuple(0.7 * channel for channel in subject.hair.colour)
        for material, colour in ((self.materials["brow"], brow), (self.clothes_material, subject.clothes)):
            material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour, 1.0)
        self.hair_material.node_tree.nodes["colour"].outputs[0].default_value = (*subject.hair.colour, 1.0)

    def _set_light(self, subject: SubjectParams) -> None:
        light = subject.light
        image = self.worlds[light.world % len(self.worlds)]
        if self.environment.image != image:
            self.environment.image = image
        self.turn.inputs["Rotation"].default_value = (0.0, 0.0, np.radians(light.turn))
        self.tint.inputs["B"].default_value = (*light.tint, 1.0)
        self.background.inputs["Strength"].default_value = light.strength
        azimuth, height = np.radians(light.key_azimuth), np.radians(light.key_height)
        towards = np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)])
        self._aim(self.key, 900.0 * towards, np.zeros(3))
        self.key.data.energy = light.key

    def _aim(self, item: bpy.types.Object, place: NDArray[np.floating], target: NDArray[np.floating]) -> None:
        from mathutils import Matrix

        back = place - target
        back = back / np.linalg.norm(back)
        right = np.cross([0.0, 1.0, 0.0], back)
        right = right / np.linalg.norm(right)
        axes = np.eye(4)
        axes[:3, :3] = _AXES @ np.stack([right, np.cross(back, right), back], axis=1)
        axes[:3, 3] = to_blender(place)
        item.matrix_world = Matrix(axes.tolist())

    def _set_camera(self, camera: Camera) -> None:
        from mathutils import Matrix

        axes = np.eye(4)
        # Blender's camera looks along -z with y up; ours looks along z with y down.
        axes[:3, :3] = _AXES @ camera.rotation.T @ np.diag([1.0, -1.0, -1.0])
        axes[:3, 3] = to_blender(-camera.rotation.T @ camera.translation)
        self.camera.matrix_world = Matrix(axes.tolist())
        self.camera.data.lens = camera.focal / camera.size * SENSOR_MM

    def render(self, path: Path) -> bytes:
        """Renders to ``path`` (a scratch file) and returns the JPEG's bytes.

        Raises :class:`RenderFailed` when Blender leaves no picture or a black one.
        """
        path.unlink(missing_ok=True)
        self.scene.render.filepath = str(path)
        with _quiet():
            bpy.ops.render.render(write_still=True)
        if not path.exists() or path.stat().st_size < 400:
            raise RenderFailed("Blender finished without a picture: check the disk's free space and Blender's log.")
        return path.read_bytes()
