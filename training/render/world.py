"""Light of the training scene: HDRIs turned, tinted and mixed, lamps, a backdrop that only the camera sees."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from training.illumination import irradiance, project
from training.render.axes import TO_BLENDER, aim
from training.subjects.light import Lamp, Light
from training.subjects.pictures import backdrop

Floats = NDArray[np.floating]

_LOG = logging.getLogger(__name__)

_LAMPS = 2
_LAMP_DISTANCE = 0.9
_TILES = 8  # backdrops per side of their atlas
_TILE = 128
# Irradiance over pi, as a white face sees it, that the light is scaled to.
_WHITE = 0.95
_PROBE = (24, 48)
# How much of the light's own colour white balance takes out.
_BALANCED = 0.6


def blender_worlds() -> tuple[Path, ...]:
    """The CC0 HDRIs that come with Blender. Raises ``FileNotFoundError`` when this build has none."""
    folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world"
    if not folder.is_dir():
        folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights/world"
    files = tuple(sorted(folder.glob("*.exr")))
    if not files:
        raise FileNotFoundError(f"Blender's own HDRIs are missing from {folder}: reinstall Blender or bpy.")
    return files


def folder_worlds(folder: Path) -> tuple[Path, ...]:
    """The HDRIs (.exr, .hdr) of a user's folder. Raises ``FileNotFoundError`` when it has none."""
    files = tuple(sorted(path for path in folder.glob("*") if path.suffix.lower() in (".exr", ".hdr")))
    if not files:
        raise FileNotFoundError(f"{folder} has no .exr or .hdr files: name a folder of HDRIs with --hdris.")
    return files


