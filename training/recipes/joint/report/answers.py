"""What every method says of the test faces, and how wrong it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.dataset import FaceSet, mirror_vertices
from training.evaluation.alignment import align
from training.evaluation.heads import Errors, Rows, against, rows
from training.evaluation.regressor import Bundle, estimate, localiser_crops
from training.evaluation.rivals.landmarks import LandmarkModel, fit, landmark_variances, with_detector_noise
from training.recipes.joint.data import prepare_faces
from training.recipes.joint.run import Trained
from training.recipes.shape_space import Floats, ShapeSpace, mean_head, principal_directions

_BATCH = 64
_SEED = 20
# Landmark errors of the closed form, as shares of the outer-eye distance: the truth, a good detector, a fair one.
DETECTORS = (("i", 0.0), ("ii", 0.03), ("iii", 0.05))


@dataclass(frozen=True)
class Measured:
    """A method's errors on the test faces, and over the vertices of the face region (P,): mm, and degrees.

    samples (s,N,3) are its heads for the first faces, their faces laid on the true ones.
    """

    title: str
    errors: Errors
    distances: Floats
    angles: Floats
    samples: Floats


@dataclass(frozen=True)
class Ruler:
    """The faces that methods are measured on, the control's errors on them, and how many heads are kept to be shown."""

    faces: FaceSet
    control: Rows
    samples: int

    def measure(self, title: str, heads: Floats, marks: Floats | None = None) -> Measured:
        """Heads (n,N,3) against the faces; `marks` are estimated landmarks (n,68,2)."""
        found = rows(heads, self.faces)
        region, shown = self.faces.region("face"), []
        for head, truth in zip(heads[: self.samples], self.faces.vertices, strict=False):
            rotation, translation, factor = align(head[region], truth[region], scale=True)
            shown.append(factor * head.astype(np.float64) @ rotation.T + translation)
        return Measured(
            title,
            against(found, self.control, self.faces, marks),
            found.distance_map.astype(np.float32),
            found.angle_map.astype(np.float32),
            np.array(shown, np.float32).reshape(-1, *heads.shape[1:]),
        )


def make_ruler(faces: FaceSet, mean: Floats, samples: int) -> Ruler:
    """For the faces and the control that returns `mean` (N,3)."""
    return Ruler(faces, rows(np.broadcast_to(mean, faces.vertices.shape), faces), samples)


@torch.no_grad()
def vectors_of(run: Trained, faces: FaceSet) -> Floats:
    """The run's answers (n,D) in its shape space, from plain crops and their mirror images, as bundles answer."""
    known = prepare_faces(faces, run.space, None)
    mirror = faces.template["mirror"]
    parts = []
    for indices in np.array_split(np.arange(len(faces)), -(-len(faces) // _BATCH)):
        images = known.plain_batch(indices, run.config).images
        basis = run.model.autoencoder.basis
        one, other = ((run.model.network(view).code @ basis.T).numpy() for view in (images, images.flip(3)))
        parts.append((one + run.space.vectors(_mirrored(run.space, other, mirror))) / 2)
    return np.concatenate(parts)


def heads_of(run: Trained, vectors: Floats) -> Floats:
    """Vectors (n,D) of the run's shape space as heads (n,N,3) mm."""
    heads: Floats = run.space.mean + run.space.columns(vectors)
    return heads


def bundle_heads(bundle: Bundle, faces: FaceSet) -> tuple[Floats, Floats | None]:
    """Heads (n,N,3) of the product itself: first crops off by a localiser's error, a second look; and its landmarks."""
    crops = localiser_crops(faces.landmarks68, bundle.crop_scale, np.random.default_rng(_SEED))
    found = estimate(bundle, faces.images, crops)
    return bundle.vertices(found["identity"]), found.get("landmarks")


def closed_form(training: FaceSet, test: FaceSet, neurons: int) -> Iterator[tuple[str, float, Floats]]:
    """Aldrian & Smith's heads (n,N,3) for the test faces: name and noise of the detector, and heads.

    Basis from the training faces; the landmarks' variances are measured on a fifth of them that the basis has not
    seen.
    """
    cut = max(4, len(training) * 4 // 5)
    mirror, ids = training.template["mirror"], training.template["landmarks68"]
    heads = training.vertices[:cut]
    space = ShapeSpace(mean_head(heads, mirror), np.ones(heads.shape[1], np.float32), 1.0, None)
    directions = principal_directions(space, heads, mirror, neurons, np.random.default_rng([_SEED, 1]))
    spread = np.sqrt(np.mean([((space.vectors(part) @ directions) ** 2).mean(0) for part in _parts(heads)], 0))
    columns = (directions * spread).T.reshape(-1, *space.mean.shape)
    at_marks = LandmarkModel(space.mean[ids].astype(np.float64), columns[:, ids].astype(np.float64), np.zeros(len(ids)))
    unseen = training.vertices[cut:][:, ids].astype(np.float64)
    model = at_marks.with_variance(landmark_variances(at_marks, unseen, training.landmarks68[cut:].astype(np.float64)))
    size = outer_eye_pixels(test)
    for number, (name, share) in enumerate(DETECTORS):
        rng = np.random.default_rng([_SEED, 2, number])
        pixels, noise = with_detector_noise(test.landmarks68.astype(np.float64), size, share, rng)
        found = np.stack([fit(model, seen, deviation) for seen, deviation in zip(pixels, noise, strict=True)])
        yield name, share, space.mean + np.tensordot(found.astype(np.float32), columns, 1)


def outer_eye_pixels(faces: FaceSet) -> NDArray[np.float64]:
    """The outer-eye distance (n,) in pixels, whatever the pose: the corners' own distance seen at their depth."""
    corners = faces.vertices[:, faces.template["landmarks68"][[36, 45]]].astype(np.float64)
    apart = np.linalg.norm(corners[:, 0] - corners[:, 1], axis=1)
    if not (faces.focal > 0).all():
        return np.linalg.norm(faces.landmarks68[:, 45] - faces.landmarks68[:, 36], axis=1).astype(np.float64)
    depth = np.einsum("nj,npj->np", faces.rotation[:, 2], corners).mean(1) + faces.translation[:, 2]
    size: NDArray[np.float64] = apart * faces.focal / depth
    return size


def _mirrored(space: ShapeSpace, vectors: Floats, mirror: NDArray[np.integer]) -> Floats:
    return mirror_vertices(space.mean + space.columns(vectors), mirror)


def _parts(heads: Floats) -> list[Floats]:
    return np.array_split(heads, -(-len(heads) // 256))
