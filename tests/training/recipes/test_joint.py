from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.toy_faces import write_toy_faces

pytest.importorskip("torch")


def losses_of(folder: Path) -> dict[int, float]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


def test_a_run_resumed_after_a_kill_gives_the_same_losses(tmp_path: Path) -> None:
    from training.dataset import read_faces
    from training.recipes.joint.config import tiny
    from training.recipes.joint.train import train

    faces = read_faces(write_toy_faces(tmp_path / "data"), progress=False)
    base = tiny()
    config = replace(
        base,
        schedule=replace(base.schedule, steps=6, batch_size=8),
        checkpoint_every=3,
        validate_every=100,
        log_every=1,
    )
    train(config, faces, tmp_path / "whole", progress=False)

    class Killed(Exception):
        pass

    # The kill comes after the checkpoint of step 3, in the middle of step 5.
    import training.recipes.joint.train as module

    calls = 0
    original = module.losses

    def dying(*args: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Killed
        return original(*args)

    module.losses = dying
    try:
        with pytest.raises(Killed):
            train(config, faces, tmp_path / "cut", progress=False)
    finally:
        module.losses = original
    train(config, faces, tmp_path / "cut", resume=True, progress=False)
    whole, cut = losses_of(tmp_path / "whole"), losses_of(tmp_path / "cut")
    assert list(whole) == list(cut) == [1, 2, 3, 4, 5, 6]
    assert list(whole.values()) == pytest.approx(list(cut.values()), rel=1e-4)


def test_another_configuration_is_not_resumed(tmp_path: Path) -> None:
    from training.dataset import read_faces
    from training.recipes.joint.config import tiny
    from training.recipes.joint.train import train

    faces = read_faces(write_toy_faces(tmp_path / "data"), progress=False)
    base = tiny()
    config = replace(base, schedule=replace(base.schedule, steps=2, batch_size=8), validate_every=100)
    train(config, faces, tmp_path / "run", progress=False)
    other = replace(config, neurons=5)
    with pytest.raises(ValueError, match="another configuration"):
        train(other, faces, tmp_path / "run", resume=True, progress=False)


def test_the_papers_configuration_is_the_papers() -> None:
    from training.recipes.joint.config import paper, shipped

    config = paper()
    assert (config.size, config.grey, config.neurons) == (32, True, 280)
    assert len(config.network.widths) == 3
    assert config.network.dropout == 0.6
    assert (config.schedule.batch_size, config.schedule.steps) == (60, 50_000)
    assert config.schedule.rate == pytest.approx(10e-6)
    assert config.schedule.weight_decay == pytest.approx(0.0005)
    assert config.losses.j1 == config.losses.j2 == config.losses.j2_to_encoder == 1.0
    assert config.posed is not None
    assert config.posed[0] == 0.2
    assert shipped().size >= 128
    assert not shipped().grey


def test_joint_training_lowers_both_losses(tmp_path: Path) -> None:
    from training.dataset import read_faces
    from training.recipes.joint.config import tiny
    from training.recipes.joint.train import train

    faces = read_faces(write_toy_faces(tmp_path / "data", count=40), progress=False)
    base = tiny()
    config = replace(base, schedule=replace(base.schedule, steps=40, batch_size=16), validate_every=100)
    train(config, faces, tmp_path / "run", progress=False)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    first, last = lines[:5], [line for line in lines if "loss" in line][-5:]
    assert np.mean([line["loss"] for line in last]) < np.mean([line["loss"] for line in first])
    assert np.mean([line["landmarks"] for line in last]) < np.mean([line["landmarks"] for line in first])
