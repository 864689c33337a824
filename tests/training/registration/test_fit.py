from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from training.registration.carry import Carrier, Parts
from training.registration.fit import register
from training.registration.lids import closed
from training.registration.rig import Rig
from training.registration.surface import Surface
from training.registration.target import Target

# A linear field: a head that turns a little, grows and shifts.
FIELD = np.array([[0.02, -0.03, 0.01], [0.03, 0.02, -0.02], [-0.01, 0.02, 0.02]])


@pytest.fixture(scope="module")
def fitted(rig: Rig, other_heads: Callable[[int], np.ndarray]) -> tuple[Target, Carrier]:
    """The rig on another head's skin, of which vertices come in another order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.registration.fit.STEPS", ((0.02, 5.0, 0.5, 3),))
        patch.setattr("training.registration.fit.POLISHES", 2)
        truth = other_heads(4)
        order = np.random.default_rng(0).permutation(len(truth))
        place = np.argsort(order)
        marks = dict(enumerate(truth[rig.landmarks68]))
        target = Target.of(truth[order], place[rig.skin], marks)
        start, near, pairs = register(rig, target)
    parts = Parts(
        left_eye=place[rig.eyes[0]],
        right_eye=place[rig.eyes[1]],
        upper_teeth=place[rig.upper_teeth],
        lower_teeth=place[rig.lower_teeth],
    )
    return target, Carrier(rig, target.vertices, start, near, pairs, parts)


def test_the_template_lies_on_the_scan(rig: Rig, fitted: tuple[Target, Carrier]) -> None:
    target, carrier = fitted
    shown = np.unique(target.triangles)
    distance = Surface(carrier.vertices, rig.skin).closest(target.vertices[shown]).distance
    assert np.median(distance) < 0.12
    assert np.percentile(distance, 95) < 0.8
    marks = np.stack([target.landmarks[number] for number in range(68)])
    off = np.linalg.norm(carrier.vertices[rig.landmarks68] - marks, axis=1)
    assert np.median(off) < 2.0


def test_eyes_lie_behind_their_lids_and_teeth_in_the_mouth(rig: Rig, fitted: tuple[Target, Carrier]) -> None:
    head = fitted[1].vertices
    for eye, (loop, _) in zip(rig.eyes, rig.lids, strict=True):
        centre = head[eye].mean(0)
        radius = np.linalg.norm(head[eye] - centre, axis=1).mean()
        gap = np.linalg.norm(head[loop] - centre, axis=1) - radius
        assert np.median(gap) > -0.3 and gap.max() < 4.0
        assert 11.5 < radius < 15.0
    teeth = np.concatenate([rig.upper_teeth, rig.lower_teeth])
    lips = head[rig.landmarks68[60:68]]
    assert head[teeth, 2].max() < lips[:, 2].max()
    assert head[rig.upper_teeth, 1].mean() > head[rig.lower_teeth, 1].mean()


def test_linear_fields_pass_through_whole(rig: Rig, fitted: tuple[Target, Carrier]) -> None:
    target, carrier = fitted
    offsets = (target.vertices @ FIELD.T)[..., None]
    moved = carrier.identity(offsets)[..., 0]
    expected = carrier.vertices @ FIELD.T
    off = np.linalg.norm(moved - expected, axis=1)[rig.skin_ids]
    assert np.percentile(off, 98) < 0.3 and off.max() < 1.5
    turned = np.array([[0.01, -0.02, 0.0], [0.02, 0.01, 0.0], [0.0, 0.0, 0.01]])
    moved = carrier.identity((target.vertices @ turned.T)[..., None])[..., 0]
    expected = carrier.vertices @ turned.T
    whole = np.concatenate([*rig.eyes, rig.upper_teeth, rig.lower_teeth, rig.tongue])
    assert np.abs(moved - expected)[whole].max() < 0.05
    assert np.abs(moved - expected)[rig.mouth].max() < 1.0


def test_a_jaw_takes_lower_teeth_and_tongue_along(rig: Rig, fitted: tuple[Target, Carrier]) -> None:
    target, carrier = fitted
    parts = carrier.parts
    offsets = np.zeros_like(target.vertices)
    offsets[parts.lower_teeth, 1] = -10.0
    low = (target.vertices[:, 1] < target.landmarks[62][1]) & (target.vertices[:, 2] > 60.0)
    low[np.concatenate([parts.upper_teeth, parts.left_eye, parts.right_eye])] = False
    offsets[low, 1] = -10.0
    moved = carrier.expression(offsets[..., None])[..., 0]
    assert np.abs(moved[rig.lower_teeth] - [0.0, -10.0, 0.0]).max() < 0.01
    assert np.abs(moved[rig.tongue] - [0.0, -10.0, 0.0]).max() < 0.01
    assert np.abs(moved[rig.upper_teeth]).max() < 0.01
    assert np.abs(moved[np.concatenate(rig.eyes)]).max() == 0.0
    floor = rig.mouth[rig.jaw_share > 0.95]
    assert moved[floor, 1].mean() < -5.0


def test_without_parts_eyes_and_teeth_follow_the_skin(rig: Rig, fitted: tuple[Target, Carrier]) -> None:
    target, carrier = fitted
    bare = Carrier(rig, target.vertices, rig.neutral, carrier.vertices, carrier.pairs)
    shift = np.broadcast_to([1.0, 2.0, 3.0], target.vertices.shape)[..., None]
    moved = bare.identity(shift)[..., 0]
    whole = np.concatenate([*rig.eyes, rig.upper_teeth, rig.lower_teeth, rig.tongue])
    assert np.abs(moved[whole] - [1.0, 2.0, 3.0]).max() < 0.05


def test_blinks_close(rig: Rig) -> None:
    names = [str(name) for name in rig.template.expression_names]
    half = 0.6 * rig.expression[names.index("eyeBlinkLeft")]
    blink = closed(rig, rig.neutral, half, 0)
    loop = rig.lids[0][0]
    moved = rig.neutral + blink

    def opening(head: np.ndarray) -> float:
        points = head[loop]
        middle = np.abs(points[:, 0] - points[:, 0].mean()) < 6.0
        upper = middle & (rig.neutral[loop, 1] > rig.neutral[loop, 1].mean())
        lower = middle & ~upper
        return float(points[upper, 1].mean() - points[lower, 1].mean())

    assert opening(rig.neutral + half) > 1.5
    assert opening(moved) < 0.3
    assert np.abs(blink - half)[rig.landmarks68[48:]].max() < 0.05
    eye = rig.neutral[rig.eyes[0]]
    radius = np.linalg.norm(eye - eye.mean(0), axis=1).mean()
    assert (np.linalg.norm(moved[loop] - eye.mean(0), axis=1) > radius - 0.2).all()


def test_a_few_landmarks_do(rig: Rig, other_heads: Callable[[int], np.ndarray], quick: None) -> None:
    truth = other_heads(5)
    few = {number: truth[rig.landmarks68[number]] for number in (36, 39, 42, 45, 33, 48, 54)}
    target = Target.of(truth, rig.skin, few)
    _, near, _ = register(rig, replace(target, openings={}))
    distance = Surface(near, rig.skin).closest(truth[rig.skin_ids]).distance
    assert np.median(distance) < 0.3
