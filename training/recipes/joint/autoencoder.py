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
def start_from_principal_components(autoencoder: Autoencoder, vectors: NDArray[np.float32]) -> None:
    """Sets a linear autoencoder to what it would converge to alone: the principal components of `vectors` (n,D).

    The representation has unit variance. Baldi & Hornik 1989: the minimum of J1 is the principal subspace. Raises
    `ValueError` for an encoder with hidden layers.
    """
    if len(autoencoder.encoder) != 1:
        raise ValueError("only a linear encoder can start from principal components")
    encoder = autoencoder.encoder[0]
    neurons = len(encoder.weight)
    covariance = vectors.T.astype(np.float64) @ vectors / len(vectors)
    values, directions = np.linalg.eigh(covariance)
    values, directions = values[::-1][:neurons], directions[:, ::-1][:, :neurons]
    spread = np.sqrt(np.maximum(values, 1e-8 * values[0]))
    autoencoder.decoder.weight.copy_(torch.from_numpy((directions * spread).astype(np.float32)))
    encoder.weight.copy_(torch.from_numpy((directions / spread).T.astype(np.float32)))
    encoder.bias.zero_()
