"""``likeness render-detail``: faces with fine relief that is known, for the network that finds it in photos.

likeness render-detail --output DATA/detail/train --count 300 --seed 1 --face-only
likeness render-detail --output DATA/detail/test --count 48 --seed 1001 --samples 8
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.detail.faces import DetailFace, face_path, write_face
from training.progress import Progress

_MARGIN = 8  # pixels around the face


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``likeness render-detail``."""
    parser.add_argument("--output", type=Path, required=True, help="folder of the faces; run again to go on with it")
    parser.add_argument("--count", type=int, default=300, help="number of faces, each of another person")
    parser.add_argument("--seed", type=int, default=1, help="sets with different seeds share no person")
    parser.add_argument("--resolution", type=int, default=512, help="width and height in pixels")
    parser.add_argument("--samples", type=int, default=4, help="samples per pixel, denoised")
    parser.add_argument("--deep", action="store_true", help="lines at least a quarter of a millimetre deep")
    parser.add_argument("--face-only", action="store_true", help="render the face's rectangle alone: twice as fast")
    parser.add_argument(
        "--population", action="append", default=[], metavar="FILE[:WEIGHT]",
        help="population file, or anny for the one made from it; repeat to mix several (default: anny)",
    )  # fmt: skip
    parser.add_argument("--hdris", type=Path, metavar="FOLDER", help="light from these .exr and .hdr files")
    parser.add_argument("--assets", type=Path, metavar="FOLDER", help="MakeHuman's assets: skins, hair")


def run(args: argparse.Namespace) -> int:
    """Renders what is missing; 0 when all faces are there, 1 when some failed, 2 on wrong use."""
    from training.detail.faces import DetailDataError, open_folder
    from training.populations.files import ANNY, found
    from training.render.engine import DiskFull, RenderFailed

    try:
        specs = tuple(found(spec, args.output) for spec in args.population or (ANNY,))
        settings = {name: getattr(args, name) for name in ("seed", "resolution", "samples", "deep", "face_only")}
        open_folder(args.output, settings | {"populations": [Path(spec).name for spec in specs]})
        missing = [index for index in range(args.count) if not face_path(args.output, index).exists()]
        if not missing:
            return 0
        maker = DetailMaker(specs, args)
    except (DetailDataError, ValueError, OSError) as error:
        sys.stderr.write(f"likeness render-detail: {error}\n")
        return 2
    failed = 0
    try:
        with Progress("render", args.count, args.count - len(missing)) as progress:
            for index in missing:
                try:
                    write_face(face_path(args.output, index), maker.make(index))
                except DiskFull as error:
                    sys.stderr.write(f"likeness render-detail: {error}\n")
                    return 1
                except RenderFailed as error:
                    failed += 1
                    sys.stderr.write(f"likeness render-detail: face {index} failed: {error}\n")
                progress.advance()
    finally:
        maker.close()
    return 1 if failed else 0


