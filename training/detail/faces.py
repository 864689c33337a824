"""Files of rendered faces whose fine relief is known: one ``face-000000.npz`` each, written by ``render-detail``."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.whole_file import whole_file

SETTINGS = "detail.json"


class DetailDataError(ValueError):
    """A folder or file of faces that is not what it should be; the message says what is wrong."""


@dataclass(frozen=True)
class DetailFace:
    """One rendered face with relief.

    picture: the JPEG's bytes; where only the face was rendered, ``offset`` (x, y) px is where its corner lies in a
    square picture of ``size`` px, whose middle is the principal point. For the picture's pixels: seg (h,w) index into
    ``SEGMENTS``, normals (h,w,3) unit vectors in camera space with relief and without pores, 0 where nothing is, and
    with_pores (h,w,3) those that were rendered, averaged over the pixel. vertices (N,3) mm with expression, albedo
    (N,3) linear RGB, rotation (3,3), translation (3,) mm and focal px as in datasets. kind is the relief's.
    """

    picture: bytes
    offset: tuple[int, int]
    size: int
    seg: NDArray[np.uint8]
    normals: NDArray[np.float32]
    with_pores: NDArray[np.float32]
    vertices: NDArray[np.float32]
    albedo: NDArray[np.float32]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal: float
    kind: str
    parameters: dict[str, Any]

    def image(self) -> NDArray[np.uint8]:
        """The square picture (size,size,3), sRGB; black where it was not rendered."""
        from PIL import Image

        with Image.open(io.BytesIO(self.picture)) as opened:
            part = np.asarray(opened.convert("RGB"))
        return self.placed(part)

    def placed(self, part: NDArray[Any]) -> NDArray[Any]:
        """An array of the picture's pixels (h,w,...) in the square one (size,size,...), zero around it."""
        whole = np.zeros((self.size, self.size, *part.shape[2:]), part.dtype)
        x, y = self.offset
        whole[y : y + part.shape[0], x : x + part.shape[1]] = part
        return whole


def face_path(folder: Path, index: int) -> Path:
    """Where face number ``index`` lies."""
    return folder / f"face-{index:06d}.npz"


def write_face(path: Path, face: DetailFace) -> None:
    """Writes the file, whole or not at all."""
    with whole_file(path) as stream:
        np.savez_compressed(
            stream,
            picture=np.frombuffer(face.picture, np.uint8),
            offset=np.array(face.offset),
            size=np.array(face.size),
            seg=face.seg,
            # A ten-thousandth is far finer than what is measured with them.
            normals=np.round(face.normals * 10_000.0).astype(np.int16),
            with_pores=np.round(face.with_pores * 10_000.0).astype(np.int16),
            vertices=face.vertices.astype(np.float32),
            albedo=face.albedo.astype(np.float16),
            rotation=face.rotation,
            translation=face.translation,
            focal=np.array(face.focal),
            kind=np.array(face.kind),
            parameters=np.array(json.dumps(face.parameters)),
        )


def read_face(path: Path) -> DetailFace:
    """Reads what :func:`write_face` wrote. Raises :class:`DetailDataError`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            x, y = (int(v) for v in file["offset"])
            return DetailFace(
                picture=file["picture"].tobytes(),
                offset=(x, y),
                size=int(file["size"]),
                seg=file["seg"],
                normals=file["normals"].astype(np.float32) / np.float32(10_000),
                with_pores=file["with_pores"].astype(np.float32) / np.float32(10_000),
                vertices=file["vertices"],
                albedo=file["albedo"].astype(np.float32),
                rotation=file["rotation"],
                translation=file["translation"],
                focal=float(file["focal"]),
                kind=str(file["kind"]),
                parameters=json.loads(str(file["parameters"])),
            )
    except (OSError, ValueError, KeyError) as error:
        raise DetailDataError(f"{path} is no rendered face ({error}): delete it and render it again.") from error


def list_faces(folder: Path) -> tuple[Path, ...]:
    """The files of a folder in order. Raises :class:`DetailDataError` when there are none."""
    found = tuple(sorted(folder.glob("face-*.npz")))
    if not found:
        raise DetailDataError(f"There are no faces in {folder}: render some with `likeness render-detail`.")
    return found


def open_folder(folder: Path, settings: dict[str, Any]) -> None:
    """Makes the folder, or checks that it was made with the same settings. Raises :class:`DetailDataError`."""
    path = folder / SETTINGS
    text = json.dumps(settings, indent=1, sort_keys=True)
    if path.exists():
        known = json.loads(path.read_text())
        differing = sorted(k for k in settings.keys() | known.keys() if known.get(k) != json.loads(text).get(k))
        if differing:
            raise DetailDataError(f"{folder} was rendered with another {', '.join(differing)}: choose another folder.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as stream:
        stream.write(text.encode())