class TrainingWorld:
    """World, lamps and backdrop; unreadable HDRIs are logged and left out.

    `images` by name; names are the files' stems.
    """

    def __init__(self, scene: bpy.types.Scene, files: tuple[Path, ...], backdrops: int = _TILES * _TILES) -> None:
        self.images: dict[str, bpy.types.Image] = {}
        self._probes: dict[str, Floats] = {}
        for file in files:
            probe = self._load(file)
            if probe is not None:
                self._probes[file.stem] = probe
        if not self.images:
            raise FileNotFoundError("None of the HDRIs could be read: check the files, or leave --hdris out.")
        self.lamps = [self._add_lamp(scene, number) for number in range(_LAMPS)]
        self._build(scene, backdrops)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the HDRIs that could be read."""
        return tuple(self.images)

    def _load(self, file: Path) -> Floats | None:
        """Keeps the image; its radiance (24,48,3) at rows of falling latitude, or None where it cannot be read."""
        try:
            image = bpy.data.images.load(str(file))
            width, height = image.size
            pixels = np.empty(width * height * 4, np.float32)
            image.pixels.foreach_get(pixels)
        except (RuntimeError, TypeError) as error:
            _LOG.warning("HDRI %s is left out: it cannot be read (%s).", file, str(error).strip())
            return None
        if not width or not np.isfinite(pixels).all():
            _LOG.warning("HDRI %s is left out: it is empty or damaged.", file)
            bpy.data.images.remove(image)
            return None
        image.colorspace_settings.is_data = False
        self.images[file.stem] = image
        rows, columns = _PROBE
        picture = pixels.reshape(height, width, 4)[::-1, :, :3]
        edges = [np.linspace(0, size, count + 1).astype(int)[:-1] for size, count in ((height, rows), (width, columns))]
        sums = np.add.reduceat(np.add.reduceat(picture.astype(np.float64), edges[0], 0), edges[1], 1)
        return np.asarray(sums / (height / rows * width / columns))

    def _add_lamp(self, scene: bpy.types.Scene, number: int) -> bpy.types.Object:
        item = bpy.data.objects.new(f"lamp {number}", bpy.data.lights.new(f"lamp {number}", "AREA"))
        scene.collection.objects.link(item)
        return item

    def _build(self, scene: bpy.types.Scene, backdrops: int) -> None:
        world = bpy.data.worlds.new("world")
        world.use_nodes = True
        # A small importance map, set by hand: building a full one costs 0.7 s whenever the world turns.
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = 64
        tree = world.node_tree
        link = tree.links.new
        place = tree.nodes.new("ShaderNodeTexCoord")
        self._turns, self._environments = [], []
        for _ in range(2):
            turn, environment = tree.nodes.new("ShaderNodeMapping"), tree.nodes.new("ShaderNodeTexEnvironment")
            link(place.outputs["Generated"], turn.inputs["Vector"])
            link(turn.outputs["Vector"], environment.inputs["Vector"])
            self._turns.append(turn)
            self._environments.append(environment)
        self._mix = tree.nodes.new("ShaderNodeMix")
        self._mix.data_type = "RGBA"
        link(self._environments[0].outputs["Color"], self._mix.inputs["A"])
        link(self._environments[1].outputs["Color"], self._mix.inputs["B"])
        self._tint = tree.nodes.new("ShaderNodeMix")
        self._tint.data_type, self._tint.blend_type = "RGBA", "MULTIPLY"
        self._tint.inputs["Factor"].default_value = 1.0
        link(self._mix.outputs["Result"], self._tint.inputs["A"])
        lit = tree.nodes["Background"]
        link(self._tint.outputs["Result"], lit.inputs["Color"])
        self._lit = lit
        self._behind = tree.nodes.new("ShaderNodeBackground")
        self._place_tile = tree.nodes.new("ShaderNodeMapping")
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = self._atlas(backdrops)
        link(place.outputs["Window"], self._place_tile.inputs["Vector"])
        link(self._place_tile.outputs["Vector"], picture.inputs["Vector"])
        link(picture.outputs["Color"], self._behind.inputs["Color"])
        path, self._shown = tree.nodes.new("ShaderNodeLightPath"), tree.nodes.new("ShaderNodeMath")
        self._shown.operation = "MULTIPLY"
        link(path.outputs["Is Camera Ray"], self._shown.inputs[0])
        mix = tree.nodes.new("ShaderNodeMixShader")
        link(self._shown.outputs["Value"], mix.inputs["Fac"])
        link(lit.outputs["Background"], mix.inputs[1])
        link(self._behind.outputs["Background"], mix.inputs[2])
        link(mix.outputs["Shader"], tree.nodes["World Output"].inputs["Surface"])
        scene.world = world

    def _atlas(self, count: int) -> bpy.types.Image:
        side = math.ceil(math.sqrt(count))
        self._side = side
        pixels = np.ones((side * _TILE, side * _TILE, 4), np.float32)
        for number in range(side * side):
            row, column = divmod(number, side)
            tile = backdrop(np.random.default_rng([77, number]), _TILE)
            rows, columns = slice(row * _TILE, (row + 1) * _TILE), slice(column * _TILE, (column + 1) * _TILE)
            pixels[rows, columns, :3] = tile[::-1]
        image = bpy.data.images.new("backdrops", side * _TILE, side * _TILE, float_buffer=True)
        image.colorspace_settings.name = "Linear Rec.709"
        image.pixels.foreach_set(pixels.ravel())
        image.update()
        return image

    def set(self, light: Light, towards: Floats, albedo: float, gain: float) -> NDArray[np.float32]:
        """Lights the head; returns the illumination (9,3), see :mod:`training.illumination`.

        towards (3,) head-space direction that the lit face looks in, and albedo its luminance: what the camera would
        set its exposure by; gain multiplies that exposure. Raises ``KeyError`` for a world that was not read.
        """
        radiance = project(*self._set_worlds(light))
        seen = irradiance(radiance, towards[None])[0] / np.pi
        white = seen.mean()
        # Cameras balance most of a light's colour away.
        tint = (white / np.maximum(seen, 0.05 * white)) ** _BALANCED * light.tint
        self._tint.inputs["B"].default_value = (*tint, 1.0)
        radiance = radiance * tint
        lit, lamps = white, []
        for lamp in light.lamps[:_LAMPS]:
            direction = _direction(lamp)
            lamps.append((lamp, direction, lamp.strength * white))
            lit += lamp.strength * white * max(0.0, float(direction @ towards))
        # Cameras expose dark faces longer, but not all the way.
        scale = gain * _WHITE / max(lit, 1e-4) * (0.4 / max(albedo, 0.03)) ** 0.35
        self._lit.inputs["Strength"].default_value = scale
        for item in self.lamps[len(lamps) :]:
            item.data.energy = 0.0
            item.hide_render = True
        for item, (lamp, direction, share) in zip(self.lamps, lamps, strict=False):
            item.hide_render = False
            aim(item, 1000.0 * _LAMP_DISTANCE * direction, np.zeros(3))
            # A lamp of P watts gives P / (pi d^2) at distance d on its axis.
            item.data.energy = scale * share * np.pi * np.pi * _LAMP_DISTANCE**2
            item.data.size = lamp.size
            item.data.color = lamp.colour
        self._set_backdrop(light, scale, float(lit))
        total = scale * radiance
        for lamp, direction, share in lamps:
            # A distant lamp of irradiance E on its axis is a point of that strength on the sphere.
            point = np.outer(_harmonics_at(direction), np.array(lamp.colour) * scale * share * np.pi)
            total = total + point
        return total.astype(np.float32)

    def _set_worlds(self, light: Light) -> tuple[Floats, Floats, Floats]:
        """Sets the images; directions (D,3) in head space, radiance (D,3) and solid angles (D,) of what shines."""
        rows, columns = _PROBE
        latitude = np.pi / 2.0 - (np.arange(rows) + 0.5) * np.pi / rows
        # Cycles: u = 0.5 - atan2(y, x) / (2 pi).
        longitude = np.pi - (np.arange(columns) + 0.5) * 2.0 * np.pi / columns
        directions, shining = [], []
        for name, turn, share, mapping, node in zip(
            light.worlds, light.turns, (1.0 - light.share, light.share), self._turns, self._environments, strict=True
        ):
            if node.image != self.images[name]:
                node.image = self.images[name]
            mapping.inputs["Rotation"].default_value = (0.0, 0.0, np.radians(turn))
            # The looked-up direction is turned by `turn`, so light comes from where that turn is undone.
            phi, theta = np.meshgrid(longitude - np.radians(turn), latitude)
            world = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], -1)
            directions.append(world.reshape(-1, 3) @ TO_BLENDER)
            shining.append(share * self._probes[name].reshape(-1, 3))
        self._mix.inputs["Factor"].default_value = light.share
        area = np.repeat(np.cos(latitude) * np.pi / rows * 2.0 * np.pi / columns, columns)
        return np.concatenate(directions), np.concatenate(shining), np.tile(area, 2)

    def _set_backdrop(self, light: Light, scale: float, lit: float) -> None:
        shown = light.backdrop >= 0.0
        self._shown.inputs[1].default_value = 1.0 if shown else 0.0
        if not shown:
            return
        tile, brightness = divmod(light.backdrop * self._side**2, 1.0)
        row, column = divmod(int(tile), self._side)
        edge = 0.08  # a blurred view of a tile must not see its neighbours
        self._place_tile.inputs["Location"].default_value = (
            (column + edge) / self._side,
            (row + edge) / self._side,
            0.0,
        )
        self._place_tile.inputs["Scale"].default_value = ((1.0 - 2.0 * edge) / self._side,) * 2 + (1.0,)
        self._behind.inputs["Strength"].default_value = scale * lit * (0.3 + 0.9 * brightness)


def _direction(lamp: Lamp) -> Floats:
    """Head-space direction (3,) from the head to the lamp."""
    azimuth, height = np.radians(lamp.azimuth), np.radians(lamp.height)
    return np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)])


def _harmonics_at(direction: Floats) -> Floats:
    from training.illumination import harmonics

    return np.asarray(harmonics(direction[None])[0])
