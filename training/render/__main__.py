"""Runs the renderer, from any Python with bpy or inside Blender.

python -m training.render --output DATA --count 1000
blender -b --python training/render/__main__.py -- --output DATA --count 1000
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Exit status: 0 done, 1 some samples failed, 2 wrong usage."""
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    if arguments == ["--worker"]:
        from training.render import worker

        worker.main()
    from training.render import command

    parser = argparse.ArgumentParser(prog="likeness render", description="Render a dataset of faces.")
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


if __name__ == "__main__":
    # Blender runs this file by its path, and does not look for modules beside it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.exit(main())
