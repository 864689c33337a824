"""The 52 expressions as Apple's ARKit names them (ARFaceAnchor.BlendShapeLocation), and how a panel groups them."""

from __future__ import annotations

NAMES = tuple(
    """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
    jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight
    mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft
    mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut""".split()
)

# Titles, and how the names of their expressions begin.
GROUPS = (
    ("Eyes", ("eye",)),
    ("Brows", ("brow",)),
    ("Jaw and Tongue", ("jaw", "tongue")),
    ("Mouth", ("mouth",)),
    ("Cheeks and Nose", ("cheek", "nose")),
)


def twin(name: str) -> str:
    """The same expression on the other side of the face; itself where it has no side."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name
