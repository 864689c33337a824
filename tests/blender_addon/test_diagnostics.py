from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon import diagnostics
from likeness import __version__


def test_paths_keep_only_their_last_part() -> None:
    text = diagnostics.mask("The photo /home/ada/private/me.jpg and C:\\Users\\Ada\\x\\head.blend, not a/b")
    assert "private" not in text and "Users" not in text
    assert ".../me.jpg" in text and ".../head.blend" in text and text.endswith("not a/b")


def test_the_users_name_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "user_name", lambda: "ada")
    monkeypatch.setattr(Path, "home", lambda: Path("/home/lovelace"))
    assert diagnostics.mask("ada sent lovelace's photo to adam") == "<user> sent <user>'s photo to adam"


def test_the_report_has_a_line_for_each_fact() -> None:
    lines = diagnostics.report({**diagnostics.system(), "Last error": "none"}).splitlines()
    assert lines[0] == f"Likeness: {__version__}"
    assert lines[-1] == "Last error: none"
