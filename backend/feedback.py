"""A second network that looks at the photo and at what its last answer looks like: Richardson et al. 2016, section 5.1.

The geometry so far is drawn as it would look lit from the camera; that shading, and the photo where the geometry is,
are what the network sees. It begins with the mean head. Drawing is numpy's work: no GPU is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .bundle import Bundle
from .crop import crop_from_landmarks, sample
from .failures import Failure
from .pose import Pose, fit_pose
from .raster import NOTHING, rasterise, vertex_normals
from .runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.floating[Any]]

GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma of sRGB values (ITU-R BT.601), as in the training's pictures."""

FARTHEST_MM: Final = 10_000.0
"""Where the camera of a network trained with parallel rays is put: pose and picture differ from those by 1 %."""


@dataclass(frozen=True)
class Answer:
    """`identity` (K,) in standard deviations and `expression` (52,) 0..1."""

    identity: NDArray[np.float32]
    expression: NDArray[np.float32]


@dataclass(frozen=True)
class Sight:
    """A face as the network is shown it: grey picture (S, S) 0..1, and the pose in it, pixels of that picture."""

    picture: NDArray[np.float32]
    pose: Pose


class Feedback:
    """The network of a bundle of the method `feedback`, ready to run; may be used from several threads."""

    def __init__(self, bundle: Bundle, session: InferenceSession, entry: dict[str, Any], columns: Floats) -> None:
        """`columns` (E, N, 3) mm are the expressions that the network speaks of, `entry` what bundle.json says."""
        self._session = session
        self.size, self._fill = int(entry["size"]), float(entry["fill"])
        self.iterations, self._distance = int(entry["iterations"]), min(float(entry["distance"]), FARTHEST_MM)
        self._count = len(bundle.identity)
        self._marks = bundle.mean[bundle.landmarks68]
        names = list(bundle.description["material_names"])
        skin = np.repeat(bundle.arrays["material"] == names.index("skin"), 2)
        ids, corners = np.unique(bundle.triangles[skin], return_inverse=True)
        self._triangles = corners.reshape(-1, 3)
        self._mean = bundle.mean[ids].ravel()
        self._columns = np.concatenate([bundle.identity[:, ids], columns[:, ids]]).reshape(-1, self._mean.size)

    @classmethod
    def open(cls, bundle: Bundle) -> Feedback | None:
        """The bundle's network; None where it has none. Raises Failure `bundle_damaged`, `runtime_missing`."""
        entry = bundle.description.get("feedback")
        if entry is None:
            return None
        name = str(entry.get("file"))
        try:
            columns = bundle.arrays["feedback_expression"]
            session = open_session((bundle.folder / name).read_bytes(), accelerated=True)
            made = cls(bundle, session, entry, columns)
        except Failure:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("bundle_damaged", name=name, reason="it is no network for error feedback") from error
        inputs = {one.name: one.shape[1:] for one in session.get_inputs()}
        if inputs != {"pictures": [2, made.size, made.size], "before": [len(made._columns)]}:
            raise Failure("bundle_damaged", name=name, reason="it does not take what bundle.json says")
        return made

    def answer(self, image: Image.Image, reduction: int, landmarks: Floats) -> Answer | None:
        """What the face with these `landmarks` (68, 2), pixels of the photo, is like; None where no pose explains them.

        `image` is decoded at one `reduction`-th of the photo's size. Raises Failure `regressor_failed`.
        """
        sight = self.see(image, reduction, landmarks)
        if sight is None:
            return None
        coefficients, weights = self.iterate(sight)[-1]
        return Answer(coefficients[: self._count], weights)

    def see(self, image: Image.Image, reduction: int, landmarks: Floats) -> Sight | None:
        """The face upright, its landmarks' box filling the picture as in the training, posed by the mean head."""
        try:
            crop = crop_from_landmarks(landmarks, 1.0 / self._fill)
        except ValueError:
            return None
        places = crop.to_crop(landmarks, self.size)
        extent = float(np.ptp(self._marks[:, :2], axis=0).max())
        focal = self._fill * self.size / extent * self._distance
        pose = fit_pose(places, self._marks, focal, (self.size, self.size))
        if pose is None:
            return None
        picture = sample(image, crop, self.size, reduction).astype(np.float32) / np.float32(255) @ GREY
        return Sight(picture, pose)

    def iterate(self, sight: Sight) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Coefficients (m,) and ARKit weights (52,) after each iteration."""
        found = []
        before = np.zeros(len(self._columns), np.float32)
        for _ in range(self.iterations):
            shading, mask = self.shaded(before, sight.pose)
            pictures = np.stack([sight.picture * mask, shading])[None].astype(np.float32)
            try:
                after, weights = self._session.run(["after", "weights"], {"pictures": pictures, "before": before[None]})
            except Exception as error:  # onnxruntime's errors have no base of their own
                raise Failure("regressor_failed", reason=str(error).splitlines()[0]) from error
            if not (np.isfinite(after).all() and np.isfinite(weights).all()):
                raise Failure("regressor_failed", reason="its answer is not finite")
            before = after[0]
            found.append((before, weights[0]))
        return found

    def shaded(self, coefficients: Floats, pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """A geometry lit from the camera: shading (S, S) 0..1, and where it is (S, S)."""
        points = (self._mean + coefficients @ self._columns).reshape(-1, 3).astype(np.float64) @ pose.rotation.T
        towards = np.maximum(-vertex_normals(points, self._triangles)[:, 2:], 0.0)
        placed = points + pose.translation
        seen = np.concatenate([pose.focal * placed[:, :2] / placed[:, 2:] + self.size / 2, placed[:, 2:]], 1)
        raster = rasterise(seen, self._triangles, (self.size, self.size))
        return raster.interpolate(self._triangles, towards)[..., 0], raster.triangle != NOTHING
