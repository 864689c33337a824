"""Builds the Blender extension: fetches the wheels that the manifest names, packs, validates.

    scripts/build_extension.py                                     one archive per platform, in dist/
    scripts/build_extension.py --platform linux-x64                that one alone
    scripts/build_extension.py --python 3.14 --platform linux-x64  for a distribution's Blender with another Python
    scripts/build_extension.py --pin                               write the manifest's list of wheels anew

An archive may hold wheels for several Pythons: Blender reads their file names, enables the extension where its own
Python is among them, and unpacks the fitting ones. With compiled wheels for 3.11 and 3.13 it refuses 3.14, hence
`--python`. Needs pip and, for packing, a `blender` (or `bpy`, whose builder is the same file).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "blender_manifest.toml"
PYTHONS = ("3.11", "3.13")


@dataclass(frozen=True)
class Platform:
    """What pip may take for it, how the tags of its wheels begin and end, and what only it needs."""

    tags: tuple[str, ...]
    family: tuple[str, str]
    extra: tuple[str, ...] = ()

    def takes(self, wheel: str) -> bool:
        """Whether the wheel file named `wheel` is compiled for this platform."""
        tag = wheel.removesuffix(".whl").rpartition("-")[2]
        return tag.startswith(self.family[0]) and tag.endswith(self.family[1])


PLATFORMS = {
    "linux-x64": Platform(
        ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"), ("manylinux", "_x86_64")
    ),
    "windows-x64": Platform(("win_amd64",), ("win", "_amd64"), ("colorama",)),
    "windows-arm64": Platform(("win_arm64",), ("win", "_arm64"), ("colorama",)),
    "macos-arm64": Platform(("macosx_14_0_arm64",), ("macosx", "_arm64")),
}
COMPILED = ("onnxruntime", "pillow")
# What the backend needs beside them and numpy, which Blender has: their requirements and starlette's and uvicorn's.
PURE = (
    *("anyio", "click", "flatbuffers", "h11", "idna", "packaging", "protobuf", "starlette"),
    *("typing-extensions", "uvicorn"),
)

_WHEELS = re.compile(r"^wheels = \[.*?^\]\n", re.MULTILINE | re.DOTALL)
_PLATFORMS = re.compile(r"^platforms = \[.*?\]\n", re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 where all archives were built and are valid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help="build for this one; may be repeated")
    parser.add_argument("--python", action="append", metavar="3.N", help="build for this Python; may be repeated")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder for the archives (dist/)")
    parser.add_argument("--blender", default=os.environ.get("BLENDER", ""), help="command that starts Blender")
    parser.add_argument("--pin", action="store_true", help="only write the list of wheels into the manifest")
    options = parser.parse_args(arguments)
    platforms = options.platform or list(PLATFORMS)
    wheels = ROOT / "wheels"
    wheels.mkdir(exist_ok=True)
    manifest = MANIFEST.read_text(encoding="utf-8")
    if options.pin:
        MANIFEST.write_text(with_wheels(manifest, resolve(PLATFORMS, PYTHONS, wheels)), encoding="utf-8")
        return 0
    if options.python:
        manifest = with_wheels(manifest, resolve(platforms, options.python, wheels))
    else:
        fetch(tomllib.loads(manifest)["wheels"], platforms, wheels)
    build(with_platforms(manifest, platforms), options.output.resolve(), builder(options.blender))
    return 0


def pinned(constraints: Path = ROOT / "constraints.txt") -> dict[str, str]:
    """Module name -> version, from the constraints file."""
    lines = (line.partition("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def resolve(platforms: Iterable[str], pythons: Iterable[str], folder: Path) -> list[str]:
    """Names of the wheels for all `platforms` and `pythons`, which lie in `folder` then."""
    names: set[str] = set()
    extra = {name for platform in platforms for name in PLATFORMS[platform].extra}
    for name in (*PURE, *sorted(extra)):
        names.add(download(name, ("any",), PYTHONS[0], folder))
    for platform in platforms:
        for python in pythons:
            names.update(download(name, PLATFORMS[platform].tags, python, folder) for name in COMPILED)
    return sorted(names)


def fetch(wheels: Iterable[str], platforms: Iterable[str], folder: Path) -> None:
    """Download those of the manifest's `wheels` (paths) that `platforms` need and `folder` lacks."""
    for wheel in wheels:
        name = Path(wheel).name
        distribution, _, python = name.split("-")[:3]
        compiled = [PLATFORMS[platform] for platform in platforms if PLATFORMS[platform].takes(name)]
        if (folder / name).exists() or not (compiled or name.endswith("-any.whl")):
            continue
        tags = compiled[0].tags if compiled else ("any",)
        version = f"3.{python[3:]}" if compiled else PYTHONS[0]
        found = download(distribution.replace("_", "-"), tags, version, folder)
        if found != name:
            raise SystemExit(f"The manifest names {name} and the index has {found}; run with --pin")


