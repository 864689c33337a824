"""Self-training: a network learns, of pictures without labels, what other networks answer to all views of a thing.

A teacher is a pre-trained encoder and a kernel mapping solved on the labelled pairs. Teachers err differently, and each
errs differently from view to view: the mean of their answers over all that is known to show one thing is nearer to its
shape than any of them, and can be taught for every single view. (Pseudo-labels: Lee 2013; their mean: Tarvainen &
Valpola 2017, over weights instead of views.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.recipes.components.data import Indices, Pairs

# Images (B,1,S,S) -> codes of shapes (B,k').
Teacher = Callable[[Tensor], Tensor]

_CHUNK = 256


@dataclass(frozen=True)
class Answers:
    """Pictures (m,), and codes (m,k') of shapes, those of their mirror images beside them."""

    pictures: Indices
    plain: Tensor
    mirrored: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def codes(self, members: Indices, flipped: NDArray[np.bool_]) -> Tensor:
        """Codes (B,k') of the pictures number `members` (B,), those under `flipped` (B,) seen in a mirror."""
        chosen = torch.from_numpy(members)
        return torch.where(torch.from_numpy(flipped)[:, None], self.mirrored[chosen], self.plain[chosen])


def mean_answers(pairs: Pairs, pictures: Indices, teachers: Sequence[Teacher], mirror: bool) -> Answers:
    """What `teachers` answer to `pictures`, each thing's mean over its own; to mirrored ones too where asked.

    A picture of unknown owner has a mean to itself. Labelled pictures should not be among them: a teacher has learned
    their shapes, and through the mean their labels would reach other pictures.
    """
    owner = pairs.owner[pictures]
    # Numbers of their own for pictures whose thing is unknown.
    groups = np.where(owner < 0, len(pairs.names) + np.arange(len(owner)), owner)
    _, group = np.unique(groups, return_inverse=True)
    plain = _mean(pairs, pictures, teachers, torch.from_numpy(group), False)
    return Answers(
        pictures, plain, _mean(pairs, pictures, teachers, torch.from_numpy(group), True) if mirror else plain
    )


@torch.no_grad()
def _mean(pairs: Pairs, pictures: Indices, teachers: Sequence[Teacher], group: Tensor, flip: bool) -> Tensor:
    answers = []
    for start in range(0, len(pictures), _CHUNK):
        part = pictures[start : start + _CHUNK]
        images = pairs.pictures(part, np.full(len(part), flip))
        answers.append(torch.stack([teacher(images) for teacher in teachers]).mean(0))
    found = torch.cat(answers)
    sums = torch.zeros(int(group.max()) + 1, found.shape[1]).index_add_(0, group, found)
    return (sums / torch.bincount(group)[:, None])[group]
