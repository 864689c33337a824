"""The operators: they check, report, and hand the work to others."""

from pathlib import Path

import bpy

from . import head, images, photo
from .failures import Failure
from .photo import Photo
from .preferences import settings
from .server import Server
from .worker import Failed, Finished, Job, Progress, Worker, reconstruct

TICK_SECONDS = 0.1
STOP_SECONDS = 5.0


class Running:
    """What outlives one click: the backend; and the worker and timer of the modal operator if one is under way."""

    def __init__(self) -> None:
        self.server = Server()
        self.worker: Worker | None = None
        self._timer: bpy.types.Timer | None = None

    def begin(self, context: bpy.types.Context, job: Job) -> None:
        """Start a worker, and a timer whose events let the modal operator read its messages."""
        self.worker = Worker(job, self.server)
        self.worker.start()
        self._timer = context.window_manager.event_timer_add(TICK_SECONDS, window=context.window)

    def end(self, manager: bpy.types.WindowManager) -> None:
        """Forget the worker, cancelled if it still works, and take the timer away."""
        if self._timer is not None:
            manager.event_timer_remove(self._timer)
            self._timer = None
        if self.worker is not None:
            self.worker.cancel()
            self.worker = None

    def stop(self) -> None:
        """End the backend and wait for the worker."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.cancel()
        self.server.stop()
        if worker is not None:
            worker.join(STOP_SECONDS)


running = Running()


class LIKENESS_OT_reconstruct(bpy.types.Operator):
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
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default="*.jpg;*.jpeg;*.png;*.webp;*.tif;*.tiff;*.bmp", options={"HIDDEN", "SKIP_SAVE"}
    )

    _asked_for_file = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Heads are added in Object Mode, one at a time."""
        if context.window_manager.likeness.running:
            cls.poll_message_set(str(Failure("busy")))
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set(str(Failure("mode", mode=context.mode.replace("_", " ").title())))
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start in the background; without a photo, ask for a file first."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self.filepath and not self.image and context.scene.likeness.image is None:
            self._asked_for_file = True
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self._start(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it before returning, but for a file that was chosen in Blender's file browser."""
        if self._asked_for_file:
            self._asked_for_file = False
            return self._start(context)
        try:
            finished = reconstruct(self._job(context), running.server, lambda progress: None)
            return self._finish(context, finished)
        except Failure as failure:
            return self._fail(failure)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the worker's messages by a timer; Esc or the panel's Cancel ends it."""
        state = context.window_manager.likeness
        worker = running.worker
        if worker is None or event.type == "ESC" or state.cancelling:
            self.cancel(context)
            return self._fail(Failure("cancelled"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        for message in worker.messages():
            match message:
                case Progress():
                    state.stage, state.progress = message.stage, message.fraction
                    _redraw(context)
                case Failed():
                    self._end(context)
                    return self._fail(message.failure)
                case Finished():
                    self._end(context)
                    result = self._finish(context, message)
                    _frame_selected(context)
                    return result
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this, too, where another file is opened in the middle."""
        self._end(context)

    def _job(self, context: bpy.types.Context) -> Job:
        return Job(self._photo(context), settings(context).launch())

    def _photo(self, context: bpy.types.Context) -> Photo:
        if self.filepath:
            return photo.read(Path(bpy.path.abspath(self.filepath)))
        if self.image:
            image = bpy.data.images.get(self.image)
            if image is None:
                raise Failure("photo_missing", name=self.image)
            return images.read(image)
        if context.scene.likeness.image is None:
            raise Failure("photo_none")
        return images.read(context.scene.likeness.image)

    def _start(self, context: bpy.types.Context) -> set[str]:
        try:
            job = self._job(context)
        except Failure as failure:
            return self._fail(failure)
        manager = context.window_manager
        state = manager.likeness
        state.running, state.cancelling, state.stage, state.progress = True, False, "Starting", 0.0
        running.begin(context, job)
        manager.modal_handler_add(self)
        _redraw(context)
        return {"RUNNING_MODAL"}

    def _end(self, context: bpy.types.Context) -> None:
        running.end(context.window_manager)
        state = context.window_manager.likeness
        state.running = state.cancelling = False
        _redraw(context)

    def _finish(self, context: bpy.types.Context, finished: Finished) -> set[str]:
        context.window_manager.likeness.provider = finished.provider
        collection = context.collection or context.scene.collection
        made = head.create(finished.bundle, finished.reconstruction, collection, photo=finished.photo)
        made.location = context.scene.cursor.location
        for thing in context.selected_objects:
            thing.select_set(False)
        made.select_set(True)
        context.view_layer.objects.active = made
        self.report({"INFO"}, f"{made.name} was made from {finished.photo}")
        return {"FINISHED"}

    def _fail(self, failure: Failure) -> set[str]:
        self.report({"WARNING" if failure.code == "cancelled" else "ERROR"}, str(failure))
        return {"CANCELLED"}


class LIKENESS_OT_cancel(bpy.types.Operator):
    """Stop the reconstruction that is under way"""

    bl_idname = "likeness.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while something runs."""
        return bool(context.window_manager.likeness.running)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Tell the modal operator."""
        context.window_manager.likeness.cancelling = True
        return {"FINISHED"}


def _frame_selected(context: bpy.types.Context) -> None:
    """A head is a tenth of what Blender shows at first, and may lie inside the default cube: bring it into view."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        return
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(area=area, region=region):
        if bpy.ops.view3d.view_selected.poll():
            bpy.ops.view3d.view_selected()


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":  # the view itself shows nothing new
                        region.tag_redraw()


CLASSES = (LIKENESS_OT_reconstruct, LIKENESS_OT_cancel)
