"""The command `likeness`: finds the sub-command, imports only that one, runs it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from likeness import __version__


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: what `likeness --help` says of it, and the module that has `add_arguments` and `run`."""

    help: str
    module: str


class _Module(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


COMMANDS: Final = {
    "reconstruct": Command("make heads from photos: .blend, .glb, .fbx, .obj or .npz", "likeness.reconstruct"),
    "serve": Command("run the local server that Blender talks to", "backend.command"),
    "render": Command("render faces of a synthetic population as training data", "training.render.command"),
    "render-objects": Command(
        "render objects, or heads, from several sides as training data", "training.render.objects"
    ),
    "render-detail": Command("render faces whose fine relief is known as training data", "training.render.detail"),
    "register": Command("make a population from scans or a face model", "training.registration.command"),
    "train": Command("train a recipe on rendered faces", "training.recipes.command"),
    "train-detail": Command("train the network that finds fine relief in photos", "training.detail.command"),
    "evaluate": Command("measure a bundle on a test set", "training.evaluation.command"),
    "export": Command("export a trained recipe as a bundle", "training.export.command"),
    "fit-tone": Command(
        "fit to rendered faces how a bundle's skin tone is corrected by photos", "training.tone.command"
    ),
    "doctor": Command("say what is installed and whether it works", "likeness.doctor"),
}

# The optional dependencies by the extra that installs them.
EXTRAS: Final = {
    "bpy": "blender",
    "mathutils": "blender",
    "onnxruntime": "cpu",
    "anny": "training",
    "h5py": "training",
    "matplotlib": "training",
    "onnx": "training",
    "rtree": "training",
    "scipy": "training",
    "torch": "training",
    "tqdm": "training",
    "trimesh": "training",
    "webdataset": "training",
}

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it


def build_parser(selected: str | None) -> argparse.ArgumentParser:
    """Return the parser; only the `selected` sub-command's module is imported and has its options in it."""
    parser = argparse.ArgumentParser(
        prog="likeness", description="One face photo becomes an editable 3D head.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"likeness {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(name, help=command.help, description=_sentence(command.help))
        if name == selected:
            load(name).add_arguments(subparser)
    return parser


def load(name: str) -> _Module:
    """Import the module of a sub-command."""
    return cast(_Module, importlib.import_module(COMMANDS[name].module))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit status: 0 done, 1 some inputs failed, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    selected = words[0] if words and words[0] in COMMANDS else None
    try:
        args = build_parser(selected).parse_args(words)
        return load(args.command).run(args)
    except KeyboardInterrupt:
        print("likeness: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone: nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(missing_dependency(error.name or "", extra), file=sys.stderr)
        return FAILED


def missing_dependency(module: str, extra: str) -> str:
    """Return the sentence for a module that is not installed."""
    return f"likeness: this needs {module}, which is not installed: pip install 'likeness[{extra}]'"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
