"""From a trained representation to the columns of a bundle: unit variance, sorted, none that says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearBasis:
    """columns (K,N,3) mm per standard deviation; to_identity (K,d) turns a code into the columns' coefficients.

    variance (K,) is each column's share of all variance of the vertices; `explained` their sum.
    """

    columns: Floats
    to_identity: Floats
    variance: Floats

    @property
    def explained(self) -> float:
        """Share of the variance that the kept columns hold."""
        return float(self.variance.sum())


def linear_basis(codes: Floats, decoder: Floats, smallest_share: float, most: int | None = None) -> LinearBasis:
    """Principal axes of what the decoder (d,N,3) makes of the training codes (n,d).

    A code's head is ``mean + sum(code_j * decoder_j)``; its coefficients are ``to_identity @ code``, and the columns'
    sum with them is that head again, but for the axes that were dropped: those whose share of the variance is below
    `smallest_share`, and those beyond the first `most`. Raises `ValueError` when nothing is left.
    """
    covariance = np.cov(codes.astype(np.float64), rowvar=False).reshape(codes.shape[1], -1)
    flat = decoder.reshape(len(decoder), -1).astype(np.float64)
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    variances, axes = np.linalg.eigh(root @ gram @ root)
    variances, axes = variances[::-1], axes[:, ::-1]
    total = variances.clip(0).sum()
    if total <= 0:
        raise ValueError("all training heads decode to one head: the run has not learned anything")
    count = int((variances > smallest_share * total).sum())
    count = count if most is None else min(count, most)
    # Column k is `combine[:, k] @ decoder`; the columns are orthogonal, so that projection gives the coefficients.
    combine = root @ axes[:, :count]
    columns = (combine.T @ flat).reshape(count, *decoder.shape[1:])
    to_identity = (combine.T @ gram) / variances[:count, None]
    # A basis is the same with a column turned round: let the largest movement be to the left, up or outwards.
    leading = columns.reshape(count, -1)
    signs = np.sign(leading[np.arange(count), np.abs(leading).argmax(1)])
    return LinearBasis(
        (columns * signs[:, None, None]).astype(np.float32),
        (to_identity * signs[:, None]).astype(np.float32),
        (variances[:count] / total).astype(np.float32),
    )
