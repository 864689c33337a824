"""Where the camera stands, and how it turns light into a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.camera import SENSOR_MM, Camera, frame, rotation_from_angles
from training.template import Template

# Lenses of casual photos, mm for a 36 mm sensor. A longer one is a crop from the middle of a picture.
_WIDEST, _LONGEST = 24.0, 135.0

# Blender's view transforms that look like cameras' own; the plain sRGB curve most often.
_TRANSFORMS, _SHARES = ("Standard", "Filmic", "AgX"), (0.6, 0.2, 0.2)


@dataclass(frozen=True)
class View:
    """yaw, pitch, roll degrees (see :func:`training.camera.rotation_from_angles`); distance mm to the landmarks' box.

    fill and shift place that box in the picture (see :func:`training.camera.frame`); aperture is the lens's f-number, 0
    for no blur; transform is Blender's view transform, exposure in stops beside the exposure that light would need,
    contrast and warmth of the picture.
    """

    yaw: float
    pitch: float
    roll: float
    distance: float
    fill: float
    shift: tuple[float, float]
    aperture: float
    transform: str
    exposure: float
    warmth: float


def draw_view(rng: np.random.Generator) -> View:
    """Mostly towards the camera, one in four turned by anything up to a profile; selfie to portrait distances."""
    turned = rng.random() < 0.3
    return View(
        yaw=float(rng.uniform(-90.0, 90.0) if turned else np.clip(rng.normal(0.0, 18.0), -60.0, 60.0)),
        pitch=float(np.clip(rng.normal(0.0, 11.0), -40.0, 40.0)),
        roll=float(np.clip(rng.normal(0.0, 8.0), -30.0, 30.0)),
        distance=float(np.exp(rng.uniform(np.log(350.0), np.log(2600.0)))),
        fill=float(rng.uniform(0.52, 0.68)),
        shift=(float(rng.normal(0.0, 0.03)), float(rng.normal(0.02, 0.03))),
        aperture=float(rng.choice([1.8, 2.8, 4.0])) if rng.random() < 0.3 else 0.0,
        transform=str(rng.choice(_TRANSFORMS, p=_SHARES)),
        exposure=float(rng.normal(0.0, 0.45)),
        warmth=float(rng.normal(0.0, 1.0)),
    )


def view_camera(template: Template, vertices: NDArray[np.floating], view: View, size: int) -> Camera:
    """The camera that frames the subject's 68 points; vertices (N,3) mm with expression."""
    rotation = rotation_from_angles(view.yaw, view.pitch, view.roll)
    points = np.asarray(vertices, np.float64)[template.landmarks68]
    return frame(points, rotation, view.distance, size, view.fill, np.array(view.shift))


def lens_and_crop(camera: Camera) -> tuple[float, float]:
    """Focal length in mm (36 mm sensor, 24..135) and the crop from that lens's picture that this camera amounts to."""
    equivalent = camera.focal / camera.size * SENSOR_MM
    lens = float(np.clip(equivalent, _WIDEST, _LONGEST))
    return lens, equivalent / lens
