"""`likeness serve`: the server by hand, for scripts and for Blenders elsewhere on this machine."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `likeness serve`."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle to run instead of the one that ships")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port on 127.0.0.1 (default: a free one)")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted; return 0, or 1 when the server cannot start.

    The token is the environment's `LIKENESS_TOKEN`, or a new one, which is shown.
    """
    from backend.failures import Failure
    from backend.listen import HOST, Listener
    from backend.pipeline import Reconstructor

    token = os.environ.get("LIKENESS_TOKEN") or secrets.token_urlsafe(32)
    try:
        reconstructor = Reconstructor.open(args.bundle)
        listener = Listener(reconstructor, token, args.port)
    except Failure as failure:
        print(f"likeness: {failure}", file=sys.stderr)
        return 1
    except (OSError, OverflowError) as error:
        print(f"likeness: port {args.port} cannot be used ({error}); choose another with --port", file=sys.stderr)
        return 1
    address = f"http://{HOST}:{listener.port}"
    print(f"{address}  bundle {reconstructor.bundle.name}, {reconstructor.provider}; stop with Ctrl-C")
    print(
        f"curl -H 'Authorization: Bearer {token}' -H 'Likeness-Protocol: 1' --data-binary @photo.jpg "
        f"{address}/v1/reconstruct",
        flush=True,
    )
    try:
        listener.run()
    except KeyboardInterrupt:
        return 0
    return 0
