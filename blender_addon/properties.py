"""What the panel edits and shows: choices in the scene, sliders on heads, progress in the window manager."""

from dataclasses import replace
from typing import Any

import bpy

from . import head as heads
from . import shape, sliders
from .facetext import Face

CAPACITY = 64
"""At most so many named sliders are shown of a model."""


class LikenessSceneProperties(bpy.types.PropertyGroup):
    """Saved with the file."""

    image: bpy.props.PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image,
        name="Photo",
        description="Photo of one face, to make a head from",
    )
    add_camera: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Photo Camera",
        description="Add the camera that took the photo, with the photo behind it",
        default=True,
    )
    lights: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Light",
        description="Light to add with the head",
        items=(
            ("NONE", "None", "Leave the scene's light as it is"),
            (
                "PHOTO",
                "From Photo",
                "The light that the photo was taken in, as the scene's world, where it is estimated",
            ),
            ("STUDIO", "Studio", "Three soft lights and a dim world"),
        ),
    )
    texture: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Skin",
        description="Where the skin's colour comes from",
        items=(
            ("NONE", "Even", "One even colour, estimated from the photo"),
            ("1024", "Photo, 1024", "The photo itself, its light taken out, in a texture of 1024 x 1024"),
            ("2048", "Photo, 2048", "The photo itself, its light taken out, in a texture of 2048 x 2048"),
            ("4096", "Photo, 4096", "The photo itself, its light taken out, in a texture of 4096 x 4096"),
        ),
        default="2048",
    )
    detail: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Wrinkles",
        description="Give the skin the wrinkles and folds that the photo shows, as a normal map",
        default=True,
    )
    add_subdivision: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Smooth Renders",
        description="Add a Subdivision modifier that works in renders; the viewport stays quick",
        default=True,
    )
    seed: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Seed",
        description="Number that the last random face was drawn from; the same number gives the same face",
        min=0,
    )


def _slider(index: int) -> Any:
    def get(self: bpy.types.PropertyGroup) -> float:
        return sliders.value(self.id_data, index) if sliders.has(self.id_data, index) else 0.0

    def set_(self: bpy.types.PropertyGroup, value: float) -> None:
        if sliders.has(self.id_data, index):
            sliders.set_value(self.id_data, index, value)

    return bpy.props.FloatProperty(
        name="Slider",
        description="How much of this the face has, in standard deviations from the average person; the learned "
        "components move together so that the face stays plausible and the other sliders stay where they are. "
        "To animate it, key the components",
        get=get,
        set=set_,
        soft_min=-heads.IDENTITY_RANGE,
        soft_max=heads.IDENTITY_RANGE,
        min=-sliders.LIMIT,
        max=sliders.LIMIT,
        step=10,
        precision=2,
        options=set(),  # the keys are animated, not the sliders that read them
    )


def _text(part: str, description: str) -> Any:
    def get(self: bpy.types.PropertyGroup) -> str:
        if not heads.is_head(self.id_data):
            return ""
        face = shape.face(self.id_data)
        return (replace(face, expression={}) if part == "Face" else Face(expression=face.expression)).to_text()

    return bpy.props.StringProperty(name=part, description=description, get=get)


class LikenessHeadProperties(bpy.types.PropertyGroup):
    """On every object; the named sliders of a head, by their number in its model, and its coefficients as text."""

    __annotations__ = {
        **{f"slider_{index:02d}": _slider(index) for index in range(CAPACITY)},
        "face_text": _text("Face", "The identity as text, which presets keep"),
        "expression_text": _text("Expression", "The expression as text, which presets keep"),
    }


class LikenessResult(bpy.types.PropertyGroup):
    """What became of one of several photos; `name` is the photo's."""

    failed: bpy.props.BoolProperty(name="Failed", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    message: bpy.props.StringProperty(name="Message", options={"SKIP_SAVE"})  # type: ignore[valid-type]


class LikenessFace(bpy.types.PropertyGroup):
    """A face found in the photo."""

    box: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Box", description="Left, top, width and height in pixels", size=4, options={"SKIP_SAVE"}
    )


class LikenessWindowProperties(bpy.types.PropertyGroup):
    """The state of the reconstruction under way and of the last ones; neither saved nor undone."""

    running: bpy.props.BoolProperty(name="Running", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    cancelling: bpy.props.BoolProperty(name="Cancelling", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    stage: bpy.props.StringProperty(name="Stage", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    progress: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Progress", subtype="FACTOR", min=0.0, max=1.0, options={"SKIP_SAVE"}
    )
    provider: bpy.props.StringProperty(name="Provider", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    memory: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Memory", description="Megabytes that the backend uses", options={"SKIP_SAVE"}
    )
    last_error: bpy.props.StringProperty(name="Last Error", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    faces: bpy.props.CollectionProperty(type=LikenessFace, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    photo_size: bpy.props.IntVectorProperty(name="Photo Size", size=2, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    results: bpy.props.CollectionProperty(type=LikenessResult, options={"SKIP_SAVE"})  # type: ignore[valid-type]


CLASSES = (LikenessSceneProperties, LikenessHeadProperties, LikenessResult, LikenessFace, LikenessWindowProperties)


def add() -> None:
    """Attach the groups to Blender's types."""
    bpy.types.Scene.likeness = bpy.props.PointerProperty(type=LikenessSceneProperties)
    bpy.types.Object.likeness = bpy.props.PointerProperty(type=LikenessHeadProperties)
    bpy.types.WindowManager.likeness = bpy.props.PointerProperty(type=LikenessWindowProperties)


def remove() -> None:
    """Take them away again."""
    del bpy.types.Scene.likeness
    del bpy.types.Object.likeness
    del bpy.types.WindowManager.likeness
