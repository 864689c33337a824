"""What one does to a head that is there: back to the photo, mirror, chance, copy and paste, keyframes."""

from typing import Any

import bpy
import numpy as np

from .. import camera, confidence, head, material, shape
from ..facetext import Face
from ..failures import Failure
from ..selection import active_head
from ..words import said, sentence

TARGETS = (
    ("PHOTO", "As in Photo", "The identity that was recovered from the photo"),
    ("MEAN", "Average Person", "The mean of the population"),
    ("NEUTRAL", "Neutral", "No expression at all"),
    ("PHOTO_EXPRESSION", "Photo's Expression", "The expression that was recovered from the photo"),
)
PARTS = (
    ("IDENTITY", "Identity", "The learned components, which the named sliders move"),
    ("EXPRESSION", "Expression", "The 52 ARKit expressions"),
)


class OnHead:
    """What operators have in common that change the active head."""

    poll_message_set: Any  # these two are bpy.types.Operator's
    report: Any

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The active object is a head, or a head's camera or light."""
        if active_head(context) is None:
            cls.poll_message_set(sentence(Failure("head_none")))
            return False
        return True

    def fail(self, failure: Failure) -> set[str]:
        """Say what went wrong."""
        self.report({"ERROR"}, sentence(failure))
        return {"CANCELLED"}


class LIKENESS_OT_reset(OnHead, bpy.types.Operator):
    """Bring the sliders back to a starting point"""

    bl_idname = "likeness.reset"
    bl_label = "Reset Face"
    bl_options = {"REGISTER", "UNDO"}

    to: bpy.props.EnumProperty(name="To", description="What the head is brought to", items=TARGETS)  # type: ignore[valid-type]

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip of each of its buttons."""
        return said(next(text for name, _, text in TARGETS if name == properties.to))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the keys."""
        thing = active_head(context)
        if self.to == "PHOTO":
            shape.set_identity(thing, shape.recovered_identity(thing))
        elif self.to == "MEAN":
            shape.set_identity(thing, np.zeros(len(shape.identity(thing))))
        else:
            found = shape.recovered_expression(thing) if self.to == "PHOTO_EXPRESSION" else None
            shape.set_expression(thing, np.zeros(len(shape.expression(thing))) if found is None else found)
        return {"FINISHED"}


class LIKENESS_OT_mirror(OnHead, bpy.types.Operator):
    """Swap the left and the right side of the face, identity and expression"""

    bl_idname = "likeness.mirror"
    bl_label = "Mirror Face"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the keys."""
        shape.mirror(active_head(context))
        return {"FINISHED"}


class LIKENESS_OT_randomise(OnHead, bpy.types.Operator):
    """Give the head the face of a random person; the next click takes the next number"""

    bl_idname = "likeness.randomise"
    bl_label = "Randomise Face"
    bl_options = {"REGISTER", "UNDO"}

    seed: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Seed", description="The same number gives the same face", min=0
    )
    amount: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far from the average: 1 for people as they are, less for plainer ones",
        default=1.0,
        min=0.0,
        soft_max=1.5,
        max=3.0,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Another face at each click."""
        self.seed = context.scene.likeness.seed + 1
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the identity keys; the expression stays."""
        thing = active_head(context)
        shape.set_identity(thing, shape.random_identity(thing, self.seed, self.amount))
        context.scene.likeness.seed = self.seed
        return {"FINISHED"}


class LIKENESS_OT_copy_face(OnHead, bpy.types.Operator):
    """Copy identity and expression to the clipboard, as text that can be kept or sent"""

    bl_idname = "likeness.copy_face"
    bl_label = "Copy Face"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """To the system's clipboard."""
        context.window_manager.clipboard = shape.face(active_head(context)).to_text()
        self.report({"INFO"}, said("The face is in the clipboard"))
        return {"FINISHED"}


class LIKENESS_OT_paste_face(OnHead, bpy.types.Operator):
    """Give the head the face that is in the clipboard"""

    bl_idname = "likeness.paste_face"
    bl_label = "Paste Face"
    bl_options = {"REGISTER", "UNDO"}

    text: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Text",
        description="A face as text, in place of the clipboard's",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Nothing changes where the text is no face of this head's model."""
        thing = active_head(context)
        try:
            face = Face.from_text(self.text or context.window_manager.clipboard)
            shape.set_identity_of(thing, face)
        except Failure as failure:
            return self.fail(failure)
        shape.set_expression_of(thing, face)
        return {"FINISHED"}


