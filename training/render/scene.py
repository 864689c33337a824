"""The training scene: built once in Blender, then only what differs between subjects is changed for each frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.camera import SENSOR_MM, Camera
from training.render import looks
from training.render.axes import TO_BLENDER, to_blender
from training.render.engine import Frame, configure, quiet, render_frame
from training.render.passes import ScenePasses
from training.render.props import PropRoom, add_mesh
from training.render.world import TrainingWorld, blender_worlds
from training.subjects.figure import Figure
from training.subjects.photo_skin import PhotoSkin
from training.subjects.subject import SubjectParams
from training.template import MATERIALS, Template

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SceneOptions:
    """How pictures are made: size px, samples per pixel (denoised), threads (0: all cores).

    worlds are HDRI files (none: Blender's own), photos the photographic skins that subjects may name; engine one of
    :data:`training.render.engine.ENGINES`, passes some of :data:`training.truth.PASSES`.
    """

    resolution: int
    samples: int = 6
    threads: int = 1
    worlds: tuple[Path, ...] = ()
    photos: tuple[PhotoSkin, ...] = ()
    engine: str = "cycles"
    passes: tuple[str, ...] = ()


class TrainingScene:
    """One head with eyes, brows, lashes and its props, under HDRIs and lamps.

    template gives the topology; what differs between subjects comes with :meth:`set_subject`.
    """

    def __init__(self, template: Template, options: SceneOptions) -> None:
        with quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self.template = template
        self.scene = bpy.context.scene
        self.denoised = configure(self.scene, options.engine, options.resolution, options.samples, options.threads)
        self.scene.view_settings.use_white_balance = True
        self.passes = ScenePasses(self.scene, template, options.engine, options.passes)
        self.looks = looks.HeadLooks(template, options.photos, options.resolution)
        self.head = self._add_head()
        self.props = PropRoom(self.scene)
        self.world = TrainingWorld(self.scene, options.worlds or blender_worlds())
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.sensor_width = SENSOR_MM
        self.camera.data.clip_start = 0.01
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera

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
        colour = np.concatenate([figure.paint, self.looks.oil[:, None]], axis=1)
        self.head.color_attributes["albedo"].data.foreach_set("color", colour.astype(np.float32).ravel())
        self.head.update()
        self.looks.set(subject)
        self.props.show(figure.props)
        self._set_camera(figure.camera, subject.view.aperture)
        self._set_response(subject)
        towards = -figure.camera.rotation[2]  # from the head to the camera
        ahead = towards + np.array([0.0, 0.0, 0.6])
        albedo = float((figure.reflectance[self.looks.face] @ [0.2126, 0.7152, 0.0722]).mean())
        return self.world.set(subject.light, ahead / np.linalg.norm(ahead), albedo, 2.0**subject.view.exposure)

    def _set_response(self, subject: SubjectParams) -> None:
        view = self.scene.view_settings
        view.view_transform = subject.view.transform
        # In steps that one does not see: Blender keeps a table of 2 MB for every white balance it was ever set to.
        view.white_balance_temperature = 6500.0 * float(np.exp(0.06 * np.round(4.0 * subject.view.warmth) / 4.0))

    def _set_camera(self, camera: Camera, aperture: float) -> None:
        from mathutils import Matrix

        axes = np.eye(4)
        # Blender's camera looks along -z with y up; ours looks along z with y down.
        axes[:3, :3] = TO_BLENDER @ camera.rotation.T @ np.diag([1.0, -1.0, -1.0])
        axes[:3, 3] = to_blender(-camera.rotation.T @ camera.translation)
        self.camera.matrix_world = Matrix(axes.tolist())
        self.camera.data.lens = camera.focal / camera.size * SENSOR_MM
        field = self.camera.data.dof
        # Passes tell what is behind each pixel's centre; an open lens has no one point there.
        field.use_dof = aperture > 0.0 and not self.passes.wanted
        if field.use_dof:
            field.focus_distance = camera.translation[2] / 1000.0 - 0.08  # the eyes
            # The picture is a crop: its sensor is that of the lens it was cropped from.
            field.aperture_fstop = 2.0 * aperture * max(1.0, self.camera.data.lens / 85.0)

    def frame(self, path: Path) -> Frame:
        """Renders; ``path`` is a scratch ``.jpg``. Raises a :class:`training.render.engine.RenderFailed`."""
        return render_frame(self.scene, path)

    def render(self, path: Path) -> bytes:
        """Renders like :meth:`frame` and returns the JPEG's bytes alone."""
        return self.frame(path).picture