def download(name: str, tags: Sequence[str], python: str, folder: Path) -> str:
    """Fetch the pinned wheel of `name` for one platform into `folder`; return its file name."""
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--implementation", "cp", "--python-version", python]
        command += [word for tag in tags for word in ("--platform", tag)]
        subprocess.run([*command, "--dest", temporary, f"{name}=={pinned()[name]}"], check=True)
        (wheel,) = Path(temporary).iterdir()
        shutil.copyfile(wheel, folder / wheel.name)
        return wheel.name


def with_wheels(manifest: str, names: Iterable[str]) -> str:
    """The manifest's text with another list of wheels."""
    lines = "".join(f'  "./wheels/{name}",\n' for name in names)
    return _WHEELS.sub(f"wheels = [\n{lines}]\n", manifest)


def with_platforms(manifest: str, platforms: Iterable[str]) -> str:
    """The manifest's text for some of its platforms; Blender's builder leaves out the wheels of the others."""
    return _PLATFORMS.sub("platforms = [" + ", ".join(f'"{name}"' for name in platforms) + "]\n", manifest)


def builder(blender: str) -> list[str]:
    """The command to which `build` and `validate` are appended."""
    if blender or shutil.which("blender"):
        return [*shlex.split(blender or "blender"), "--factory-startup", "--command", "extension"]
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        raise SystemExit("No Blender: give --blender, or run with a Python that has bpy")
    (script,) = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    return [sys.executable, str(script)]


def build(manifest: str, output: Path, command: Sequence[str]) -> None:
    """Pack what git tracks (or would) with `manifest` and its wheels, one archive per platform, and validate them."""
    output.mkdir(parents=True, exist_ok=True)
    wheels = tomllib.loads(manifest)["wheels"]
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".build-extension-") as temporary:
        stage, packed = Path(temporary) / "source", Path(temporary) / "packed"
        packed.mkdir()
        for name in tracked():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, stage / name)
        (stage / "wheels").mkdir()
        present = [wheel for wheel in wheels if (ROOT / wheel).exists()]
        for wheel in present:
            os.link(ROOT / wheel, stage / wheel)
        names = [Path(wheel).name for wheel in present]
        (stage / "blender_manifest.toml").write_text(with_wheels(manifest, names), encoding="utf-8")
        arguments = ["build", "--source-dir", str(stage), "--output-dir", str(packed), "--split-platforms"]
        subprocess.run([*command, *arguments], check=True)
        for archive in sorted(packed.iterdir()):
            subprocess.run([*command, "validate", str(archive)], check=True)
            check(archive)
            target = output / archive.name
            shutil.move(archive, target)
            print(f"{target} {target.stat().st_size / 1e6:.1f} MB")


def tracked() -> list[str]:
    """The repository's files that are not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def check(archive: Path) -> None:
    """What Blender's `validate` does not look at: that the backend and its wheels are inside, and nothing else is."""
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    tops = {name.partition("/")[0] for name in names}
    expected = {"__init__.py", "blender_manifest.toml", "blender_addon", "backend", "wheels", "LICENSE", "README.md"}
    if tops != expected:
        raise SystemExit(f"{archive.name} holds {sorted(tops)}, not {sorted(expected)}")
    if not any(name.startswith("wheels/onnxruntime-") for name in names):
        raise SystemExit(f"{archive.name} lacks onnxruntime")


if __name__ == "__main__":
    sys.exit(main())