class LIKENESS_OT_key_face(OnHead, bpy.types.Operator):
    """Insert keyframes for all sliders of the face at the current frame"""

    bl_idname = "likeness.key_face"
    bl_label = "Key Face"
    bl_options = {"REGISTER", "UNDO"}

    part: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Part", description="Which sliders get keyframes", items=PARTS, default="EXPRESSION"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """On the shape keys, which is where every exporter and the NLA look for them."""
        thing = active_head(context)
        keys = head.identity_keys(thing) if self.part == "IDENTITY" else head.expression_keys(thing)
        for key in keys:
            key.keyframe_insert("value")
        self.report({"INFO"}, said("{count} keyframes were inserted", count=len(keys)))
        return {"FINISHED"}


class LIKENESS_OT_view_photo(OnHead, bpy.types.Operator):
    """Look through the camera that took the photo, with the photo behind the head and its expression on the face"""

    bl_idname = "likeness.view_photo"
    bl_label = "View as Photo"
    bl_options = {"REGISTER", "UNDO"}

    camera: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Camera", description="Name of the photo's camera; empty for the head's first", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where the method says where the camera stood."""
        if not super().poll(context):
            return False
        if not camera.of_photos(active_head(context)):
            cls.poll_message_set(said("This head has no camera of its photo; switch Photo Camera on and make it again"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The scene's camera and resolution become the photo's."""
        thing = active_head(context)
        cameras = camera.of_photos(thing)
        view = next((one for one in cameras if one.name == self.camera), cameras[0])
        scene = context.scene
        scene.camera = view
        scene.render.resolution_x, scene.render.resolution_y = view[camera.IMAGE_SIZE]
        scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
        if head.EXPRESSION in view:
            shape.set_expression(thing, np.array(view[head.EXPRESSION]))
        space = context.space_data
        if space is not None and space.type == "VIEW_3D":
            space.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}


class LIKENESS_OT_mark_asset(OnHead, bpy.types.Operator):
    """Put the head into the asset browser, with a preview, its method and its licences"""

    bl_idname = "likeness.mark_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The preview is Blender's own, drawn in the background where there is a window."""
        thing = active_head(context)
        thing.asset_mark()
        described = thing.asset_data
        described.description = said("Head made by Likeness")
        described.license = str(thing.get(head.LICENCES, "")).replace("\n", "; ")
        for tag in ("Likeness", "ARKit"):
            described.tags.new(tag, skip_if_exists=True)
        thing.asset_generate_preview()
        self.report({"INFO"}, said("{head} is in the asset browser, under Current File", head=thing.name))
        return {"FINISHED"}


class LIKENESS_OT_show_confidence(OnHead, bpy.types.Operator):
    """Colour the head by how sure the method is of each part: blue is sure, red is a guess; again to go back"""

    bl_idname = "likeness.show_confidence"
    bl_label = "Show Uncertainty"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where the method says how sure it is, and in a view that can show it."""
        if not super().poll(context):
            return False
        if confidence.SCORE not in active_head(context):
            cls.poll_message_set(said("The method that made this head does not say how sure it is"))
            return False
        return context.space_data is not None and context.space_data.type == "VIEW_3D"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Solid mode with the attribute's colours."""
        colours = active_head(context).data.color_attributes
        shading = context.space_data.shading
        shown = shading.color_type == "VERTEX" and colours.active_color.name == confidence.COLOURS
        colours.active_color = colours[material.REFLECTANCE if shown else confidence.COLOURS]
        shading.type, shading.light = "SOLID", "STUDIO" if shown else "FLAT"
        shading.color_type = "MATERIAL" if shown else "VERTEX"
        return {"FINISHED"}


CLASSES = (
    LIKENESS_OT_reset,
    LIKENESS_OT_mirror,
    LIKENESS_OT_randomise,
    LIKENESS_OT_copy_face,
    LIKENESS_OT_paste_face,
    LIKENESS_OT_key_face,
    LIKENESS_OT_view_photo,
    LIKENESS_OT_mark_asset,
    LIKENESS_OT_show_confidence,
)
