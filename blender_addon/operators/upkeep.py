"""The backend and the model: test, stop, look at, go back; and what to send to somebody who helps."""

import functools
import sys
from pathlib import Path

import bpy

from .. import bundle, diagnostics
from ..failures import Failure
from ..preferences import preferences, settings
from ..words import said, sentence
from ..worker import Health, Outcome, test
from .running import InBackground, redraw, running

MEGABYTE = 1024 * 1024


class LIKENESS_OT_test_backend(InBackground, bpy.types.Operator):
    """Start the backend and ask it how it is"""

    bl_idname = "likeness.test_backend"
    bl_label = "Test"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In the background where there is a window to stay usable."""
        work = functools.partial(test, settings(context).launch())
        if not bpy.app.background and context.window is not None:
            return self.begin(context, work)
        try:
            return self.finish(context, work(running.server, lambda progress: None, lambda: False))
        except Failure as failure:
            return self.fail(context, failure)

    def finish(self, context: bpy.types.Context, outcome: Outcome) -> set[str]:
        """Show what it said."""
        assert isinstance(outcome, Health)
        state = context.window_manager.likeness
        state.provider = outcome.provider
        state.memory = (outcome.memory or 0) // MEGABYTE
        self.report(
            {"INFO"},
            said(
                "The backend works: {provider}, model {bundle}",
                provider=outcome.provider.removesuffix("ExecutionProvider"),
                bundle=outcome.bundle,
            ),
        )
        return {"FINISHED"}


class LIKENESS_OT_stop_backend(bpy.types.Operator):
    """End the backend's process and free its memory; the next reconstruction starts it again"""

    bl_idname = "likeness.stop_backend"
    bl_label = "Stop"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """While it runs and has nothing to do."""
        if context.window_manager.likeness.running:
            cls.poll_message_set(sentence(Failure("busy")))
            return False
        if running.server.pid is None:
            cls.poll_message_set(said("The backend does not run"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End it."""
        running.server.stop()
        state = context.window_manager.likeness
        state.provider, state.memory = "", 0
        redraw(context)
        return {"FINISHED"}


class LIKENESS_OT_open_bundle(bpy.types.Operator):
    """Show the folder of the model in the system's file browser"""

    bl_idname = "likeness.open_bundle"
    bl_label = "Open Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Whatever the system opens folders with."""
        folder = settings(context).bundle
        if not folder.is_dir():
            self.report({"ERROR"}, sentence(Failure("bundle_missing", name="bundle.json", folder=folder)))
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


class LIKENESS_OT_remove_bundle(bpy.types.Operator):
    """Use the model that comes with Likeness again; no file is deleted"""

    bl_idname = "likeness.remove_bundle"
    bl_label = "Remove"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where another was chosen."""
        stored = preferences(context)
        if stored is None or not stored.bundle_folder:
            cls.poll_message_set(said("The model that comes with Likeness is in use"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget the choice."""
        stored = preferences(context)
        if stored is not None:
            stored.bundle_folder = ""
        return {"FINISHED"}


class LIKENESS_OT_copy_diagnostics(bpy.types.Operator):
    """Copy versions, device and the last error to the clipboard, to send to somebody who helps; without your paths"""

    bl_idname = "likeness.copy_diagnostics"
    bl_label = "Copy Diagnostics"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """To the system's clipboard."""
        context.window_manager.clipboard = diagnostics.report(facts(context))
        self.report({"INFO"}, said("The diagnostics are in the clipboard"))
        return {"FINISHED"}


class LIKENESS_OT_clear_results(bpy.types.Operator):
    """Forget the list of the last photos"""

    bl_idname = "likeness.clear_results"
    bl_label = "Clear"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The heads stay."""
        context.window_manager.likeness.results.clear()
        return {"FINISHED"}


class LIKENESS_OT_cancel(bpy.types.Operator):
    """Stop what the backend is working on"""

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


def facts(context: bpy.types.Context) -> dict[str, object]:
    """What the diagnostics say."""
    state = context.window_manager.likeness
    chosen = settings(context)
    own = not chosen.python or chosen.python == sys.executable
    return {
        **diagnostics.system(),
        "Blender": f"{bpy.app.version_string} ({bpy.app.build_platform.decode(errors='replace')})",
        "Backend Python": "Blender's own" if own else Path(chosen.python).name,
        "Backend": f"running, {state.provider or 'not asked yet'}" if running.server.pid else "not running",
        "Model": _model(chosen.bundle),
        "Last error": state.last_error or "none",
    }


def _model(folder: Path) -> str:
    try:
        loaded = bundle.load(folder)
    except Failure as failure:
        return str(failure)
    return f"{loaded.name}, {loaded.method}, {loaded.sha256[:12]}, {len(loaded.sliders)} named sliders"


CLASSES = (
    LIKENESS_OT_test_backend,
    LIKENESS_OT_stop_backend,
    LIKENESS_OT_open_bundle,
    LIKENESS_OT_remove_bundle,
    LIKENESS_OT_copy_diagnostics,
    LIKENESS_OT_clear_results,
    LIKENESS_OT_cancel,
)
