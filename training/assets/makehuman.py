"""MakeHuman's asset folder (``makehumancommunity/makehuman-assets``, its folder ``base/``; CC0), read as published."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.assets.proxy import BadAsset, Proxy, read_proxy, read_texture
from training.template import Template

_LOG = logging.getLogger(__name__)
_BASE_VERTICES = 19158
_PICTURES = (".png", ".jpg", ".jpeg", ".tif")


@dataclass(frozen=True)
class Skipped:
    """An asset that is not used: its path within the folder, and why, as a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class AssetFolder:
    """What a folder holds that fits the template's head; names are the files' stems.

    hair and brows are card meshes; skins are pictures in the base mesh's UV, which is the template's own; eyes are
    pictures of an iris with the white about it, in the UV of MakeHuman's eyes (not the template's).
    """

    path: Path
    hair: dict[str, Proxy]
    brows: dict[str, Proxy]
    skins: tuple[Path, ...]
    eyes: tuple[Path, ...]
    skipped: tuple[Skipped, ...]

    @staticmethod
    def open(path: Path, template: Template) -> AssetFolder:
        """Reads the folder; single assets that cannot be used are logged and listed in `skipped`.

        Raises ``ValueError`` when it is no such folder, or when the template does not tell its base-mesh vertices.
        """
        kinds = ("hair", "eyebrows", "skins", "eyes")
        if not path.is_dir():
            raise ValueError(f"There is no asset folder {path}: give the folder that holds {', '.join(kinds)}.")
        if not any((path / kind).is_dir() for kind in kinds):
            raise ValueError(f"{path} holds none of {', '.join(kinds)}: give MakeHuman's asset folder itself (base).")
        if not len(template.base_ids):
            raise ValueError("This template comes from an older version and cannot wear assets: make its file anew.")
        reader = _Reader(path, template)
        return AssetFolder(
            path,
            hair=reader.proxies("hair"),
            brows=reader.proxies("eyebrows"),
            skins=reader.skins(),
            eyes=reader.eyes(),
            skipped=tuple(reader.skipped),
        )


class _Reader:
    def __init__(self, path: Path, template: Template) -> None:
        self.path = path
        self.skipped: list[Skipped] = []
        self.order: NDArray[np.int64] = np.full(_BASE_VERTICES, -1, np.int64)
        self.order[template.base_ids] = np.arange(len(template.base_ids))

    def proxies(self, kind: str) -> dict[str, Proxy]:
        found: dict[str, Proxy] = {}
        for file in sorted((self.path / kind).glob("*/*.mhclo")):
            try:
                proxy = read_proxy(file, self.order)
                _check_picture(proxy.texture)
            except BadAsset as error:
                self._skip(file, str(error))
            else:
                found[proxy.name] = proxy
        return found

    def skins(self) -> tuple[Path, ...]:
        """Pictures called ``*diffuse*`` in ``skins/textures``, and those that the folder's materials name."""
        folder = self.path / "skins"
        found = [file for file in sorted(folder.glob("textures/*diffuse*")) if file.suffix.lower() in _PICTURES]
        return self._pictures(found, sorted(folder.glob("*/*.mhmat")))

    def eyes(self) -> tuple[Path, ...]:
        """Pictures that the eyes' materials name."""
        return self._pictures([], sorted((self.path / "eyes").glob("materials/*.mhmat")))

    def _pictures(self, files: list[Path], materials: list[Path]) -> tuple[Path, ...]:
        good: dict[Path, Path] = {}
        for file in (*files, *materials):
            try:
                picture = read_texture(file) if file.suffix == ".mhmat" else file
                _check_picture(picture)
            except BadAsset as error:
                self._skip(file, str(error))
            else:
                good.setdefault(picture.resolve(), picture)
        return tuple(good.values())

    def _skip(self, file: Path, reason: str) -> None:
        name = file.relative_to(self.path).as_posix()
        self.skipped.append(Skipped(name, reason))
        _LOG.warning("Asset %s is left out: %s", name, reason)


def _check_picture(path: Path) -> None:
    from PIL import Image  # Blender's own Python has none; only assets need it there

    try:
        with Image.open(path) as picture:
            picture.verify()
    except (OSError, SyntaxError) as error:
        raise BadAsset(f"{path.name} is no picture that can be read ({error}).") from error
