from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from training.recipes.runs import (  # noqa: E402
    RunLog,
    WeightAverage,
    cosine_rate,
    load_checkpoint,
    one_thread_less,
    read_log,
    save_checkpoint,
)


def test_the_rate_rises_then_falls_to_its_end() -> None:
    rates = [cosine_rate(step, 100, 10, 0.01) for step in range(101)]
    assert rates[:10] == sorted(rates[:10]) and rates[9] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0.01)
    assert {cosine_rate(step, 100, 0, 1.0) for step in range(100)} == {1.0}


def test_a_log_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    for step in range(1, 5):
        log.write(step=step, loss=1.0 / step)
    with log.path.open("a") as file:
        file.write('{"step": 5, "lo')
    RunLog(tmp_path, 3)
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3]


def test_a_kill_while_writing_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"step": 1})
    (tmp_path / "checkpoint.pt.partial").write_bytes(b"half of it")
    assert load_checkpoint(tmp_path)["step"] == 1


def test_no_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train first"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"step": Path}, tmp_path / "checkpoint.pt")
    with pytest.raises(Exception, match=r"weights_only|Unsupported|Weights only"):
        load_checkpoint(tmp_path)


def test_the_average_follows_the_weights() -> None:
    module = torch.nn.BatchNorm1d(2)
    average = WeightAverage(module, 0.9)
    with torch.no_grad():
        module.weight.fill_(3.0)
    for _ in range(200):
        average.update(module)
    assert torch.allclose(average.state["weight"], torch.full((2,), 3.0), atol=1e-3)
    assert average.state["weight"].data_ptr() != module.weight.data_ptr()


def test_a_thread_is_left_and_given_back_whatever_happens() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stopped"), one_thread_less():
        assert torch.get_num_threads() == max(1, before - 1)
        raise RuntimeError("stopped")
    assert torch.get_num_threads() == before
