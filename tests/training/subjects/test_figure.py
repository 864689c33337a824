from __future__ import annotations

import numpy as np

from training.populations.anny import AnnyPopulation
from training.subjects.figure import FigureBuilder
from training.subjects.props import SEGMENTS
from training.subjects.subject import Stock, draw_subject

STOCK = Stock(worlds=("city",))


def test_a_figure_has_all_that_the_draw_says(population: AnnyPopulation) -> None:
    builder = FigureBuilder(population)
    for index in range(12):
        subject = draw_subject(population, STOCK, 6, index)
        figure = builder.build(subject, 96)
        segments = {prop.segment for prop in figure.props}
        assert segments <= set(SEGMENTS)
        assert ("glasses" in segments) == (subject.glasses is not None)
        assert ("beard" in segments) == (subject.beard.length > 0.0)
        assert all(np.isfinite(getattr(prop, "vertices", getattr(prop, "points", None))).all() for prop in figure.props)
        assert figure.paint.min() >= 0.0
        assert figure.paint.max() <= 1.0
        strengths = builder.strengths(subject)
        moved = np.abs(figure.vertices - figure.neutral).max()
        assert (moved > 0.1) == (strengths.max() > 0.02)


def test_the_same_draw_gives_the_same_figure(population: AnnyPopulation) -> None:
    builder = FigureBuilder(population)
    subject = draw_subject(population, STOCK, 6, 3)
    first, again = builder.build(subject, 96), builder.build(subject, 96)
    assert np.array_equal(first.vertices, again.vertices)
    for one, other in zip(first.props, again.props, strict=True):
        assert np.array_equal(getattr(one, "points", 0), getattr(other, "points", 0))
