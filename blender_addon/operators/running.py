"""Operators that let the backend work in the background: Blender stays usable, Esc stops, nothing is left behind."""

from typing import Any

import bpy

from ..failures import Failure
from ..server import Server
from ..words import said, sentence
from ..worker import Failed, Outcome, Progress, Work, Worker

TICK_SECONDS = 0.1
STOP_SECONDS = 5.0


class Running:
    """What outlives one click: the backend; and the worker and timer of the modal operator if one is under way."""

    def __init__(self) -> None:
        self.server = Server()
        self.worker: Worker | None = None
        self._timer: bpy.types.Timer | None = None

    def begin(self, context: bpy.types.Context, work: Work) -> None:
        """Start a worker, and a timer whose events let the modal operator read its messages."""
        self.worker = Worker(work, self.server)
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


class InBackground:
    """The modal half of an operator whose work is the backend's. Subclasses give `finish`."""

    poll_message_set: Any  # these two are bpy.types.Operator's
    report: Any

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> set[str]:
        """Do what is Blender's own part; raises Failure. RUNNING_MODAL asks for `more` at every tick."""
        raise NotImplementedError

    def more(self, context: bpy.types.Context) -> set[str]:
        """The next piece of what `finish` has begun; raises Failure."""
        return {"FINISHED"}

    def undo(self, context: bpy.types.Context) -> None:
        """Take back the pieces done so far."""

    _finishing = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One at a time."""
        if context.window_manager.likeness.running:
            cls.poll_message_set(sentence(Failure("busy")))
            return False
        return True

    def begin(self, context: bpy.types.Context, work: Work) -> set[str]:
        """Start; the operator goes on in `modal`."""
        manager = context.window_manager
        state = manager.likeness
        state.running, state.cancelling, state.progress = True, False, 0.0
        state.stage = said("Starting")
        running.begin(context, work)
        manager.modal_handler_add(self)
        redraw(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the worker's messages by a timer; Esc or the panel's Cancel ends it."""
        state = context.window_manager.likeness
        if running.worker is None or event.type == "ESC" or state.cancelling:
            self.cancel(context)
            return self.fail(context, Failure("cancelled"))
        if self._finishing:
            # Nothing else may happen in between: an undo would take away half of what is being made.
            return self._finish(context, None) if event.type == "TIMER" else {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        for message in running.worker.messages():
            if isinstance(message, Progress):
                show(context, message)
            elif isinstance(message, Failed):
                self._end(context)
                return self.fail(context, message.failure)
            else:
                return self._finish(context, message)
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this, too, where another file is opened in the middle."""
        if self._finishing:
            self.undo(context)
        self._end(context)

    def fail(self, context: bpy.types.Context, failure: Failure) -> set[str]:
        """Say what went wrong; it is kept for the diagnostics, unless the user wanted it so."""
        if failure.code != "cancelled":
            context.window_manager.likeness.last_error = str(failure)
        self.report({"WARNING" if failure.code == "cancelled" else "ERROR"}, sentence(failure))
        return {"CANCELLED"}

    def _finish(self, context: bpy.types.Context, outcome: Outcome | None) -> set[str]:
        try:
            result = self.more(context) if outcome is None else self.finish(context, outcome)
        except Failure as failure:
            self._end(context)
            return self.fail(context, failure)
        except Exception:
            self._end(context)
            raise
        self._finishing = "RUNNING_MODAL" in result
        if not self._finishing:
            self._end(context)
        return result

    def _end(self, context: bpy.types.Context) -> None:
        running.end(context.window_manager)
        state = context.window_manager.likeness
        state.running = state.cancelling = False
        redraw(context)


def show(context: bpy.types.Context, progress: Progress) -> None:
    """In the panel."""
    state = context.window_manager.likeness
    count = f" {progress.photo}/{progress.photos}" if progress.photos > 1 else ""
    state.stage, state.progress = said(progress.stage) + count, progress.fraction
    redraw(context)


def redraw(context: bpy.types.Context) -> None:
    """The sidebars, since the views themselves show nothing new."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
