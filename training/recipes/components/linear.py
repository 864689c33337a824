"""The linear case in closed form: section 4.1 of Kamyab & Azimifar, equation by equation.

Matrices hold a sample in each column, as the paper writes them: X (D,n1) pictures, Z (p,n2) shapes, both as vectors
less their means. Pictures and shapes of the bases need not belong together; those of the least squares do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]

# Rows or columns that are turned into double precision at a time.
_AT_ONCE = 2048


@dataclass(frozen=True)
class Basis:
    """A mean (d,1) and the first k columns U (d,k) of the left singular vectors of samples less that mean."""

    mean: Matrix
    U: Matrix

    def code(self, samples: Matrix) -> Matrix:
        """Eq. 4 and 7: Y = U^T X for samples (d,n) -> (k,n)."""
        return self.U.T @ (samples - self.mean)

    def samples(self, code: Matrix) -> Matrix:
        """U Y, with the mean: codes (k,n) -> (d,n)."""
        return self.U @ code + self.mean


@dataclass(frozen=True)
class LowDimensional:
    """The first approach: U_x, U_z and the transformation T between the two representations."""

    pictures: Basis
    shapes: Basis
    T: Matrix

    def reconstruct(self, X: Matrix) -> Matrix:
        """Eq. 9: z^ = U_z T Y for pictures (D,n) -> shapes (p,n)."""
        return self.shapes.samples(self.T @ self.pictures.code(X))


@dataclass(frozen=True)
class Direct:
    """The second approach: B^ between pictures and shapes, and the means that were taken off both."""

    picture_mean: Matrix
    shape_mean: Matrix
    B: Matrix

    def reconstruct(self, X: Matrix) -> Matrix:
        """Eq. 11: z^ = B^ x for pictures (D,n) -> shapes (p,n)."""
        return self.B @ (X - self.picture_mean) + self.shape_mean


def basis(X: Matrix, k: int) -> Basis:
    """Eq. 2, 3 (and 5, 6): [U, sigma, V] = SVD(X) of samples (d,n) less their mean, cut to k columns.

    What a linear autoencoder with k neurons would learn (Baldi & Hornik 1989), without training.
    """
    mean = X.mean(axis=1, keepdims=True)
    U, _ = left_singular_vectors(X - mean)
    return Basis(mean, U[:, :k])


def low_dimensional(pictures: Basis, shapes: Basis, X: Matrix, Z: Matrix) -> LowDimensional:
    """Eq. 8: T = argmin |B - T Y| over pairs of pictures (D,n) and shapes (p,n) in bases that are given."""
    Y, B = pictures.code(X), shapes.code(Z)
    return LowDimensional(pictures, shapes, least_squares(Y, B))


def direct(X: Matrix, Z: Matrix) -> Direct:
    """Eq. 10: B^ = argmin |Z - B X| over pairs of pictures (D,n) and shapes (p,n)."""
    picture_mean, shape_mean = X.mean(axis=1, keepdims=True), Z.mean(axis=1, keepdims=True)
    return Direct(picture_mean, shape_mean, least_squares(X - picture_mean, Z - shape_mean))


def least_squares(Y: Matrix, B: Matrix) -> Matrix:
    """T (m,k) with the least |B - T Y| for Y (k,n) and B (m,n); of several the shortest."""
    Y = Y.astype(np.float64)
    U, sigma = left_singular_vectors(Y)
    return ((B @ (Y.T @ U / sigma**2)) @ U.T).astype(B.dtype)


def left_singular_vectors(X: Matrix) -> tuple[Matrix, Matrix]:
    """U (d,r) and sigma (r,) of X (d,n), largest first, from whichever of X X^T and X^T X is the smaller.

    Directions in which X has no extent beyond rounding are left out. Sums are in double precision whatever X is in: in
    single, all with less than some hundredths of the largest extent would have to go, and of a least squares that left
    those out nobody could say that it overfits.
    """
    wide = X.shape[0] <= X.shape[1]
    parts = [X[:, start : start + _AT_ONCE] if wide else X[start : start + _AT_ONCE].T for start in _starts(X, wide)]
    gram = sum((part.astype(np.float64) @ part.T.astype(np.float64) for part in parts), np.zeros((min(X.shape),) * 2))
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > values[0] * max(X.shape) * np.finfo(np.float64).eps
    vectors, sigma = vectors[:, kept], np.sqrt(values[kept])
    if wide:
        return vectors.astype(X.dtype), sigma.astype(X.dtype)
    turned = vectors / sigma
    U = np.concatenate([(part.T.astype(np.float64) @ turned).astype(X.dtype) for part in parts])
    return U, sigma.astype(X.dtype)


def _starts(X: Matrix, wide: bool) -> range:
    return range(0, max(1, X.shape[1] if wide else X.shape[0]), _AT_ONCE)
