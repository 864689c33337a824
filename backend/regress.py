"""Runs a bundle's network: the pixels of a crop in, coefficients and landmarks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .bundle import Bundle
from .failures import Failure
from .observation import DENSE
from .runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Estimate:
    """What the network says about one crop; None where it has no such output.

    `identity` (K,) and `reflectance` (R,) in standard deviations, `expression` (52,) 0..1, `landmarks` (68, 2) in
    pixels of the crop, pixel centres at .5, `illumination` (9, 3) radiance in head space by real orthonormal spherical
    harmonics (1, y, z, x, xy, yz, 3z2-1, xz, x2-y2). `dense` (D, 2) are the bundle's dense points and `sigma` (68 + D,)
    the standard deviations of each coordinate of the landmarks, then of the dense points, pixels of the crop;
    `distance` () is the natural logarithm of the face's distance from the camera in mm.
    """

    identity: Floats
    reflectance: Floats | None = None
    expression: Floats | None = None
    landmarks: Floats | None = None
    illumination: Floats | None = None
    dense: Floats | None = None
    sigma: Floats | None = None
    distance: Floats | None = None


class Regressor:
    """A bundle's network, ready to run; may be used from several threads."""

    def __init__(self, session: InferenceSession, size: int, shapes: dict[str, tuple[int, ...]], count: int) -> None:
        self._session = session
        self._shapes = shapes
        self._count = count
        self.size = size

    @classmethod
    def open(cls, bundle: Bundle) -> Regressor:
        """Load the bundle's network, on CUDA where that is available.

        Raises Failure: `bundle_damaged` when the network is not what the bundle describes, `runtime_missing`.
        """
        name = bundle.description["regressor"]["file"]
        try:
            session = open_session(bundle.regressor, accelerated=True)
        except Failure:
            raise
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("bundle_damaged", name=name, reason="onnxruntime cannot load it") from error
        names = [output.name for output in session.get_outputs()]
        dense = len(bundle.arrays.get(DENSE, ())) if "dense" in names else 0
        known: dict[str, tuple[int, ...]] = {
            "identity": (len(bundle.identity),),
            "reflectance": (bundle.reflectance_count,),
            "expression": (len(bundle.expression),),
            "landmarks": (68, 2),
            "illumination": (9, 3),
            "dense": (dense, 2),
            "sigma": (68 + dense,),
            "distance": (),
        }
        shapes = {name: known[name] for name in names if name in known}
        # Where a second network tells the head, this one has to find the landmarks that it sees by.
        needed = "identity" if bundle.description.get("feedback") is None else "landmarks"
        if needed not in shapes or [entry.name for entry in session.get_inputs()] != ["image"]:
            raise Failure("bundle_damaged", name=name, reason=f"it does not turn `image` into `{needed}`")
        size = session.get_modelmeta().custom_metadata_map.get("size", str(bundle.size))
        if size != str(bundle.size):
            reason = f"it takes {size} pixels where bundle.json says {bundle.size}"
            raise Failure("bundle_damaged", name=name, reason=reason)
        return cls(session, bundle.size, shapes, len(bundle.identity))

    @property
    def provider(self) -> str:
        """Onnxruntime's name of what the network runs on."""
        return str(self._session.get_providers()[0])

    @property
    def has_landmarks(self) -> bool:
        """Whether estimates come with landmarks."""
        return "landmarks" in self._shapes

    def run(self, pixels: NDArray[np.uint8]) -> Estimate:
        """`pixels` (size, size, 3) RGB -> what they show. Raises Failure `regressor_failed`."""
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        names = list(self._shapes)
        try:
            values: list[Any] = self._session.run(names, {"image": image})
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise Failure("regressor_failed", reason=str(error).splitlines()[0]) from error
        outputs: dict[str, Floats] = {}
        for name, value in zip(names, values, strict=True):
            if value.shape != (1, *self._shapes[name]) or not np.isfinite(value).all():
                raise Failure("regressor_failed", reason=f"its {name} has shape {value.shape} or is not finite")
            outputs[name] = np.asarray(value[0], np.float32)
        return Estimate(**{"identity": np.zeros(self._count, np.float32), **outputs})
