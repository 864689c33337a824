"""Writing output files so that an old one is replaced only by a whole new one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside `folder`; its files are moved to `folder` if the block succeeds, else removed.

    `folder` is made if absent. Files written together keep their names, so references between them (an .obj to its
    .mtl) stay right. Raises OSError when `folder` cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        temporary = tempfile.TemporaryDirectory(prefix=".likeness-", dir=folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
    with temporary:
        staging = Path(temporary.name)
        yield staging
        for path in sorted(staging.iterdir()):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, dirs_exist_ok=True)
            else:
                path.replace(folder / path.name)


@contextmanager
def held_stdout() -> Iterator[None]:
    """Keep what Blender and its exporters print away from standard output; show it on standard error on failure."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 1)
        try:
            yield
        except Exception:
            sys.stdout.flush()
            chatter.seek(0)
            sys.stderr.write(chatter.read().decode(errors="replace"))
            raise
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
