"""Runs that are pre-trained on views of one thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from tests.training.recipes.components.toy import quick, toy, write_toy_heads, write_toy_objects
from training.recipes.components import answers
from training.recipes.components.config import ComponentsConfig, MappingConfig, StageConfig, ViewsConfig, few
from training.recipes.components.data import Pairs, Split, labelled_pairs
from training.recipes.components.framework import Mapping
from training.recipes.components.report.study import QUICK, SMALL, share_config
from training.recipes.components.run import load_run
from training.recipes.components.session import draw
from training.recipes.components.train import train


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pairs, Split]:
    return toy(write_toy_objects(tmp_path_factory.mktemp("objects"), 40))[1:]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pairs, Split]:
    return toy(write_toy_heads(tmp_path_factory.mktemp("heads"), 30))[1:]


def config(kind: str, labelled: float = 0.3) -> ComponentsConfig:
    """Thirty batches in each stage."""
    views = ViewsConfig(StageConfig(30, 3e-3, 8), StageConfig(30, 2e-3, 16), views=2, expanded=16, centres=20)
    mapping = MappingConfig("kernel", (20,), beside=(24,))
    return replace(quick(kind), mapping=mapping, views=views, labelled=labelled, mirror=kind == "objects")


@pytest.mark.parametrize("labelled", [0.3, 1.0])
def test_only_what_has_no_label_is_answered_for(
    objects: tuple[Pairs, Split], labelled: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, split = objects
    asked: list[np.ndarray] = []

    def answering(pairs: Pairs, pictures: np.ndarray, *others: object) -> answers.Answers:
        asked.append(pictures)
        return answers.mean_answers(pairs, pictures, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("training.recipes.components.train.mean_answers", answering)
    run = train(config("objects", labelled), pairs, split, progress=False)
    assert np.isfinite(run.vectors(pairs, pairs.of(split.test))).all()
    known = np.concatenate(labelled_pairs(pairs, split, config("objects", labelled)))
    hidden = np.setdiff1d(pairs.of(split.training), known)
    if not len(hidden):
        assert not asked
        return
    np.testing.assert_array_equal(asked[0], hidden)


def test_what_agrees_is_a_part_that_other_shares_of_labels_use_too(
    heads: tuple[Pairs, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, split = heads
    one, other = config("heads"), config("heads", 0.6)
    alone = train(other, pairs, split, progress=False)
    train(one, pairs, split, progress=False, parts=tmp_path)
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} == {"images", "agreement"}
    steps = 0

    def counting(*args: object) -> np.ndarray:
        nonlocal steps
        steps += 1
        return draw(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("training.recipes.components.session.draw", counting)
    shared = train(other, pairs, split, progress=False, parts=tmp_path)
    assert steps == 60
    pictures = pairs.of(split.test)
    np.testing.assert_array_equal(shared.vectors(pairs, pictures), alone.vectors(pairs, pictures))


def test_a_run_that_was_stopped_gives_what_it_would_have_given(
    objects: tuple[Pairs, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, split = objects
    whole = train(config("objects"), pairs, split, progress=False)
    for stop_at in (85, 115, 140):  # where views shall agree, where answers are taught, in the last stage
        seen = 0

        def stopping(*args: object, stop_at: int = stop_at) -> np.ndarray:
            nonlocal seen
            seen += 1
            if seen == stop_at:
                raise KeyboardInterrupt
            return draw(*args)  # type: ignore[arg-type]

        folder = tmp_path / f"stopped at {stop_at}"
        with monkeypatch.context() as patch:
            patch.setattr("training.recipes.components.session.draw", stopping)
            with pytest.raises(KeyboardInterrupt):
                train(config("objects"), pairs, split, folder, progress=False)
        train(config("objects"), pairs, split, folder, resume=True, progress=False)
        pictures = pairs.of(split.test)
        np.testing.assert_array_equal(load_run(folder).vectors(pairs, pictures), whole.vectors(pairs, pictures))


@pytest.mark.parametrize("kind", ["objects", "heads"])
def test_the_configuration_survives_json(kind: str) -> None:
    made = few("objects" if kind == "objects" else "heads")
    assert made.views is not None
    assert ComponentsConfig.from_json(made.to_json()) == made


def test_from_scratch_a_network_has_as_many_batches() -> None:
    for study in (QUICK, SMALL):
        ours, other = (share_config(study, "objects", 0.05, pretrained, 0) for pretrained in (True, False))
        assert ours.views is not None
        assert other.views is None
        assert (ours.encoder, ours.decoder, ours.mirror) == (other.encoder, other.decoder, other.mirror)
        stages = [ours.images, ours.shapes, ours.all, ours.views.agreement, ours.views.answers]
        assert other.all.steps == sum(stage.steps for stage in stages)


def test_neurons_beside_kernels_count_half_or_nothing() -> None:
    codes = 5 + 3 * torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    for taught in (True, False):
        mapping = Mapping(MappingConfig("kernel", (8,), beside=(10,)), 6, 4)
        mapping.before.measure(codes)
        with torch.no_grad():
            neurons = mapping(codes)
            moved = codes * torch.linspace(1, 3, 6) - 2
            first, found = mapping.neurons[0](mapping.before(moved)), mapping.before.mean.clone()
            mapping.measure_again(moved)
            assert not torch.equal(mapping.before.mean, found)
            torch.testing.assert_close(mapping.neurons[0](mapping.before(moved)), first, atol=1e-4, rtol=1e-4)
            mapping.measure_again(codes)
            torch.testing.assert_close(mapping(codes), neurons, atol=1e-4, rtol=1e-4)
            mapping.kernel.answer.bias.fill_(2.0)
            mapping.join_kernel(taught)
            expected = (neurons + 2) / 2 if taught else torch.full((50, 4), 2.0)
            torch.testing.assert_close(mapping(codes), expected, atol=1e-4, rtol=1e-4)
