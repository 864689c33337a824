"""What is in a dataset, counted off its samples' parameters: tables and histograms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.shards import read_info, read_members, shard_paths

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Parameters = Mapping[str, Any]

FIGURES = ("pose", "people", "expression", "light")

_INK, _BAR, _SECOND = "#2b2b2f", "#4f7cac", "#c8843c"
# What stands beside the head; the name of each kind is in the first of these fields that it has.
_PARTS = ("hair", "beard", "glasses", "headwear", "occluder", "clothes")
_NAMES = ("kind", "style", "shape", "cut")
_NONE = "none"
# An action under this does not show.
_SHOWS = 0.05
# The painter's formula with middling blood, for the bars' colours: see training.subjects.skin.
_BARE, _MELANIN, _BLOOD = np.array([0.74, 0.62, 0.54]), np.array([0.66, 1.0, 1.4]), np.array([0.045, 0.42, 0.34])


def read_parameters(folder: Path) -> list[Parameters]:
    """The parameters of every sample of a dataset, in order. Raises ``FileNotFoundError`` when it has no shards."""
    parameters = [
        json.loads(members["json"]) for shard in shard_paths(folder) for _, members in read_members(shard, ("json",))
    ]
    if not parameters:
        raise FileNotFoundError(
            f"{folder} holds no finished shard: make some with `likeness render --output {folder}`."
        )
    return parameters


def numbers(parameters: Iterable[Parameters], path: str) -> NDArray[np.float64]:
    """The numbers at a dotted path, of the samples that have one there."""
    found = (_at(one, path) for one in parameters)
    return np.array([value for value in found if isinstance(value, (int, float))], float)


def names(parameters: Iterable[Parameters], path: str) -> Counter[str]:
    """How often each name is at a dotted path; ``none`` for samples with nothing there."""
    counted: Counter[str] = Counter()
    for one in parameters:
        value = _at(one, path)
        if isinstance(value, Mapping):
            value = next((value[name] for name in _NAMES if name in value), "some")
        counted[_NONE if value is None or value == "" else str(value)] += 1
    return counted


def _at(parameters: Parameters, path: str) -> Any:
    value: Any = parameters
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def summary(folder: Path, parameters: Sequence[Parameters]) -> str:
    """The statistics page, in Markdown; its pictures are ``statistics/NAME.png`` for each of ``FIGURES``."""
    info = read_info(folder)
    failed = folder / "failed.jsonl"
    failures = len(failed.read_text().splitlines()) if failed.exists() else 0
    engines = ", ".join(f"{name}" for name in sorted(names(parameters, "blender")))
    lines = [
        "# What is in this dataset",
        "",
        "![Pictures from all over it](sheet.png)",
        "",
        "| | |",
        "|---|---|",
        f"| pictures | {len(parameters):,} of {info.count:,}, {info.resolution} x {info.resolution} px |",
        f"| seed | {info.seed} |",
        f"| engine | {info.engine}, {info.samples} samples, Blender {engines} |",
        f"| passes | {', '.join(info.passes) or 'none'} |",
        f"| failed | {failures} |",
        "",
        "## Pose and camera",
        "",
        "![Histograms of pose and camera](statistics/pose.png)",
        "",
        *_quantiles(
            parameters,
            (
                ("yaw", "yaw, degrees"), ("pitch", "pitch, degrees"), ("roll", "roll, degrees"),
                ("view.distance", "distance, mm"), ("lens", "lens, mm"), ("view.fill", "landmarks' share of the width"),
                ("landmarks68_shown", "share of the 68 landmarks that shows"),
            ),
        ),
        "## People",
        "",
        "![Histograms of people](statistics/people.png)",
        "",
        *_quantiles(parameters, (("identity.traits.age", "age, years"), ("skin.melanin", "melanin"))),
        *_shares(parameters, "population", "identity.population"),
        *(line for part in _drawn(parameters) for line in _shares(parameters, part, part)),
        "## Expression",
        "",
        "![How often and how strongly each action shows](statistics/expression.png)",
        "",
        "## Light",
        "",
        "![Worlds, lamps, lenses](statistics/light.png)",
        "",
        *_shares(parameters, "view transform", "view_transform"),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _drawn(parameters: Sequence[Parameters]) -> list[str]:
    """The parts that subjects of this dataset can have."""
    return [part for part in _PARTS if any(_at(one, part) for one in parameters)]


def _quantiles(parameters: Sequence[Parameters], rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = ["| | 1 % | 25 % | median | 75 % | 99 % |", "|---|---|---|---|---|---|"]
    for path, label in rows:
        values = numbers(parameters, path)
        if len(values):
            shown = (f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}" for value in _five(values))
            lines.append(f"| {label} | {' | '.join(shown)} |")
    return [*lines, ""]


def _five(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.percentile(values, [1, 25, 50, 75, 99])


def _shares(parameters: Sequence[Parameters], label: str, path: str) -> list[str]:
    counted = names(parameters, path)
    shown = " · ".join(f"{name} {100.0 * count / len(parameters):.1f} %" for name, count in counted.most_common(12))
    return [f"**{label}**: {shown}", ""]


def draw(parameters: Sequence[Parameters], figure: str) -> Figure:
    """One of ``FIGURES``."""
    from matplotlib import rc_context

    with rc_context({"font.size": 9, "axes.edgecolor": "#9a9aa2", "text.color": _INK, "axes.labelcolor": _INK}):
        return {"pose": _pose, "people": _people, "expression": _expression, "light": _light}[figure](parameters)


def _figure(columns: int, rows: int, height: float = 2.4) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.3 * columns, height * rows), dpi=110, layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for each in axes:
        for side in ("top", "right"):
            each.spines[side].set_visible(False)
        each.tick_params(colors="#55555c", labelsize=8)
    return figure, axes


def _histogram(axes: Axes, values: NDArray[np.float64], label: str, span: tuple[float, float], bins: int = 36) -> None:
    axes.set_title(label, fontsize=9.5, loc="left")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if len(values):
        axes.hist(np.clip(values, *span), bins=bins, range=span, color=_BAR, rwidth=0.92)
        axes.axvline(float(np.median(values)), color=_SECOND, linewidth=1.4)
    axes.set_xlim(*span)


def _pose(parameters: Sequence[Parameters]) -> Figure:
    figure, axes = _figure(3, 2)
    _histogram(axes[0], numbers(parameters, "yaw"), "yaw, degrees", (-90, 90))
    _histogram(axes[1], numbers(parameters, "pitch"), "pitch, degrees", (-45, 45))
    _histogram(axes[2], numbers(parameters, "roll"), "roll, degrees", (-45, 45))
    _histogram(axes[3], numbers(parameters, "view.distance"), "distance, mm", (250, 2750))
    _histogram(axes[4], numbers(parameters, "lens"), "lens, mm (36 mm sensor)", (20, 140))
    _histogram(axes[5], 100.0 * numbers(parameters, "landmarks68_shown"), "landmarks that show, %", (0, 100), 25)
    return figure


def _people(parameters: Sequence[Parameters]) -> Figure:
    parts = _drawn(parameters)
    rows = 1 + -(-(len(parts) + 1) // 3)
    figure, axes = _figure(3, rows, 2.7)
    _histogram(axes[0], numbers(parameters, "identity.traits.age"), "age, years", (15, 95), 40)
    _tones(axes[1], numbers(parameters, "skin.melanin"))
    traits = {
        "female": numbers(parameters, "identity.traits.female") > 0.5,
        "male": numbers(parameters, "identity.traits.female") <= 0.5,
        "african": numbers(parameters, "identity.traits.african"),
        "asian": numbers(parameters, "identity.traits.asian"),
        "caucasian": numbers(parameters, "identity.traits.caucasian"),
    }
    _bars(axes[2], "sex, and mean shares of ancestry", {name: float(values.mean()) for name, values in traits.items()})
    for each, (label, path) in zip(
        axes[3:], [("population", "identity.population"), *((part, part) for part in parts)], strict=False
    ):
        counted = names(parameters, path).most_common(10)
        _bars(each, label, {name: count / len(parameters) for name, count in counted})
    for each in axes[3 + 1 + len(parts) :]:
        each.set_visible(False)
    return figure


def _tones(axes: Axes, melanin: NDArray[np.float64]) -> None:
    axes.set_title("skin tone, by melanin", fontsize=9.5, loc="left")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    heights, edges = np.histogram(melanin, 30, (0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2.0
    absorbed = np.outer(0.12 + 2.6 * middles**1.2, _MELANIN) + 0.55 * _BLOOD
    colours = np.clip(_BARE * np.exp(-absorbed), 0.0, 1.0) ** (1.0 / 2.2)
    axes.bar(middles, heights, width=1.0 / 31.0, color=[tuple(colour) for colour in colours])
    axes.set_xlim(0.0, 1.0)


def _bars(axes: Axes, label: str, shares: Mapping[str, float], colour: str = _BAR) -> None:
    axes.set_title(label, fontsize=9.5, loc="left")
    places = np.arange(len(shares))
    axes.barh(places, list(shares.values()), color=colour, height=0.72)
    axes.set_yticks(places, [name[:22] for name in shares])
    axes.set_ylim(max(len(shares), 5) - 0.5, -0.5)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    most = max(shares.values(), default=1.0)
    axes.set_xlim(0.0, 1.25 * max(most, 1e-6))
    for place, share in zip(places, shares.values(), strict=True):
        axes.text(share + 0.02 * most, place, f"{100.0 * share:.3g} %", va="center", fontsize=8)


def _expression(parameters: Sequence[Parameters]) -> Figure:
    strengths: dict[str, list[float]] = {}
    for one in parameters:
        for name, value in (_at(one, "expression") or {}).items():
            strengths.setdefault(name, []).append(float(value))
    shown = {name: [value for value in values if value > _SHOWS] for name, values in strengths.items()}
    ordered = sorted((name for name in shown if shown[name]), key=lambda name: -len(shown[name]))
    half = -(-len(ordered) // 2)
    figure, axes = _figure(2, 1, 0.9 + 0.19 * max(half, 4))
    figure.set_figwidth(9.9)
    for each, chosen in zip(axes, (ordered[:half], ordered[half:]), strict=True):
        places = np.arange(len(chosen))
        each.barh(places, [100.0 * len(shown[name]) / len(parameters) for name in chosen], color=_BAR, height=0.72)
        strength = [100.0 * float(np.mean(shown[name])) for name in chosen]
        each.plot(strength, places, "o", color=_SECOND, markersize=4)
        each.set_yticks(places, chosen, fontsize=7.5)
        each.set_ylim(len(chosen) - 0.4, -0.6)
        each.set_xlim(0.0, 100.0)
    figure.suptitle(
        "share of the pictures in which the action shows, %; dots: its mean strength there, %", fontsize=9.5
    )
    return figure


def _light(parameters: Sequence[Parameters]) -> Figure:
    figure, axes = _figure(3, 1, 3.0)
    worlds: Counter[str] = Counter()
    lamps: Counter[str] = Counter()
    for one in parameters:
        used = _at(one, "light.worlds") or ()
        worlds.update(set(used[: 2 if (_at(one, "light.share") or 0.0) > 0.0 else 1]))
        lamps[f"{len(_at(one, 'light.lamps') or ())} lamps"] += 1
    total = len(parameters)
    _bars(axes[0], "worlds (one or two in a picture)", {name: n / total for name, n in worlds.most_common(14)})
    _bars(axes[1], "lamps beside them", {name: n / total for name, n in sorted(lamps.items())})
    _bars(axes[2], "view transform", {name: n / total for name, n in names(parameters, "view_transform").most_common()})
    return figure
