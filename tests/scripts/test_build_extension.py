from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import backend
import likeness

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_extension", ROOT / "scripts" / "build_extension.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))


def test_the_versions_agree(manifest: dict[str, Any]) -> None:
    assert manifest["version"] == likeness.__version__ == backend.__version__


def test_every_platform_has_each_module_for_both_pythons(script: ModuleType, manifest: dict[str, Any]) -> None:
    names = [Path(wheel).name for wheel in manifest["wheels"]]
    assert set(manifest["platforms"]) == set(script.PLATFORMS)
    for platform in script.PLATFORMS.values():
        for module in script.COMPILED:
            fitting = {name.split("-")[2] for name in names if name.startswith(f"{module}-") and platform.takes(name)}
            assert fitting == {"cp311", "cp313"}
        for module in (*script.PURE, *platform.extra):
            assert [name for name in names if name.startswith(f"{module.replace('-', '_')}-") and "-any" in name]


def test_the_wheels_are_the_pinned_versions(script: ModuleType, manifest: dict[str, Any]) -> None:
    pinned = script.pinned()
    for wheel in manifest["wheels"]:
        module, version = Path(wheel).name.split("-")[:2]
        assert pinned[module.replace("_", "-")] == version, wheel


def test_the_wheels_are_all_that_the_backend_needs(script: ModuleType) -> None:
    requirements = pytest.importorskip("packaging.requirements")
    for platform, system in (("linux-x64", "Linux"), ("windows-x64", "Windows"), ("macos-arm64", "Darwin")):
        for python in script.PYTHONS:
            setting = {"python_version": python, "python_full_version": f"{python}.0", "platform_system": system}
            setting |= {"sys_platform": {"Windows": "win32"}.get(system, system.lower()), "extra": ""}
            needed, todo = set(), ["onnxruntime", "pillow", "starlette", "uvicorn"]
            while todo:
                name = todo.pop().lower().replace("_", "-")
                if name in needed or name in ("numpy", "colorama"):
                    needed |= {name} - {"numpy"}
                    continue
                needed.add(name)
                for line in importlib.metadata.requires(name) or []:
                    requirement = requirements.Requirement(line)
                    if requirement.marker is None or requirement.marker.evaluate(setting):
                        todo.append(requirement.name)
            shipped = {*script.COMPILED, *script.PURE, *script.PLATFORMS[platform].extra}
            assert needed <= shipped, f"{platform}, Python {python}"


def test_the_list_of_wheels_can_be_replaced(script: ModuleType, manifest: dict[str, Any]) -> None:
    text = (ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    changed = tomllib.loads(script.with_platforms(script.with_wheels(text, ["a.whl"]), ["linux-x64"]))
    assert changed.pop("wheels") == ["./wheels/a.whl"]
    assert changed.pop("platforms") == ["linux-x64"]
    assert changed == {key: value for key, value in manifest.items() if key not in ("wheels", "platforms")}


def test_blender_accepts_the_manifest(script: ModuleType) -> None:
    pytest.importorskip("bpy")
    subprocess.run([*script.builder(""), "validate", str(ROOT)], check=True, capture_output=True)