class DetailMaker:
    """Makes the faces of a set one by one; each depends on (seed, index) alone. Blender has one scene: make one."""

    def __init__(self, populations: tuple[str, ...], args: argparse.Namespace) -> None:
        from training.detail.fine import FineMesh
        from training.detail.relief import ReliefArtist
        from training.populations.files import load_populations
        from training.render.worker import SampleMaker
        from training.shards import DatasetInfo

        population = load_populations(populations)
        info = DatasetInfo(
            seed=args.seed, count=args.count, per_shard=args.count, resolution=args.resolution, samples=args.samples,
            engine="cycles", passes=("seg", "normals"), populations={}, digests={},
        )  # fmt: skip
        self._face_only = bool(args.face_only)
        self._makes = SampleMaker(population, info, 1, args.hdris, args.assets)
        # Old photographic skins are photographs of wrinkles, whose relief nobody knows.
        young = tuple(name for name in self._makes.stock.skins if "young" in name)
        self._makes.stock = replace(self._makes.stock, skins=young)
        self._template = population.template
        self._fine = FineMesh(population.template)
        self._artist = ReliefArtist(population.template, bool(args.deep))
        self._face = population.template.region("face")
        self._prepare()
        self._scratch = tempfile.TemporaryDirectory(prefix="likeness-")

    def _prepare(self) -> None:
        """Takes the coarse face out of the head's mesh and puts the fine one in its place."""
        import bmesh  # type: ignore[import-not-found]
        import bpy

        from training.render.materials import node
        from training.render.passes import TRUTH
        from training.render.props import add_mesh

        scene = self._makes.scene
        edited = bmesh.new()
        edited.from_mesh(scene.head)
        edited.faces.ensure_lookup_table()
        gone = [edited.faces[int(number)] for number in np.flatnonzero(self._fine.covered)]
        bmesh.ops.delete(edited, geom=gone, context="FACES_ONLY")
        edited.to_mesh(scene.head)
        edited.free()
        # What is left would bend its normals at the gap.
        scene.head.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        points = self._fine.interpolate(self._template.mean)
        mesh = add_mesh("fine face", points.astype(np.float32), self._fine.quads)
        mesh.materials.append(scene.looks.materials["skin"])
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", self._fine.uv.ravel())
        mesh.color_attributes.new("albedo", "FLOAT_COLOR", "POINT")
        mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        mesh.update(calc_edges=True)
        scene.scene.collection.objects.link(bpy.data.objects.new("fine face", mesh))
        self._mesh = mesh
        self._oil = self._fine.interpolate(scene.looks.oil[:, None])
        # The layer that tells normals has no pores: a texel is larger than they are.
        skin = scene.looks.materials["skin"]
        truth = node(skin, "ShaderNodeAttribute", attribute_type="VIEW_LAYER", attribute_name=TRUTH)
        shown = node(skin, "ShaderNodeMath", operation="SUBTRACT")
        shown.inputs[0].default_value = 1.0
        strength = node(skin, "ShaderNodeMath", "pore strength", operation="MULTIPLY")
        skin.node_tree.links.new(truth.outputs["Fac"], shown.inputs[1])
        skin.node_tree.links.new(shown.outputs["Value"], strength.inputs[0])
        skin.node_tree.links.new(strength.outputs["Value"], skin.node_tree.nodes["pores"].inputs["Strength"])
        cycles = scene.scene.cycles
        if scene.denoised:
            # With guides that are filtered first the denoiser wipes relief away; skin's guides have no noise.
            cycles.denoising_prefilter, cycles.denoising_quality = "NONE", "HIGH"
        cycles.max_bounces, cycles.diffuse_bounces = 2, 1
        picture = scene.scene.view_layers[0]
        picture.use_pass_normal = True
        self._picture = picture.name

    def close(self) -> None:
        """Removes the scratch files."""
        self._scratch.cleanup()
        self._makes.close()

    def make(self, index: int) -> DetailFace:
        """Face number ``index``. Raises a :class:`training.render.engine.RenderFailed` when it comes out wrong."""
        from backend.raster import vertex_normals
        from training.render.axes import TO_BLENDER, to_blender

        makes, fine = self._makes, self._fine
        rng = np.random.default_rng([makes.info.seed, index, 6])
        subject = makes.draw(index)
        yaw, pitch = (
            float(np.clip(rng.normal(0.0, 18.0), -40.0, 40.0)),
            float(np.clip(rng.normal(0.0, 9.0), -22.0, 22.0)),
        )
        # Nothing in front of the skin but hair: what is behind glasses and hands is for other stages to leave out.
        subject = replace(
            subject, glasses=None, headwear=None, occluder=None, view=replace(subject.view, yaw=yaw, pitch=pitch)
        )
        figure = makes.build(subject)
        relief = self._artist.draw(rng)
        makes.show(subject, figure)
        skin = makes.scene.looks.materials["skin"].node_tree.nodes
        skin["pore strength"].inputs[1].default_value = 0.5 * subject.skin.pores
        normals = vertex_normals(figure.vertices, self._template.triangles)
        _set(makes.scene.head, "custom_normal", normals @ TO_BLENDER.T)
        makes.scene.head.update()
        raised = fine.raised(figure.vertices, relief)
        self._mesh.vertices.foreach_set("co", to_blender(raised.points).ravel())
        _set(self._mesh, "custom_normal", raised.normals @ TO_BLENDER.T)
        colour = np.concatenate([fine.interpolate(figure.paint) * raised.tint, self._oil], 1)
        self._mesh.color_attributes["albedo"].data.foreach_set("color", colour.astype(np.float32).ravel())
        self._mesh.update()
        offset = self._crop(figure.camera.project(figure.vertices[self._face]), makes.info.resolution)
        frame = makes.scene.frame(Path(self._scratch.name) / "frame.jpg")
        truth = makes.scene.passes.read(frame.channels, figure.camera)
        world = np.stack([frame.channels[f"{self._picture}.Normal.{axis}"] for axis in "XYZ"], -1)
        seen = world @ (figure.camera.rotation @ TO_BLENDER.T).T
        length = np.linalg.norm(seen, axis=-1, keepdims=True)
        return DetailFace(
            picture=frame.picture,
            offset=offset,
            size=makes.info.resolution,
            seg=truth["seg"],
            normals=truth["normals"],
            with_pores=np.where(length > 0.3, seen / np.maximum(length, 1e-9), 0.0).astype(np.float32),
            vertices=figure.vertices,
            albedo=figure.reflectance,
            rotation=figure.camera.rotation,
            translation=figure.camera.translation,
            focal=figure.camera.focal,
            kind=relief.kind,
            parameters=subject.to_json(),
        )

    def _crop(self, face: NDArray[np.floating], size: int) -> tuple[int, int]:
        """Renders the face's rectangle alone, where that is wanted; returns its corner (x, y) px."""
        if not self._face_only:
            return 0, 0
        low = np.maximum(np.floor(face.min(0)).astype(int) - _MARGIN, 0)
        high = np.minimum(np.ceil(face.max(0)).astype(int) + _MARGIN, size)
        render = self._makes.scene.scene.render
        render.use_border = render.use_crop_to_border = True
        # A little inside the pixels' borders, so that rounding cannot take the next pixel.
        render.border_min_x, render.border_max_x = (low[0] + 0.01) / size, (high[0] + 0.01) / size
        render.border_min_y, render.border_max_y = 1.0 - (high[1] - 0.01) / size, 1.0 - (low[1] - 0.01) / size
        return int(low[0]), int(low[1])


def _set(mesh: object, name: str, values: NDArray[np.floating]) -> None:
    mesh.attributes[name].data.foreach_set("vector", np.ascontiguousarray(values, np.float32).ravel())  # type: ignore[attr-defined]
