"""What somebody who helps wants to know, without what is nobody's business."""

from __future__ import annotations

import getpass
import platform
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

MANIFEST = Path(__file__).resolve().parents[1] / "blender_manifest.toml"

_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\";:,]+){2,}")


def version() -> str:
    """Of Likeness."""
    try:
        with MANIFEST.open("rb") as file:
            return str(tomllib.load(file)["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return "unknown"


def system() -> dict[str, str]:
    """Of the machine, as far as Python knows it."""
    return {
        "Likeness": version(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
    }


def report(facts: Mapping[str, object]) -> str:
    """Lines of `name: fact`, paths and the user's name masked."""
    return "\n".join(f"{name}: {mask(str(fact))}" for name, fact in facts.items()) + "\n"


def mask(text: str) -> str:
    """`text` with only the last part of every path in it, and without the user's name."""
    text = _PATH.sub(lambda found: ".../" + re.split(r"[\\/]", found.group())[-1], text)
    for name in {user_name(), Path.home().name} - {"", "root"}:
        text = re.sub(rf"\b{re.escape(name)}\b", "<user>", text)
    return text


def user_name() -> str:
    """The login name; empty where the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
