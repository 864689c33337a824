"""The built extension in a real Blender with a window, without network. Two commands come from the environment:

LIKENESS_BLENDER starts Blender without a window (such as `blender`), LIKENESS_BLENDER_WINDOW with one (such as
`xvfb-run -s '-screen 0 1400x1100x24' blender`; by default the former). Both must see this repository under its path.
The screen must be high enough for the whole panel; its pictures are left in build/window/pictures.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "docs" / "samples" / "eileen_collins.jpg"
WORK = ROOT / "build" / "window"

COMMAND = shlex.split(os.environ.get("LIKENESS_BLENDER", ""))
WINDOW_COMMAND = shlex.split(os.environ.get("LIKENESS_BLENDER_WINDOW", "")) or COMMAND

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(not COMMAND, reason="no Blender with a window: LIKENESS_BLENDER names no command"),
]


def offline() -> list[str]:
    """What cuts a command off from every network but its own loopback, where this machine lets us."""
    cut = ["unshare", "--net", "--map-root-user"] if os.getuid() else ["unshare", "--net"]
    cut += ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    works = shutil.which("unshare") and not subprocess.run([*cut, "true"], capture_output=True, check=False).returncode
    return cut if works else []


def run(command: list[str], *arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [*offline(), *command, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=3600
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of their own for Blender, with the extension installed from its archive and enabled."""
    shutil.rmtree(WORK, ignore_errors=True)
    settings = WORK / "settings"
    settings.mkdir(parents=True)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(settings)}
    environment.pop("LIKENESS_BUNDLE", None)
    asked = "import json, sys; print('PYTHON', json.dumps(sys.version_info[:2]))"
    told = run(COMMAND, "-b", "--factory-startup", "--python-expr", asked, environment=environment)
    (version,) = (json.loads(line.split(" ", 1)[1]) for line in told.splitlines() if line.startswith("PYTHON "))
    script = [sys.executable, str(ROOT / "scripts" / "build_extension.py"), "--output", str(WORK)]
    script += ["--platform", "linux-x64", "--python", ".".join(map(str, version))]
    subprocess.run(script, check=True)
    (archive,) = WORK.glob("*.zip")
    install = ["--command", "extension", "install-file", "--repo", "user_default", "--enable", str(archive)]
    assert "Installed" in run(COMMAND, *install, environment=environment)
    return environment


def test_the_extension_works_in_the_background(environment: dict[str, str]) -> None:
    program = f"""
import bpy
assert bpy.ops.likeness.reconstruct(filepath={str(PHOTO)!r}) == {{"FINISHED"}}
(head,) = [thing for thing in bpy.data.objects if "likeness_method" in thing]
assert len(head.data.shape_keys.key_blocks) > 53
print("HEAD MADE")
"""
    assert "HEAD MADE" in run(
        COMMAND, "-b", "--python-exit-code", "9", "--python-expr", program, environment=environment
    )


def test_a_person_makes_a_head_through_the_panel(environment: dict[str, str]) -> None:
    pictures = WORK / "pictures"
    pictures.mkdir()
    steps = str(ROOT / "tests" / "window" / "panel_steps.py")
    run(
        WINDOW_COMMAND, "--enable-event-simulate", "--python", steps, "--", str(PHOTO), str(pictures),
        environment=environment,
    )  # fmt: skip
    if shutil.which("import"):
        assert (pictures / "panel.png").stat().st_size > 50_000
