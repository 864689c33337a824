"""The autoencoder of Kamyab & Azimifar: heads to a few neurons and, linearly, back. Its columns are the basis."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Encoder D -> hidden ... -> `neurons`, decoder `neurons` -> D without bias (paper, eq. 2: x = mean + B z).

    Vectors (B,D) are centred, so that the mean is the zero vector. The encoder is linear unless `hidden` names
    the widths of layers between; the decoder always is, because shape keys are.
    """

    def __init__(self, dimensions: int, neurons: int, hidden: tuple[int, ...] = ()) -> None:
        super().__init__()
        widths = [dimensions, *hidden, neurons]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.encoder = nn.Sequential(*layers[:-1])
        self.decoder = nn.Linear(neurons, dimensions, bias=False)

    @property
    def basis(self) -> Tensor:
        """Basis (D,neurons): a column per representation neuron."""
        return self.decoder.weight

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B,D) -> representation z (B,neurons) and reconstruction (B,D)."""
        code = self.encoder(vectors)
        return code, self.decoder(code)


@torch.no_grad()
def start_from_principal_components(
    autoencoder: Autoencoder, directions: NDArray[np.float32], spread: NDArray[np.float32]
) -> None:
    """Sets a linear autoencoder to what it would converge to alone: principal directions (D,d) of unit variance.

    `spread` (d,) are the heads' standard deviations along them. Baldi & Hornik 1989: the minimum of J1 is the
    principal subspace. Neurons beyond the d directions stay silent. Raises `ValueError` for an encoder with hidden
    layers.
    """
    if len(autoencoder.encoder) != 1:
        raise ValueError("only a linear encoder can start from principal components")
    encoder, decoder = autoencoder.encoder[0], autoencoder.decoder
    count = min(len(encoder.weight), directions.shape[1])
    directions, spread = directions[:, :count], np.maximum(spread[:count], 1e-4 * spread.max())
    for parameter in (encoder.weight, encoder.bias, decoder.weight):
        parameter.zero_()
    decoder.weight[:, :count].copy_(torch.from_numpy(directions * spread))
    encoder.weight[:count].copy_(torch.from_numpy((directions / spread).T))
