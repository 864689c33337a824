"""`likeness doctor`: what is installed, which bundle is used, and whether both work."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from likeness import __version__, blender, cli

State = Literal["ok", "absent", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `needed` says whether `likeness reconstruct` cannot do without."""

    name: str
    state: State
    detail: str
    needed: bool = True

    @property
    def bad(self) -> bool:
        """Whether somebody has to do something: what is installed must work, what is needed must be installed."""
        return self.state == "broken" or (self.needed and self.state == "absent")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `likeness doctor`."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the bundle to check instead of the one that ships")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; return 0 if all is well, 1 otherwise."""
    findings = examine(args.bundle)
    if args.json:
        print(json.dumps({"version": __version__, "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            print(f"{finding.name:{width}}  {finding.state:6}  {finding.detail}")
    return cli.FAILED if any(finding.bad for finding in findings) else cli.DONE


def examine(bundle: Path | None = None) -> list[Finding]:
    """Look at everything, without changing anything."""
    return [
        Finding("likeness", "ok", __version__),
        Finding("python", "ok", f"{platform.python_version()}, {platform.platform()}"),
        *(check_module(name) for name in ("numpy", "PIL", "starlette", "uvicorn")),
        check_runtime(),
        check_blender(),
        check_module("torch", needed=False),
        check_bundle(bundle),
    ]


def check_module(name: str, *, needed: bool = True) -> Finding:
    """Import a module and tell its version."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        return Finding(name, "absent", f"pip install '{_requirement(name)}'", needed)
    except (ImportError, OSError) as error:
        return Finding(name, "broken", str(error), needed)
    return Finding(name, "ok", str(getattr(module, "__version__", "")), needed)


def check_runtime() -> Finding:
    """Tell onnxruntime's version and what it can run on."""
    finding = check_module("onnxruntime")
    if finding.state != "ok":
        return finding
    import onnxruntime

    return Finding(
        "onnxruntime", "ok", f"{onnxruntime.__version__}, {', '.join(onnxruntime.get_available_providers())}"
    )


def check_blender() -> Finding:
    """Tell the version of Blender's module, which only .npz files do without."""
    try:
        blender.load()
    except ModuleNotFoundError:
        return Finding(
            "bpy", "absent", f"pip install '{_requirement('bpy')}' (for .npz alone not needed)", needed=False
        )
    except blender.BlenderError as error:
        return Finding("bpy", "broken", str(error), needed=False)
    import bpy

    return Finding("bpy", "ok", bpy.app.version_string, needed=False)


def check_bundle(folder: Path | None) -> Finding:
    """Open the bundle, which checks the hash of each of its files."""
    if "absent" in {check_module(name).state for name in ("numpy", "PIL")}:
        return Finding("bundle", "absent", "numpy and Pillow are needed to look at it")
    from backend.bundle import open_bundle
    from backend.failures import Failure

    try:
        bundle = open_bundle(folder)
    except Failure as failure:
        return Finding("bundle", "broken", str(failure))
    sizes = f"{len(bundle.mean)} vertices, {len(bundle.identity)} identity columns"
    return Finding("bundle", "ok", f"{bundle.name} ({bundle.method}; {sizes}), all hashes right, {bundle.folder}")


def _requirement(module: str) -> str:
    extra = cli.EXTRAS.get(module)
    return f"likeness[{extra}]" if extra else "likeness"
