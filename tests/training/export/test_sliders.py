from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.bundles import ARKIT_NAMES, REGION_NAMES, small_head
from training.export.measurements import measured, measurements
from training.export.sliders import effects, named_sliders
from training.populations.anny import AnnyPopulation
from training.populations.identity import Identity, Traits
from training.template import Template

COLUMNS = 60


@pytest.fixture(scope="module")
def template() -> Template:
    head = small_head(identity=40, reflectance=0)
    names = {"expression_names": ARKIT_NAMES, "material_names": ("skin", "eye"), "region_names": REGION_NAMES}
    arrays = {
        name: array for name, array in head.items() if name not in ("identity", "reflectance_mean", "reflectance")
    }
    return Template.from_arrays({**arrays, **{name: np.array(value) for name, value in names.items()}})


@dataclass(frozen=True)
class Waves:
    """People that differ as the small bundle's columns do; nothing but their shape is known."""

    template: Template
    columns: NDArray[np.float32]
    name: str = "waves"

    def draw(self, rng: np.random.Generator) -> Identity:
        coefficients = tuple(rng.normal(size=len(self.columns)).tolist())
        return Identity(self.name, coefficients, Traits(40.0, 0.5, 0.0, 0.0, 1.0))

    def vertices(self, identity: Identity) -> NDArray[np.float32]:
        return self.template.mean + np.tensordot(np.float32(identity.coefficients), self.columns, 1)

    def expression(self, identity: Identity) -> NDArray[np.float32]:
        return self.template.expression


@pytest.fixture(scope="module")
def waves(template: Template) -> Waves:
    return Waves(template, small_head(identity=40, reflectance=0)["identity"].astype(np.float32) * 0.2)


def test_a_larger_head_is_larger_and_else_the_same(template: Template) -> None:
    kinds = measurements(template)
    before, after = measured(kinds, np.stack([template.mean, 1.1 * template.mean]).astype(np.float32))
    assert kinds[0].name == "Head Size" and after[0] == pytest.approx(1.1 * before[0])
    np.testing.assert_allclose(after[1:], before[1:], rtol=1e-3, atol=1e-4)


def test_a_mirrored_head_measures_the_same(waves: Waves) -> None:
    head = waves.vertices(waves.draw(np.random.default_rng(3)))
    head[:, 0] *= 1.0 + 0.05 * np.sign(head[:, 0])  # lopsided
    mirrored = (head * [-1.0, 1.0, 1.0])[waves.template.mirror].astype(np.float32)
    for one in measurements(waves.template):
        before, after = one.of(np.stack([head, mirrored]))
        assert after == pytest.approx(before, rel=1e-4, abs=1e-4), one.name


def test_shapes_order_and_what_a_bundle_holds(waves: Waves) -> None:
    sliders = named_sliders(waves.template.mean, waves.columns, waves, np.random.default_rng(0), people=50)
    assert list(sliders.names) == [one.name for one in measurements(waves.template)], "no age: nobody knows it"
    arrays = sliders.arrays()
    assert arrays["sliders"].shape == (len(sliders.names), 40) and arrays["sliders"].dtype == np.float32
    assert arrays["slider_names"].dtype.kind == arrays["slider_groups"].dtype.kind == "U"
    again = named_sliders(waves.template.mean, waves.columns, waves, np.random.default_rng(0), people=50)
    assert np.array_equal(again.directions, sliders.directions)


def test_another_template_is_refused(waves: Waves) -> None:
    with pytest.raises(ValueError, match="vertices"):
        named_sliders(waves.template.mean[1:], waves.columns[:, 1:], waves, np.random.default_rng(0), people=10)


@pytest.mark.slow
def test_a_slider_changes_its_own_attribute(population: AnnyPopulation) -> None:
    rng = np.random.default_rng(1)
    people = np.stack([population.vertices(population.draw(rng)) for _ in range(250)])
    mean = people.mean(0)
    _, spread, directions = np.linalg.svd((people - mean).reshape(len(people), -1), full_matrices=False)
    columns = (spread[:COLUMNS, None] * directions[:COLUMNS] / np.sqrt(len(people))).reshape(COLUMNS, *mean.shape)
    sliders = named_sliders(mean, columns, population, np.random.default_rng(2), people=400)
    assert len(set(sliders.names)) == len(sliders.names) >= 24
    table = effects(sliders, mean, columns, population, np.random.default_rng(3), people=400)
    own = np.diag(table)
    others = (table - np.diag(own)).max(1)
    assert (own > 3.0).all() and (own < 5.0).all(), "from -2 to 2 is four standard deviations"
    ratios = dict(zip(sliders.names, own / others, strict=True))
    assert min(ratios.values()) >= 3.0, ratios
