"""The training scene: built once in Blender, then only what differs between subjects is changed for each frame."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.camera import SENSOR_MM, Camera
from training.render import looks
from training.render.axes import TO_BLENDER, to_blender
from training.render.props import PropRoom, add_mesh
from training.render.world import TrainingWorld, blender_worlds
from training.subjects.figure import Figure
from training.subjects.photo_skin import PhotoSkin
from training.subjects.subject import SubjectParams
from training.template import MATERIALS, Template

Floats = NDArray[np.float32]


class RenderFailed(RuntimeError):
    """Blender finished a frame without leaving a picture; the message names the sample."""


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


@dataclass(frozen=True)
class SceneOptions:
    """How pictures are made: size px, samples per pixel (denoised), threads (0: all cores).

    worlds are HDRI files (none: Blender's own), photos the photographic skins that subjects may name.
    """

    resolution: int
    samples: int = 6
    threads: int = 1
    worlds: tuple[Path, ...] = ()
    photos: tuple[PhotoSkin, ...] = ()


class TrainingScene:
    """One head with eyes, brows, lashes and its props, under HDRIs and lamps.

    template gives the topology; what differs between subjects comes with :meth:`set_subject`.
    """

    def __init__(self, template: Template, options: SceneOptions) -> None:
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self.template = template
        self.scene = bpy.context.scene
        self._settings(options)
        self.looks = looks.HeadLooks(template, options.photos)
        self.head = self._add_head()
        self.props = PropRoom(self.scene)
        self.world = TrainingWorld(self.scene, options.worlds or blender_worlds())
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.sensor_width = SENSOR_MM
        self.camera.data.clip_start = 0.01
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera

    def _settings(self, options: SceneOptions) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        cycles.device = "CPU"
        cycles.samples = options.samples
        cycles.use_adaptive_sampling = False
        # Slower than none for a world and two lamps.
        cycles.use_light_tree = False
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
        cycles.transparent_max_bounces = 6
        cycles.caustics_reflective = cycles.caustics_refractive = False
        self.scene.cycles_curves.shape = "RIBBONS"
        self.scene.cycles_curves.subdivisions = 2
        render.use_persistent_data = True
        render.threads_mode = "FIXED" if options.threads else "AUTO"
        render.threads = max(options.threads, 1)
        render.resolution_x = render.resolution_y = options.resolution
        render.resolution_percentage = 100
        render.image_settings.file_format = "JPEG"
        render.image_settings.quality = 95
        self.scene.view_settings.use_white_balance = True

    def _add_head(self) -> bpy.types.Mesh:
        template = self.template
        mesh = add_mesh("head", template.mean, template.quads)
        for name in MATERIALS:
            mesh.materials.append(self.looks.materials[name])
        mesh.polygons.foreach_set("material_index", template.material.astype(np.int32))
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", template.uv.ravel())
        mesh.color_attributes.new("albedo", "FLOAT_COLOR", "POINT")
        mesh.update(calc_edges=True)
        self.scene.collection.objects.link(bpy.data.objects.new("head", mesh))
        self._brows = np.flatnonzero(template.region("brows")).reshape(-1, 4)
        return mesh

    def set_subject(self, subject: SubjectParams, figure: Figure) -> NDArray[np.float32]:
        """Changes the scene to a subject; returns its illumination (9,3), see :mod:`training.illumination`."""
        points = figure.vertices.copy()
        points[self._brows] = points[self._brows[:, :1]]  # brows are props here: the template's own fold to points
        self.head.vertices.foreach_set("co", to_blender(points).ravel())
        colour = np.concatenate([figure.albedo, self.looks.oil[:, None]], axis=1)
        self.head.color_attributes["albedo"].data.foreach_set("color", colour.astype(np.float32).ravel())
        self.head.update()
        self.looks.set(subject)
        self.props.show(figure.props)
        self._set_camera(figure.camera, subject.view.aperture)
        self._set_response(subject)
        towards = -figure.camera.rotation[2]  # from the head to the camera
        ahead = towards + np.array([0.0, 0.0, 0.6])
        albedo = float((figure.albedo[self.looks.face] @ [0.2126, 0.7152, 0.0722]).mean())
        return self.world.set(subject.light, ahead / np.linalg.norm(ahead), albedo, 2.0**subject.view.exposure)

    def _set_response(self, subject: SubjectParams) -> None:
        view = self.scene.view_settings
        view.view_transform = subject.view.transform
        view.white_balance_temperature = 6500.0 * float(np.exp(0.06 * subject.view.warmth))

    def _set_camera(self, camera: Camera, aperture: float) -> None:
        from mathutils import Matrix

        axes = np.eye(4)
        # Blender's camera looks along -z with y up; ours looks along z with y down.
        axes[:3, :3] = TO_BLENDER @ camera.rotation.T @ np.diag([1.0, -1.0, -1.0])
        axes[:3, 3] = to_blender(-camera.rotation.T @ camera.translation)
        self.camera.matrix_world = Matrix(axes.tolist())
        self.camera.data.lens = camera.focal / camera.size * SENSOR_MM
        field = self.camera.data.dof
        field.use_dof = aperture > 0.0
        if field.use_dof:
            field.focus_distance = camera.translation[2] / 1000.0 - 0.08  # the eyes
            # The picture is a crop: its sensor is that of the lens it was cropped from.
            field.aperture_fstop = 2.0 * aperture * max(1.0, self.camera.data.lens / 85.0)

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
