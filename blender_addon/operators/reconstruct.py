"""From one photo or many to heads."""

import functools
from pathlib import Path

import bpy
from mathutils import Vector

from .. import images, photo, result, selection
from ..failures import Failure
from ..preferences import settings
from ..reconstruction import of_one_person
from ..result import Options, Shot
from ..words import said, sentence
from ..worker import Answer, Box, Finished, Job, Outcome, Progress, reconstruct
from .running import InBackground, running, show

PATTERN = ";".join(f"*{ending}" for ending in photo.ENDINGS)
BESIDE = Vector((0.3, 0.0, 0.0))  # from one head of a folder to the next


def options_from(context: bpy.types.Context) -> Options:
    """What the panel says to add beside a head."""
    chosen = context.scene.likeness
    return Options(camera=chosen.add_camera, lights=chosen.lights, subdivision=chosen.add_subdivision)


class Reconstructing(InBackground):
    """What the operators that make heads have in common."""

    # Files, or names of image datablocks: a datablock itself may be gone when the answer comes.
    _sources: tuple[Path | str, ...] = ()
    _one_person = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Heads are added in Object Mode, one at a time."""
        if context.mode != "OBJECT":
            cls.poll_message_set(sentence(Failure("mode", mode=said(context.mode.replace("_", " ").title()))))
            return False
        return super().poll(context)

    def job(self, context: bpy.types.Context, face: int | None = None, box: Box | None = None) -> Job:
        """Of the chosen sources; image datablocks are read here, since threads must not touch them."""
        read = tuple(images.read(bpy.data.images[one]) if isinstance(one, str) else one for one in self._sources)
        chosen = context.scene.likeness
        texture = None if chosen.texture == "NONE" else int(chosen.texture)
        return Job(read, settings(context).launch(), face=face, box=box, texture=texture, detail=chosen.detail)

    def start(self, context: bpy.types.Context, job: Job) -> set[str]:
        """Begin in the background."""
        return self.begin(context, functools.partial(reconstruct, job))

    def at_once(self, context: bpy.types.Context, job: Job) -> set[str]:
        """Do all of it before returning."""
        outcome = reconstruct(job, running.server, lambda progress: None)
        status = self.finish(context, outcome)
        while "RUNNING_MODAL" in status:
            status = self.more(context)
        return status

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> set[str]:
        """Begin to build: one head now, of many one at each tick."""
        assert isinstance(outcome, Finished)
        self._outcome = outcome
        self._made: list[result.Result] = []
        self._before = result.Snapshot(context.scene)
        context.window_manager.likeness.provider = outcome.provider
        good = [(at, answer) for at, answer in enumerate(outcome.answers) if answer.reconstruction is not None]
        if not good:
            first = outcome.answers[0].failure
            raise Failure("photos_all_failed", count=len(outcome.answers), reason=first)
        self._groups = [good] if self._one_person else [[one] for one in good]
        return self.more(context)

    def more(self, context: bpy.types.Context) -> set[str]:
        """Build the next head."""
        group = self._groups.pop(0)
        number, count = len(self._made), len(self._made) + len(self._groups) + 1
        together = of_one_person([answer.reconstruction for _, answer in group if answer.reconstruction is not None])
        shots = [
            Shot(one, answer.photo, functools.partial(self._background, at))
            for one, (at, answer) in zip(together, group, strict=True)
        ]
        parent = context.collection or context.scene.collection
        place = context.scene.cursor.location + number * BESIDE
        try:
            made = result.add(
                context.scene, parent, self._outcome.bundle, shots, options_from(context), place, self._before
            )
        except Exception:
            self.undo(context)
            raise
        self._made.append(made)
        if self._groups:
            show(context, Progress("Building the head", 0.95, number + 1, count))
            return {"RUNNING_MODAL"}
        return self._report(context)

    def undo(self, context: bpy.types.Context) -> None:
        """Take back the heads built so far."""
        self._before.restore(context.scene)

    def _background(self, at: int) -> bpy.types.Image | None:
        source = self._sources[at]
        if isinstance(source, Path):
            return images.upright(source)
        image = bpy.data.images.get(source)
        return None if image is None else images.upright_copy(image) or image

    def _report(self, context: bpy.types.Context) -> set[str]:
        selection.only(context, [made.head for made in self._made])
        selection.frame(context)
        remember(context, self._outcome.answers)
        failed = sum(answer.failure is not None for answer in self._outcome.answers)
        names = {"head": self._made[0].head.name, "photo": self._outcome.answers[0].photo}
        if failed:
            self.report(
                {"WARNING"},
                said("{made} heads were made, {failed} photos failed", made=len(self._made), failed=failed),
            )
        elif len(self._outcome.answers) == 1:
            self.report({"INFO"}, said("{head} was made from {photo}", **names))
        else:
            self.report({"INFO"}, said("{made} heads were made", made=len(self._made)))
        return {"FINISHED"}


def remember(context: bpy.types.Context, answers: tuple[Answer, ...]) -> None:
    """Keep what became of each of several photos, for the panel's list."""
    results = context.window_manager.likeness.results
    results.clear()
    if len(answers) == 1:
        return
    for answer in answers:
        entry = results.add()
        entry.name = answer.photo
        entry.failed = answer.failure is not None
        entry.message = sentence(answer.failure) if answer.failure is not None else ""


