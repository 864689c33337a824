"""What registration moves: the base-mesh vertices that the template's layout uses, and which of them are which part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.head_parts import lid_rings
from training.template import FRONT_68, HeadAssembler, HeadLayout, Template

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# The mouth's inside follows the lips this many quads deep, and the jaws beyond.
_MOUTH_RINGS = 3


@dataclass(frozen=True)
class Rig:
    """Parts of the U used vertices, by index into them.

    neutral (U,3) mm, head space; expression (52,U,3) mm the template's own actions.
    skin (F,3) triangles that scans show: head and neck up to the lids' and lips' inner borders; all_skin (F',3) with
    sockets and the mouth's inside; lids (2,R) of the left and the right eye: loops where
    the lids meet the eyeball and along their front edge, in order and in step; lid_rims
    the lids' thickness behind their front edges; sockets and mouth their vertices well behind those borders, jaw_share
    (of the mouth's) 1 where they follow the lower jaw, 0 where the upper.
    upper_teeth, lower_teeth, tongue and eyes (the helpers that eyeballs are placed by) move as wholes.
    landmarks68 (68,); mirror (U,).
    """

    layout: HeadLayout
    template: Template
    neutral: Floats
    expression: Floats
    skin: Ints
    all_skin: Ints
    upper_teeth: Ints
    lower_teeth: Ints
    tongue: Ints
    eyes: tuple[Ints, Ints]
    lids: tuple[Ints, Ints]
    lid_rims: Ints
    sockets: tuple[Ints, Ints]
    mouth: Ints
    jaw_share: Floats
    landmarks68: Ints
    mirror: Ints

    @staticmethod
    def of(assembler: HeadAssembler) -> Rig:
        """The rig of a template under construction."""
        base, layout = assembler.base, assembler.layout
        used = layout.used_ids
        order = np.full(len(base.vertices), -1, np.int64)
        order[used] = np.arange(len(used))
        neutral = base.vertices[used].astype(np.float64)
        sockets = np.unique(base.faces("eye_cavity.L", "eye_cavity.R"))
        in_socket = np.isin(assembler.skin_faces, sockets).all(1)
        shown = order[assembler.skin_faces[~in_socket]]
        cavity = order[base.faces("mouth_cavity")]
        every = np.concatenate([order[assembler.skin_faces], cavity])
        shown_ids = np.unique(shown)
        mouth = np.setdiff1d(cavity, _within(cavity, shown_ids, _MOUTH_RINGS))
        expression = np.stack([base.action(name)[used] for name in base.action_names]).astype(np.float64)
        opening = np.linalg.norm(expression[base.action_names.index("jawOpen")], axis=1)
        lower = order[np.unique(base.group_faces("helper-lower-teeth"))]
        rings = [order[lid_rings(base, side)] for side in "LR"]
        left, right = (np.searchsorted(used, eye.base_ids) for eye in assembler.eyes)
        return Rig(
            layout=layout,
            template=assembler.template(),
            neutral=neutral - neutral[layout.tragi].mean(0),
            expression=expression,
            skin=_split(shown),
            all_skin=_split(every),
            upper_teeth=order[np.unique(base.group_faces("helper-upper-teeth"))],
            lower_teeth=lower,
            tongue=order[np.unique(base.faces("tongue"))],
            eyes=(left, right),
            lids=(rings[0][[0, -1]], rings[1][[0, -1]]),
            lid_rims=np.unique(np.concatenate([side[:-1].ravel() for side in rings])),
            sockets=(
                np.setdiff1d(order[base.faces("eye_cavity.L")], shown_ids),
                np.setdiff1d(order[base.faces("eye_cavity.R")], shown_ids),
            ),
            mouth=mouth,
            jaw_share=np.clip(opening[mouth] / opening[lower].mean(), 0.0, 1.0),
            landmarks68=order[list(FRONT_68)],
            mirror=order[base.mirror[used]],
        )

    @property
    def skin_ids(self) -> Ints:
        """Vertices (S,) of the shown skin, ascending."""
        return np.unique(self.skin)

    @property
    def open_skin_ids(self) -> Ints:
        """Those without the lids' thickness, which a scan shows badly: closest points there are guesses."""
        return np.setdiff1d(self.skin_ids, self.lid_rims)


def _within(quads: Ints, ids: Ints, rings: int) -> Ints:
    """The vertices and those at most so many quads away."""
    for _ in range(rings):
        ids = np.unique(np.concatenate([ids, quads[np.isin(quads, ids).any(1)].ravel()]))
    return ids


def _split(quads: Ints) -> Ints:
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
