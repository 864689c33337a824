"""`python -m backend --bundle DIR`: the child process of Blender, which lives as long as its standard input is open."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from backend.failures import Failure

TOKEN = "LIKENESS_TOKEN"
GRACE_SECONDS = 2.0


def main() -> int:
    """Read the token, load the bundle, serve until standard input closes; the exit status is 1 on a failure.

    The token is the first line of standard input, or the environment's `LIKENESS_TOKEN`: arguments can be read by
    others. The one line on standard output is JSON: port, protocol, version.
    """
    parser = argparse.ArgumentParser(prog="python -m backend", description="Likeness' local server.")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle to run instead of the one that ships")
    options = parser.parse_args()
    token = os.environ.get(TOKEN) or _first_line()
    if not token:
        print(f"The backend needs a token; give it on standard input's first line or in {TOKEN}.", file=sys.stderr)
        return 2
    from backend.listen import Listener
    from backend.pipeline import Reconstructor

    try:
        listener = Listener(Reconstructor.open(options.bundle), token)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    threading.Thread(target=_stop_with_stdin, args=(listener.stop,), daemon=True).start()
    listener.announce(sys.stdout)
    listener.run()
    return 0


# Standard input is read without Python's buffer: a thread that waits in that when the interpreter ends aborts it.
def _first_line() -> str:
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode("ascii", "replace").strip()


def _stop_with_stdin(stop: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):  # a broken pipe is a closed one
        while os.read(0, 4096):
            pass
    stop()
    # A photo under way is not waited for: nobody is there to see the result.
    threading.Event().wait(GRACE_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
