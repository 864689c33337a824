from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from likeness import cli, doctor
from tests.bundles import write_small_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return write_small_bundle(tmp_path / "bundle")


@pytest.fixture(autouse=True)
def without_the_slow_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "bpy", None)


def test_all_is_well(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--bundle", str(bundle), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    findings = {finding["name"]: finding for finding in report["findings"]}
    assert findings["numpy"]["state"] == "ok"
    assert "CPUExecutionProvider" in findings["onnxruntime"]["detail"]
    assert findings["bundle"]["state"] == "ok"
    assert findings["torch"] == {
        "name": "torch", "state": "absent", "detail": "pip install 'likeness[training]'", "needed": False
    }  # fmt: skip


def test_a_changed_file_of_the_bundle_is_found(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (bundle / "MODEL_CARD.md").open("a") as file:
        file.write("more")
    assert cli.main(["doctor", "--bundle", str(bundle)]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("bundle")]
    assert "broken" in line
    assert "MODEL_CARD.md" in line


def test_what_reconstruct_needs_must_be_there(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert cli.main(["doctor", "--bundle", str(bundle)]) == 1
    assert "likeness[cpu]" in capsys.readouterr().out


def test_a_module_that_is_installed_must_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch")
    finding = doctor.check_module("torch", needed=False)
    assert finding.state == "broken"
    assert finding.bad
