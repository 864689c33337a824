"""A progress line with rate and time left: tqdm's where it is installed, a plain one inside Blender."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_PLAIN_EVERY_S = 5.0


class Progress:
    """Counts work done towards a total; use as a context manager. ``done`` is what an earlier run finished.

    Nothing is printed where it is not ``shown``.
    """

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "img", shown: bool = True) -> None:
        self.label, self.total, self.count, self.unit = label, total, done, unit
        self._first, self._start, self._shown = done, time.monotonic(), 0.0 if shown else float("inf")
        try:
            from tqdm import tqdm
        except ImportError:
            self._bar = None
        else:
            self._bar = tqdm(
                total=total, initial=done, desc=label, unit=unit, smoothing=0.05, mininterval=0.5, disable=not shown
            )

    def __enter__(self) -> Progress:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the last line standing."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Counts steps; note is shown behind the line."""
        self.count += steps
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(steps)
            return
        now = time.monotonic()
        if self._shown == float("inf") or (now - self._shown < _PLAIN_EVERY_S and self.count < self.total):
            return
        self._shown = now
        rate = (self.count - self._first) / max(now - self._start, 1e-9)
        left = (self.total - self.count) / rate if rate else float("inf")
        line = f"{self.label}: {self.count}/{self.total} {rate:.2f} {self.unit}/s, {left:.0f} s left {note}\n"
        sys.stderr.write(line)
