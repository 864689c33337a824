"""What the panel edits and shows: the chosen photo in the scene, the progress in the window manager."""

import bpy


class LikenessSceneProperties(bpy.types.PropertyGroup):
    """Saved with the file."""

    image: bpy.props.PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image,
        name="Photo",
        description="Photo of one face, to make a head from",
    )


class LikenessWindowProperties(bpy.types.PropertyGroup):
    """The state of the reconstruction under way; neither saved nor undone."""

    running: bpy.props.BoolProperty(name="Running", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    cancelling: bpy.props.BoolProperty(name="Cancelling", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    stage: bpy.props.StringProperty(name="Stage", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    progress: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Progress", subtype="FACTOR", min=0.0, max=1.0, options={"SKIP_SAVE"}
    )
    provider: bpy.props.StringProperty(name="Provider", options={"SKIP_SAVE"})  # type: ignore[valid-type]


CLASSES = (LikenessSceneProperties, LikenessWindowProperties)


def add() -> None:
    """Attach the groups to Blender's types."""
    bpy.types.Scene.likeness = bpy.props.PointerProperty(type=LikenessSceneProperties)
    bpy.types.WindowManager.likeness = bpy.props.PointerProperty(type=LikenessWindowProperties)


def remove() -> None:
    """Take them away again."""
    del bpy.types.Scene.likeness
    del bpy.types.WindowManager.likeness
