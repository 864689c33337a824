"""Makes the whole report: runs what has not been run, measures, draws, writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.recipes.components.config import ComponentsConfig, shipped
from training.recipes.components.data import Pairs, Split, fingerprint, split_things
from training.recipes.components.report.bars import bars
from training.recipes.components.report.closed_form import closed_form
from training.recipes.components.report.measure import Answers, answers, controls, figures
from training.recipes.components.report.pictures import Gallery, draw_gallery, draw_shares
from training.recipes.components.report.store import Store
from training.recipes.components.report.study import Study, forms, scaled, share_config
from training.recipes.components.report.text import markdown
from training.recipes.components.run import Trained, is_run, load_run
from training.recipes.components.train import train

_SHOWN = 8


@dataclass(frozen=True)
class Source:
    """One folder of pictures: its title in the report, and how its pairs are read at a number of pixels."""

    title: str
    folder: Path
    limit: int | None = None

    def pairs(self, size: int) -> Pairs:
        """The folder's pairs at `size` pixels."""
        from training.recipes.components.command import read_folder

        return read_folder(self.folder, size, self.limit)


@dataclass(frozen=True)
class Options:
    """What is tried, where the runs lie, whether progress is shown."""

    study: Study
    output: Path
    progress: bool = True


def build(sources: list[Source], options: Options) -> dict[str, Any]:
    """Writes `report.md`, `report.json` and pictures into the folder; returns what stands in `report.json`.

    Every result is kept as soon as it is there: stopped at any moment, the same call goes on.
    """
    store = Store(options.output / "results")
    record: dict[str, Any] = {"study": options.study.name, "data": {}}
    for source in sources:
        record["data"][source.title] = _Report(source, options, store).make()
    shares = {title: part["shares"] for title, part in record["data"].items()}
    draw_shares(shares, options.output / "shares.png")
    (options.output / "report.md").write_text(markdown(record), encoding="utf-8")
    (options.output / "report.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


class _Report:
    """The part of the report about one folder of pictures."""

    def __init__(self, source: Source, options: Options, store: Store) -> None:
        self.source, self.options, self.store = source, options, store
        size = 16 if options.study.small else 32
        self._pairs = {size: source.pairs(size)}
        self.small = self._pairs[size]
        self.data_id = fingerprint(self.small)

    def make(self) -> dict[str, Any]:
        study, pairs = self.options.study, self.small
        split = split_things(pairs, 0.25 if study.small else 0.15, 0)
        made_of = {"data": self.data_id, "test": len(split.test)}
        part: dict[str, Any] = {
            "kind": pairs.kind,
            "things": len(pairs.names),
            "pictures": len(pairs),
            "test things": len(split.test),
            "closed form": self._kept("closed form", made_of, lambda: closed_form(pairs, split)),
            "controls": self._kept("controls", made_of, lambda: controls(pairs, split)),
            "forms": {},
            "shares": [],
        }
        for title, config in forms(study, pairs.kind).items():
            part["forms"][title] = self.run(config)
        for seed in range(study.seeds):
            for share in study.shares:
                for pretrained in (True, False):
                    config = share_config(study, pairs.kind, share, pretrained, seed)
                    result = self.run(replace(config, test=0.25 if study.small else 0.15))
                    part["shares"].append({"share": share, "pretrained": pretrained, "seed": seed, **result})
        if not study.small and study.modern:
            part["best"] = self.run(scaled(shipped(pairs.kind), study.effort), gallery="shipped")
        else:
            part["best"] = self.run(list(forms(study, pairs.kind).values())[-1], gallery="best")
        part["bars"] = bars(part)
        return part

    def run(self, config: ComponentsConfig, gallery: str = "") -> dict[str, Any]:
        """What is measured of a run; with `gallery` the run is kept and some of its answers are drawn."""
        picture = self.options.output / f"{self.small.kind}-{_slug(self.source.title)}-{gallery}.png"
        made_of = {"data": self.data_id, "config": config.to_json(), "gallery": gallery}

        def make() -> dict[str, Any]:
            pairs = self._at(config.size)
            split = split_things(pairs, config.test, 0)
            trained = self._trained(config, pairs, split, gallery)
            found = answers(trained, pairs, split)
            if gallery:
                draw_gallery(self._gallery(trained, pairs, split, found), picture)
            return figures(trained, pairs, split, found)

        name = f"{self.source.title} {config.encoder.kind} {config.mapping.kind} {config.decoder.kind} {config.name}"
        return self._kept(name, made_of, make)

    def _trained(self, config: ComponentsConfig, pairs: Pairs, split: Split, gallery: str) -> Trained:
        parts = self.options.output / "parts"
        if not gallery:
            return train(config, pairs, split, progress=self.options.progress, parts=parts)
        folder = self.options.output / "runs" / f"{_slug(self.source.title)}-{gallery}"
        if is_run(folder) and load_run(folder).config == config:
            return load_run(folder)
        resume = (folder / "checkpoint.pt").is_file()
        return train(config, pairs, split, folder, resume, self.options.progress, parts)

    def _gallery(self, trained: Trained, pairs: Pairs, split: Split, found: Answers) -> Gallery:
        """Pictures spread evenly over the test set, so that nobody chose them."""
        shown = np.linspace(0, len(found.pictures) - 1, _SHOWN).astype(int)
        pictures = found.pictures[shown]
        return Gallery(
            kind=pairs.kind,
            images=pairs.images[pictures],
            truth=pairs.shapes[pairs.owner[pictures]],
            estimate=trained.space.shapes(found.vectors[shown]),
            threshold=found.threshold,
            triangles=self._triangles(),
        )

    def _triangles(self) -> Any:
        template = self.source.folder / "template.npz"
        if not template.is_file():
            return None
        with np.load(template, allow_pickle=False) as arrays:
            return arrays["triangles"]

    def _at(self, size: int) -> Pairs:
        if size not in self._pairs:
            self._pairs[size] = self.source.pairs(size)
        return self._pairs[size]

    def _kept(self, name: str, made_of: Any, make: Any) -> dict[str, Any]:
        return self.store.get(f"{self.source.title} {name}", made_of, make)


def _slug(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())
