from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

import blender_addon  # noqa: E402  its register needs bpy

ROOT = Path(__file__).resolve().parents[2]


def state() -> dict[str, set[str]]:
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    handlers = {f"{name}: {len(value)}" for name, value in lists.items() if isinstance(value, list)}
    return {
        "types": {name for name in dir(bpy.types) if "likeness" in name.lower()},
        "scene": {name for name in dir(bpy.types.Scene) if "likeness" in name.lower()},
        "manager": {name for name in dir(bpy.types.WindowManager) if "likeness" in name.lower()},
        "operators": set(dir(bpy.ops.likeness)),
        "handlers": handlers,
        "threads": {thread.name for thread in threading.enumerate()},
    }


def test_nothing_is_left_behind(scene: Any) -> None:
    before = state()
    for _ in range(2):
        blender_addon.register()
        assert "reconstruct" in dir(bpy.ops.likeness)
        assert "LIKENESS_PT_main" in dir(bpy.types)
        assert hasattr(scene, "likeness")
        blender_addon.unregister()
        assert state() == before


def test_work_under_way_is_ended(scene: Any) -> None:
    from blender_addon.failures import Failure
    from blender_addon.operators import running

    def work(server: Any, tell: Any, cancelled: Any) -> Any:
        began.set()
        while not cancelled():
            time.sleep(0.01)
        raise Failure("cancelled")

    began = threading.Event()
    before = state()
    blender_addon.register()
    running.begin(bpy.context, work)
    assert began.wait(10.0)
    assert len(state()["threads"]) == len(before["threads"]) + 1
    blender_addon.unregister()
    assert state() == before
    assert running.worker is None and running.server.pid is None


def test_importing_needs_no_blender() -> None:
    program = "import sys; sys.modules['bpy'] = None; import blender_addon; from blender_addon import client, worker"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_extension_imports_lazily() -> None:
    program = "\n".join(
        [
            "import importlib.util, sys",
            f"spec = importlib.util.spec_from_file_location('ext', {str(ROOT / '__init__.py')!r}, "
            f"submodule_search_locations=[{str(ROOT)!r}])",
            "module = importlib.util.module_from_spec(spec)",
            "sys.modules['ext'] = module",
            "spec.loader.exec_module(module)",
            "assert 'bpy' not in sys.modules and 'ext.blender_addon' not in sys.modules",
            "module.register()",
            "import bpy",
            "assert 'likeness' in dir(bpy.types.Scene)",
            "module.unregister()",
            "assert not [name for name in sys.modules if name.partition('.')[0] in ('blender_addon', 'backend')]",
        ]
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT.parent, timeout=120)