class LIKENESS_OT_reconstruct(Reconstructing, bpy.types.Operator):
    """Make an editable 3D head from the photo of a face"""

    bl_idname = "likeness.reconstruct"
    bl_label = "Reconstruct from Image"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File",
        description="Photo file to use in place of the panel's image",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    image: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Image",
        description="Name of the image datablock to use in place of the panel's image",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    face: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Face",
        description="Number of the face where the photo shows several, the largest and surest first",
        min=0,
        options={"SKIP_SAVE", "HIDDEN"},
    )
    box: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Face Box",
        description="Where the face is (left, top, width, height in pixels), from the brows to the chin; "
        "without a width it is found",
        size=4,
        options={"SKIP_SAVE", "HIDDEN"},
    )
    filter_glob: bpy.props.StringProperty(default=PATTERN, options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    _asked_for_file = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start in the background; without a photo, ask for a file first."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self.filepath and not self.image and context.scene.likeness.image is None:
            self._asked_for_file = True
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self._do(context, in_background=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it before returning, but for a file that was chosen in Blender's file browser."""
        in_background, self._asked_for_file = self._asked_for_file, False
        return self._do(context, in_background=in_background)

    def _do(self, context: bpy.types.Context, *, in_background: bool) -> set[str]:
        try:
            self._sources = (self._source(context),)
            job = self.job(context, self.face, tuple(self.box) if self.box[2] > 0.0 else None)
            return self.start(context, job) if in_background else self.at_once(context, job)
        except Failure as failure:
            return self.fail(context, failure)

    def _source(self, context: bpy.types.Context) -> Path | str:
        if self.filepath:
            path = Path(bpy.path.abspath(self.filepath))
            photo.read(path)  # what is wrong with the file is said at once
            return path
        if self.image:
            if self.image not in bpy.data.images:
                raise Failure("photo_missing", name=self.image)
            return str(self.image)
        if context.scene.likeness.image is None:
            raise Failure("photo_none")
        return str(context.scene.likeness.image.name)


class LIKENESS_OT_reconstruct_photos(Reconstructing, bpy.types.Operator):
    """Make heads from several photos, or from all photos in a folder"""

    bl_idname = "likeness.reconstruct_photos"
    bl_label = "Reconstruct from Photos"
    bl_options = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Folder", description="Folder of the photos", subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}
    )
    files: bpy.props.CollectionProperty(  # type: ignore[valid-type]
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    one_person: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="One Person",
        description="All photos show the same person: make one head with a camera and an expression for each photo",
        options={"SKIP_SAVE"},
    )
    filter_glob: bpy.props.StringProperty(default=PATTERN, options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for files where none were dropped; a folder without chosen files stands for all photos in it."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if self.directory and self.files:
            if len(self._paths()) > 1:
                return context.window_manager.invoke_props_dialog(self, title=said("Several Photos"))
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        """Beside the file browser and in the dialog."""
        self.layout.prop(self, "one_person")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In the background where there is a window to stay usable."""
        try:
            self._sources, self._one_person = self._paths(), self.one_person
            job = self.job(context)
            if bpy.app.background or context.window is None:
                return self.at_once(context, job)
            return self.start(context, job)
        except Failure as failure:
            return self.fail(context, failure)

    def _paths(self) -> tuple[Path, ...]:
        folder = Path(bpy.path.abspath(self.directory))
        named = tuple(folder / one.name for one in self.files if one.name)
        return named or photo.in_folder(folder)


CLASSES = (LIKENESS_OT_reconstruct, LIKENESS_OT_reconstruct_photos)
