"""Clicks through Blender's own window, from inside: `blender --enable-event-simulate --python STEPS -- OUTPUT`.

A test's steps are a generator; what it yields are the seconds that Blender gets for itself before the next step.
Buttons are found by the operator or property that Blender names for what lies under the mouse.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import bpy

Steps = Generator[float, None, None]

SETTLE = 0.1
SCAN_STEP_PX = 9
SCAN_PAUSE = 0.05
WHEEL_STEPS = 8


class Driver:
    """Drives the first window; quits Blender at the end, with status 1 and a traceback where a step fails."""

    def __init__(self, steps: Callable[[Driver], Steps], limit_seconds: float) -> None:
        self._steps = steps(self)
        self._limit = limit_seconds
        self._mouse = (0, 0)
        self._scrolled = 0
        self._places: dict[str, tuple[int, int]] = {}  # where buttons were last

    def start(self) -> None:
        """Begin as soon as the window is there."""
        preferences = bpy.context.preferences
        preferences.use_preferences_save = False
        preferences.view.show_splash = False
        preferences.view.filebrowser_display_type = "SCREEN"
        self._started = time.monotonic()
        bpy.app.timers.register(self._tick, first_interval=1.0, persistent=True)

    def _tick(self) -> float | None:
        try:
            if time.monotonic() - self._started > self._limit:
                raise TimeoutError(f"the steps took longer than {self._limit} s")
            return next(self._steps)
        except StopIteration:
            bpy.ops.wm.quit_blender()
        except BaseException:  # noqa: BLE001  whatever it is, a window has no other way to end with a status
            traceback.print_exc()
            os._exit(1)
        return None

    @property
    def window(self) -> bpy.types.Window:
        """The first window."""
        return bpy.context.window_manager.windows[0]

    def area(self, kind: str = "VIEW_3D") -> bpy.types.Area:
        """The first area of a kind."""
        return next(area for area in self.window.screen.areas if area.type == kind)

    def region(self, kind: str, area: str = "VIEW_3D") -> bpy.types.Region:
        """The region of a kind in the first area of a kind."""
        return next(region for region in self.area(area).regions if region.type == kind)

    def override(self, kind: str, area: str = "VIEW_3D") -> object:
        """A context for operators that belong to a region."""
        window = self.window
        return bpy.context.temp_override(
            window=window, screen=window.screen, area=self.area(area), region=self.region(kind, area)
        )

    def move(self, x: float, y: float, pause: float = SETTLE) -> Iterator[float]:
        """The mouse, in window pixels from the lower left."""
        self._mouse = int(x), int(y)
        self.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=self._mouse[0], y=self._mouse[1])
        yield pause

    def press(self, key: str, **modifiers: bool) -> Iterator[float]:
        """A key or button, down and up, where the mouse is."""
        for value in ("PRESS", "RELEASE"):
            self.window.event_simulate(type=key, value=value, x=self._mouse[0], y=self._mouse[1], **modifiers)
            yield SETTLE

    def type_text(self, text: str) -> Iterator[float]:
        """Into the field that is being edited."""
        for letter in text:
            key = letter.upper() if letter.isalpha() and letter.isascii() else "SPACE"
            x, y = self._mouse
            self.window.event_simulate(type=key, value="PRESS", unicode=letter, x=x, y=y)
            self.window.event_simulate(type=key, value="RELEASE", x=x, y=y)
        yield 3 * SETTLE

    def until(self, true: Callable[[], object], seconds: float, what: str) -> Iterator[float]:
        """Wait."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s still not: {what}")
            yield SETTLE

    def open_tab(self, name: str) -> Iterator[float]:
        """The sidebar of the 3D view at one of its tabs."""
        area = self.area()
        area.spaces.active.show_region_ui = True
        area.tag_redraw()
        region = self.region("UI")
        yield from self.until(lambda: region.width > 1, 10, "the sidebar is open")
        yield 0.5
        region.active_panel_category = name
        area.tag_redraw()
        yield 0.5

    def hover(self, wanted: str) -> Iterator[float]:
        """Move over the sidebar until the button there is `wanted`: an operator's name, or the end of a data path.

        A sidebar longer than the window is scrolled down, and left so.
        """
        region = self.region("UI")
        for found, (x, y) in list(self._places.items()):
            if _is(found, wanted) and (yield from self._onto(found, x, y)):
                return
        self._places.clear()
        if self._scrolled:
            yield from self._wheel(-self._scrolled)
        while True:
            known = len(self._places)
            for across in (0.45, 0.75, 0.2, 0.92):
                x = region.x + int((region.width - 30) * across)
                for y in range(region.y + region.height - 4, region.y, -SCAN_STEP_PX):
                    yield from self.move(x, y, SCAN_PAUSE)
                    found = self._button()
                    if not found:
                        continue
                    self._places[found] = x, y
                    if _is(found, wanted) and (yield from self._onto(found, x, y)):
                        return
            if len(self._places) == known:
                raise LookupError(f"no button {wanted} in the sidebar, only {sorted(self._places)}")
            yield from self._wheel(WHEEL_STEPS)

    def _onto(self, button: str, x: float, y: float) -> Generator[float, None, bool]:
        """To the middle of a button that is at a place, maybe at its edge; whether Blender has followed."""
        # The button that the mouse leaves takes a move of its own, and what is told meanwhile may be the last button's.
        for beside in (-1, -3, -2, 1, 3, 0):
            yield from self.move(x, y + beside)
            if self._button() == button:
                yield SETTLE
                if self._button() == button:
                    return True
        return False

    def _wheel(self, steps: int) -> Iterator[float]:
        """Scroll the sidebar down, up for negative `steps`."""
        region = self.region("UI")
        yield from self.move(region.x + region.width / 2, region.y + region.height / 2)
        x, y = self._mouse
        kind = "WHEELDOWNMOUSE" if steps > 0 else "WHEELUPMOUSE"
        for _ in range(abs(steps)):
            self.window.event_simulate(type=kind, value="PRESS", x=x, y=y)
            yield SETTLE
        self._scrolled = max(0, self._scrolled + steps)
        yield 3 * SETTLE

    def click(self, wanted: str) -> Iterator[float]:
        """Find a button and press it."""
        yield from self.hover(wanted)
        yield from self.press("LEFTMOUSE")

    def drag(self, wanted: str, pixels: int) -> Iterator[float]:
        """Find a slider and drag it sideways."""
        yield from self.hover(wanted)
        x, y = self._mouse
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=x, y=y)
        yield SETTLE
        for step in range(1, 9):
            yield from self.move(x + pixels * step / 8, y, SETTLE / 2)
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=self._mouse[0], y=y)
        yield 3 * SETTLE

    def _button(self) -> str:
        manager = bpy.context.window_manager
        with self.override("UI"):
            for copy, options in (
                (bpy.ops.ui.copy_python_command_button, {}),
                (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
            ):
                if not copy.poll():
                    continue
                manager.clipboard = ""
                copy(**options)
                if manager.clipboard:
                    return str(manager.clipboard)
        return ""

    def choose_file(self, path: Path) -> Iterator[float]:
        """Answer the file browser that a click has opened."""
        screen = self.window.screen
        yield from self.until(
            lambda: any(area.type == "FILE_BROWSER" for area in self.window.screen.areas), 10, "a file browser is open"
        )
        yield 0.5
        parameters = self.area("FILE_BROWSER").spaces.active.params
        parameters.directory = os.fsencode(f"{path.parent}/")
        parameters.filename = path.name
        yield 0.5
        with self.override("WINDOW", "FILE_BROWSER"):
            bpy.ops.file.execute()
        yield from self.until(
            lambda: self.window.screen != screen or self._has_view(), 10, "the file browser is closed"
        )
        yield 0.5

    def _has_view(self) -> bool:
        return any(area.type == "VIEW_3D" for area in self.window.screen.areas)

    def screenshot(self, path: Path) -> Iterator[float]:
        """Of the whole X screen, by ImageMagick, where there is one; Blender's own is black on software OpenGL."""
        for _ in range(2):  # panels that have just come or gone are laid out at the second time
            for area in self.window.screen.areas:
                area.tag_redraw()
            yield 0.5
            area = self.window.screen.areas[0]
            with bpy.context.temp_override(window=self.window, area=area, region=area.regions[0]):
                bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", "-strip", str(path)], check=True)


def _is(button: str, wanted: str) -> bool:
    return button.startswith(f"bpy.ops.{wanted}(") or button.endswith(wanted)
