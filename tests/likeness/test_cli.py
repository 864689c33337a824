from __future__ import annotations

import argparse
import subprocess
import sys
import types
from pathlib import Path

import pytest

from likeness import __version__, cli

ROOT = Path(__file__).resolve().parents[2]


def run_as_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "likeness", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def stand_in(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    module = types.ModuleType("stand_in")
    module.add_arguments = lambda parser: parser.add_argument("--size", type=int)  # type: ignore[attr-defined]
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setattr(cli, "load", lambda name: module)


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from likeness import cli; text = cli.build_parser(None).format_help(); "
        "assert all(name in text for name in cli.COMMANDS), text; "
        "print(sorted({'numpy', 'bpy', 'torch', 'onnxruntime', 'backend', 'training'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version() -> None:
    assert run_as_command("--version").stdout.strip() == f"likeness {__version__}"


@pytest.mark.parametrize("arguments", [(), ("bogus",), ("reconstruct",), ("reconstruct", "a.jpg")])
def test_wrong_usage_exits_2_and_says_so(arguments: tuple[str, ...]) -> None:
    done = run_as_command(*arguments)
    assert done.returncode == 2
    assert "usage: likeness" in done.stderr
    assert done.stdout == ""


def test_arguments_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[argparse.Namespace] = []

    def run(args: argparse.Namespace) -> int:
        seen.append(args)
        return 1

    stand_in(monkeypatch, run)
    assert cli.main(["doctor", "--size", "3"]) == 1
    assert seen[0].size == 3


@pytest.mark.parametrize(("module", "extra"), [("torch", "training"), ("bpy", "blender"), ("onnxruntime", "cpu")])
def test_missing_dependency_names_its_extra(
    module: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise ModuleNotFoundError(f"No module named {module!r}", name=f"{module}.sub")

    stand_in(monkeypatch, run)
    assert cli.main(["train"]) == 1
    message = capsys.readouterr().err
    assert f"likeness[{extra}]" in message
    assert message.count("\n") == 1


def test_missing_module_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: argparse.Namespace) -> int:
        raise ModuleNotFoundError("No module named 'backend.lost'", name="backend.lost")

    stand_in(monkeypatch, run)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["serve"])


def test_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    stand_in(monkeypatch, run)
    assert cli.main(["render"]) == 130
    assert capsys.readouterr().err == "likeness: interrupted\n"


def test_every_optional_dependency_names_an_extra_that_exists() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(cli.EXTRAS.values()) <= set(project["optional-dependencies"])


def test_the_help_of_every_command_needs_no_optional_dependency() -> None:
    code = (
        "import sys; from likeness import cli\n"
        "for name in ('bpy', 'torch', 'onnxruntime', 'onnx', 'scipy', 'anny'): sys.modules[name] = None\n"
        "for name in cli.COMMANDS: print(name, len(cli.build_parser(name).format_help()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(cli.COMMANDS)
