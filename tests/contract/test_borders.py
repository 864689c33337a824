"""The borders between the parts, read off the source: who may import whom, and where chance and clocks come from."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backend", "blender_addon", "likeness", "training")
BLENDER = {"bpy", "bpy_extras", "mathutils", "blf", "gpu", "gpu_extras", "bl_operators", "bl_ui", "bmesh"}
MAY_IMPORT = {
    "blender_addon": BLENDER | {"numpy"},
    "backend": {"PIL", "backend", "numpy", "onnxruntime", "starlette", "uvicorn"},
}
MAY_USE_BLENDER = ("benchmarks/", "blender_addon/", "likeness/", "scripts/", "training/render/", "__init__.py")
UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
EXPLICIT_CHANCE = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64", "PCG64DXSM", "Philox"}
CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
GENERATORS = (
    "training/populations/",
    "training/subjects/",
    "training/render/",
    "training/template",
    "training/head_parts",
)


def violations(path: str, source: str) -> Iterator[str]:
    """Yield what the file at `path` (from the root, with /) does that its place forbids."""
    tree = ast.parse(source, path)
    package = PurePosixPath(path).parts[0]
    allowed = MAY_IMPORT.get("blender_addon" if path == "__init__.py" else package)
    for node in ast.walk(tree):
        for line, name in _absolute_imports(node):
            top = name.partition(".")[0]
            where = f"{path}:{line}"
            if allowed is not None and top not in allowed and top not in sys.stdlib_module_names:
                yield f"{where} imports {name}"
            if top in BLENDER and not path.startswith(MAY_USE_BLENDER):
                yield f"{where} imports {name}, which only Blender's side may"
            if top in UNSAFE:
                yield f"{where} imports {name}, which runs code from files"
            if top == "random" or (name.startswith("numpy.random.") and name.split(".")[2] not in EXPLICIT_CHANCE):
                yield f"{where} imports {name}, which is global chance"
        if isinstance(node, ast.ImportFrom) and node.level >= len(PurePosixPath(path).parts):
            target = (node.module or "").partition(".")[0]
            names = {target} if target else {alias.name for alias in node.names}
            if path != "__init__.py" or names != {"blender_addon"}:
                yield f"{path}:{node.lineno} imports from outside its package"
        if isinstance(node, ast.Attribute):
            yield from (f"{path}:{node.lineno} {problem}" for problem in _attribute(path, _dotted(node)))
        if isinstance(node, ast.Call):
            yield from (f"{path}:{node.lineno} {problem}" for problem in _call(node))


def _absolute_imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _attribute(path: str, name: str) -> Iterator[str]:
    parts = name.split(".")
    if len(parts) == 3 and parts[0] in ("np", "numpy") and parts[1] == "random" and parts[2] not in EXPLICIT_CHANCE:
        yield f"uses {name}, which is global chance"
    if path.startswith(GENERATORS) and ".".join(parts[-2:]) in CLOCKS:
        yield f"reads the clock with {name}"
    if path.startswith(("blender_addon/", "__init__.py")) and name == "sys.path":
        yield "touches sys.path"


def _call(node: ast.Call) -> Iterator[str]:
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg == "allow_pickle" and value is not False:
            yield "sets allow_pickle"
        if keyword.arg == "weights_only" and value is not True:
            yield "loads more than weights"
    if _dotted(node.func).endswith("default_rng") and not node.args and not node.keywords:
        yield "draws a generator without a seed"


def sources() -> list[str]:
    folders = (*PACKAGES, "scripts", "benchmarks")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    files += [path for path in [ROOT / "__init__.py"] if path.exists()]
    return [path.relative_to(ROOT).as_posix() for path in files]


@pytest.mark.parametrize("path", sources())
def test_file_stays_within_its_borders(path: str) -> None:
    assert list(violations(path, (ROOT / path).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("blender_addon/a.py", "import onnxruntime"),
        ("blender_addon/a.py", "from backend.pipeline import Reconstructor"),
        ("blender_addon/a.py", "import blender_addon.head"),
        ("blender_addon/a.py", "from ..backend import crop"),
        ("blender_addon/a.py", "import sys\nsys.path.insert(0, 'x')"),
        ("__init__.py", "import blender_addon"),
        ("__init__.py", "from .backend import crop"),
        ("backend/a.py", "def f():\n    import torch"),
        ("backend/a.py", "import bpy"),
        ("backend/a.py", "from training import template"),
        ("training/recipes/a.py", "import bpy"),
        ("training/a.py", "from mathutils import Vector"),
        ("training/a.py", "import pickle"),
        ("training/a.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
        ("training/a.py", "import torch\ntorch.load('x', weights_only=False)"),
        ("training/a.py", "import random"),
        ("training/a.py", "from numpy.random import normal"),
        ("training/a.py", "import numpy as np\nnp.random.seed(1)"),
        ("training/a.py", "import numpy as np\nrng = np.random.default_rng()"),
        ("training/populations/anny.py", "import time\ntime.time()"),
        ("training/render/a.py", "import datetime\ndatetime.datetime.now()"),
    ],
)
def test_crossing_is_seen(path: str, source: str) -> None:
    assert list(violations(path, source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("blender_addon/ui/a.py", "import bpy, numpy\nfrom ..head import build"),
        ("__init__.py", "def register():\n    from . import blender_addon"),
        ("__init__.py", "def register():\n    from .blender_addon import registration"),
        ("backend/a.py", "import numpy as np\nfrom backend.crop import Crop\nnp.load('x', allow_pickle=False)"),
        ("training/render/a.py", "import bpy, time\ntime.perf_counter()"),
        ("training/a.py", "import numpy as np\nrng = np.random.default_rng(1)\ntorch.load('x', weights_only=True)"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert list(violations(path, source)) == []
