"""How near recovered heads are to the true ones, and how near the mean head would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.dataset import FaceSet
from training.evaluation.alignment import aligned
from training.evaluation.metrics import landmark_error, mean_squared_error, normal_angles, per_vertex_error
from training.evaluation.regressor import Bundle, estimate, localiser_crops

FRONTAL_DEGREES = 40.0
_YAW_BINS = ((0.0, 15.0), (15.0, 30.0), (30.0, 40.0), (40.0, 60.0), (60.0, 90.0))
_SEED = 20


@dataclass(frozen=True)
class Errors:
    """Per face: mean distance over the face region in mm after rigid and similarity alignment, for the estimate and
    for the mean head; mean normal angle in degrees; mean squared distance in mm^2 after generalised Procrustes
    analysis; landmark error, in shares of the outer-eye distance, or None.
    """

    yaw: NDArray[np.float64]
    similarity: NDArray[np.float64]
    similarity_control: NDArray[np.float64]
    rigid: NDArray[np.float64]
    rigid_control: NDArray[np.float64]
    normals: NDArray[np.float64]
    normals_control: NDArray[np.float64]
    squared: NDArray[np.float64]
    squared_control: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None

    def summary(self, chosen: NDArray[np.bool_]) -> dict[str, Any]:
        """Means over the chosen faces, and what share of the mean-face control they are."""
        values: dict[str, Any] = {"faces": int(chosen.sum())}
        for name in ("similarity", "rigid", "normals", "squared"):
            ours = float(getattr(self, name)[chosen].mean())
            control = float(getattr(self, f"{name}_control")[chosen].mean())
            values[name] = {"error": ours, "control": control, "ratio": ours / control}
        if self.landmarks is not None:
            values["landmark_nme"] = float(self.landmarks[chosen].mean())
        return values


@dataclass(frozen=True)
class Rows:
    """Per face (n,): means over the face region as `Errors` has them. Per vertex of it (P,): means over the faces."""

    similarity: NDArray[np.float64]
    rigid: NDArray[np.float64]
    normals: NDArray[np.float64]
    squared: NDArray[np.float64]
    distance_map: NDArray[np.float64]
    angle_map: NDArray[np.float64]


def rows(heads: NDArray[np.float32], faces: FaceSet) -> Rows:
    """Errors of heads (n,N,3) for the faces."""
    region = faces.region("face")
    triangles = region_triangles(faces.template["triangles"], region, faces.vertices.shape[1])
    table = []
    distances, angles = np.zeros(len(region)), np.zeros(len(region))
    for head, true_head in zip(heads, faces.vertices, strict=True):
        estimate, truth = head[region], true_head[region]
        moved = aligned(estimate, truth)
        distance, angle = np.linalg.norm(moved - truth, axis=1), normal_angles(moved, truth, triangles)
        rigid = per_vertex_error(estimate, truth, "rigid")
        table.append((distance.mean(), rigid.mean(), angle.mean(), mean_squared_error(estimate, truth)))
        distances += distance
        angles += angle
    similarity, rigid, normals, squared = np.array(table).T
    return Rows(similarity, rigid, normals, squared, distances / len(table), angles / len(table))


def errors(
    heads: NDArray[np.float32],
    mean: NDArray[np.float32],
    faces: FaceSet,
    landmarks: NDArray[np.floating] | None = None,
) -> Errors:
    """Errors of heads (n,N,3) for the faces; `mean` (N,3) is what the control returns for every one.

    landmarks (n,68,2), if estimated, in the pictures' pixels.
    """
    control = rows(np.broadcast_to(mean, faces.vertices.shape), faces)
    return against(rows(heads, faces), control, faces, landmarks)


def against(ours: Rows, control: Rows, faces: FaceSet, landmarks: NDArray[np.floating] | None = None) -> Errors:
    """A method's errors beside the control's; landmarks as `errors` takes them."""
    marks = None
    if landmarks is not None:
        marks = np.array([landmark_error(a, b) for a, b in zip(landmarks, faces.landmarks68, strict=True)])
    return Errors(
        yaw=faces.yaw.astype(np.float64),
        similarity=ours.similarity,
        similarity_control=control.similarity,
        rigid=ours.rigid,
        rigid_control=control.rigid,
        normals=ours.normals,
        normals_control=control.normals,
        squared=ours.squared,
        squared_control=control.squared,
        landmarks=marks,
    )


def region_triangles(triangles: NDArray, region: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Triangles (F',3) with all corners in a region (P,) of `count` vertices, as indices into the region."""
    order = np.full(count, -1)
    order[region] = np.arange(len(region))
    inside: NDArray[np.intp] = order[triangles[(order[triangles] >= 0).all(1)]]
    return inside


def evaluate(bundle: Bundle, faces: FaceSet) -> Errors:
    """Errors of the bundle on the faces; its own mean head is the control.

    The first crops are off by a localiser's error, drawn with a fixed seed. Raises `ValueError` when bundle and
    faces have different templates.
    """
    if bundle.head["mean"].shape != faces.vertices.shape[1:]:
        raise ValueError(
            f"the bundle's head has {len(bundle.head['mean'])} vertices, the faces' template "
            f"{faces.vertices.shape[1]}: evaluate on data rendered with the bundle's template"
        )
    crops = localiser_crops(faces.landmarks68, bundle.crop_scale, np.random.default_rng(_SEED))
    found = estimate(bundle, faces.images, crops)
    return errors(bundle.vertices(found["identity"]), bundle.head["mean"], faces, found.get("landmarks"))


def report(result: Errors) -> dict[str, Any]:
    """The figures: frontal (yaw within 40 degrees, what the product is held to), all, and by yaw."""
    yaw = np.abs(result.yaw)
    bins = {
        f"{low:g}-{high:g}": result.summary(mask)
        for low, high in _YAW_BINS
        if (mask := (yaw >= low) & (yaw < high)).any()
    }
    figures: dict[str, Any] = {"all": result.summary(yaw >= 0), "by_yaw": bins}
    frontal = yaw <= FRONTAL_DEGREES
    if frontal.any():
        figures["frontal"] = result.summary(frontal)
    return figures


def markdown(figures: dict[str, Any], name: str) -> str:
    """The report as a Markdown table."""
    rows = [("yaw within 40°", figures["frontal"])] if "frontal" in figures else []
    rows += [("all", figures["all"])] + [(f"yaw {key}°", value) for key, value in figures["by_yaw"].items()]
    lines = [
        f"# {name}: error on synthetic faces of unseen people",
        "",
        "Mean distance of corresponding vertices of the face region, in mm, after alignment; the control returns the",
        "mean head of the training faces for every picture. Angles are between vertex normals.",
        "",
        "| faces | n | similarity | control | ratio | rigid | control | ratio | angle | control | landmarks |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for title, values in rows:
        cells = [title, str(values["faces"])]
        for kind in ("similarity", "rigid"):
            part = values[kind]
            cells += [f"{part['error']:.3f}", f"{part['control']:.3f}", f"**{part['ratio']:.3f}**"]
        cells += [f"{values['normals']['error']:.2f}°", f"{values['normals']['control']:.2f}°"]
        cells.append(f"{100 * values['landmark_nme']:.2f} %" if "landmark_nme" in values else "–")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
