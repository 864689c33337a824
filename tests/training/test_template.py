from __future__ import annotations

from pathlib import Path

import numpy as np

from training.dataset import MIRROR_68
from training.export.neck import tidy_border
from training.populations.anny import AnnyPopulation
from training.template import FRONT_68, REGIONS, Template

# https://developer.apple.com/documentation/arkit/arfaceanchor/blendshapelocation, less nothing.
ARKIT = set(
    """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
    jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight
    mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft
    mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut""".split()
)


def test_it_is_symmetric_about_the_tragi(population: AnnyPopulation) -> None:
    template = population.template
    mirrored = template.mean[template.mirror] * [-1.0, 1.0, 1.0]
    assert np.abs(mirrored - template.mean).max() < 0.05
    assert (template.mirror[template.mirror] == np.arange(len(template.mean))).all()
    assert (template.mirror[template.landmarks68] == template.landmarks68[MIRROR_68]).all()


def test_every_arkit_action_is_there_and_moves_something(population: AnnyPopulation) -> None:
    template = population.template
    assert {str(name) for name in template.expression_names} == ARKIT
    assert (np.linalg.norm(template.expression, axis=2).max(1) > 1.0).all()


def test_actions_carry_eyes_lashes_brows_and_teeth(population: AnnyPopulation) -> None:
    template = population.template
    names = [str(name) for name in template.expression_names]

    def moved(action: str, region: str) -> float:
        offsets = template.expression[names.index(action)][template.region(region)]
        return float(np.linalg.norm(offsets, axis=1).max())

    assert moved("eyeLookUpLeft", "eyes") > 2.0
    assert moved("eyeBlinkLeft", "lashes") > 5.0
    assert moved("browOuterUpRight", "brows") > 3.0
    assert moved("jawOpen", "teeth") > 15.0
    assert moved("jawOpen", "eyes") < 0.1


def test_landmarks_lie_where_ibug_puts_them(population: AnnyPopulation) -> None:
    template = population.template
    mean, marks = template.mean, template.landmarks68
    x, y, z = mean[marks].T
    assert np.abs(x[[8, 27, 28, 29, 30, 33, 51, 57, 62, 66]]).max() < 0.5
    assert z.argmax() == 30
    assert (np.diff(y[[27, 28, 29, 30, 33, 51, 62, 66, 57, 8]]) < 0).all()
    # The subject's right is at the picture's left: negative x first.
    assert (np.diff(x[1:16]) > 0).all()
    for first, last in ((36, 42), (42, 48)):
        eye = template.eye_right if first == 36 else template.eye_left
        assert np.linalg.norm(mean[marks[first:last]].mean(0)[:2] - mean[eye].mean(0)[:2]) < 4.0
    # The chin's outline is where the face ends: its points are corners of faces' quads, if not of the face itself.
    bordering = template.quads[template.region("face")[template.quads].any(1)]
    assert np.isin(marks[3:14], bordering).all()
    assert template.region("face")[marks[[3, 4, 5, 6, 7, 9, 10, 11, 12, 13]]].all()
    below = (template.region("face") | template.region("neck")) & (np.abs(mean[:, 0]) < 1.0) & (z[8] - mean[:, 2] > 4.0)
    under = mean[below & (mean[:, 2] > z[8] - 12.0)]
    # From there on the surface runs along the sight of a camera in front.
    assert len(under) and (y[8] - under[:, 1] < 0.35 * (z[8] - under[:, 2])).all()
    assert template.region("face")[marks[17:]].all()


def test_regions_and_materials_cover_what_they_name(population: AnnyPopulation) -> None:
    template = population.template
    assert tuple(template.region_names) == REGIONS
    counts = {name: int(template.region(name).sum()) for name in REGIONS}
    assert all(counts.values())
    assert not (template.region("face") & template.region("ears")).any()
    assert not (template.region("face") & template.region("scalp")).any()
    lips = template.mean[template.region("lips")]
    assert lips[:, 1].max() < template.mean[template.landmarks68[33], 1]
    eye = template.material == list(template.material_names).index("eye")
    assert set(np.unique(template.quads[eye])) == set(template.eye_left) | set(template.eye_right)


def test_eye_uv_grows_with_the_angle_from_the_optical_axis(population: AnnyPopulation) -> None:
    template = population.template
    eye = template.material == list(template.material_names).index("eye")
    for ids in (template.eye_left, template.eye_right):
        mine = eye & np.isin(template.quads[:, 0], ids)
        corners = template.quads[mine].ravel()
        radius = np.linalg.norm(template.uv[mine].reshape(-1, 2) - 0.5, axis=1)
        # The last two vertices are the poles; the cornea rises 3 % over the sphere.
        front, back = template.mean[ids[-2:]]
        out = template.mean[corners] - (back + (front - back) / 2.03)
        angle = np.degrees(np.arccos(np.clip(out[:, 2] / np.linalg.norm(out, axis=1), -1, 1)))
        assert np.abs(radius * 360.0 - angle).max() < 8.0


def test_quads_are_whole_and_saved_as_they_are(population: AnnyPopulation, tmp_path: Path) -> None:
    template = population.template
    assert all(len(set(quad)) == 4 for quad in template.quads.tolist())
    assert set(np.unique(template.quads)) == set(range(len(template.mean)))
    template.save(tmp_path / "template.npz")
    again = Template.load(tmp_path / "template.npz")
    assert np.array_equal(again.mean, template.mean)
    assert np.array_equal(again.region("face"), template.region("face"))


def test_the_neck_ends_at_one_closed_loop(population: AnnyPopulation) -> None:
    template = population.template
    skin = template.quads[template.material == 0]
    edges = np.sort(np.concatenate([skin[:, [i, (i + 1) % 4]] for i in range(4)]), axis=1)
    edges, uses = np.unique(edges, axis=0, return_counts=True)
    border = edges[uses == 1]
    border = border[template.mean[border, 1].max(1) < template.mean[template.landmarks68[8], 1]]
    vertices, degree = np.unique(border, return_counts=True)
    assert len(vertices) == 42
    assert (degree == 2).all()
    assert tidy_border(template.quads, template.region("neck")[template.quads].any(1)).all()


def test_dense_landmarks_are_pairs_that_a_camera_sees(population: AnnyPopulation) -> None:
    template = population.template
    dense = template.landmarks_dense
    assert len(set(dense.tolist())) == len(dense) == 500
    # They were spread from the 68 points as they were when points 7 to 9 lay on the chin's front.
    assert np.array_equal(template.base_ids[dense[:68]], FRONT_68)
    assert np.array_equal(np.flatnonzero(dense[:68] != template.landmarks68), [7, 8, 9])
    assert dense[8] == template.chin_front
    assert set(template.mirror[dense].tolist()) == set(dense.tolist())
    counts = {name: int(template.region(name)[dense].sum()) for name in ("face", "ears", "skin")}
    assert counts["face"] > 300 and counts["ears"] > 30 and counts["skin"] == 500
    gaps = np.linalg.norm(template.mean[template.region("face"), None] - template.mean[dense], axis=2).min(1)
    assert np.percentile(gaps, 98) < 8.0
