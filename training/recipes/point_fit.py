"""Fits a linear head model to points in a crop: pose, perspective and coefficients at once, inside a network.

The estimate is the maximum a posteriori one under a Gaussian prior, by Gauss-Newton steps. Each step solves its
normal equations by conjugate gradients, so that all is matrix products: it runs in ONNX, and gradients flow through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]

# Lengths are in decimetres here, so that points, scales and their derivatives are all near one.
_UNIT = 100.0
# One over the camera's distance: its mean and spread over portraits, per decimetre.
_NEARNESS, _NEARNESS_SPREAD, _NEAREST = 0.11, 0.06, 0.35
# In what steps the unknowns change: turn (rad), shift and log scale, nearness. Alike in effect, they solve quickly.
_STEPS = (0.05, 0.05, 0.05, 0.01, 0.01, 0.03, 0.05)
_POSE = len(_STEPS)


@dataclass(frozen=True)
class PointModel:
    """mean (P,3), shapes (K,P,3) and expressions (E,P,3) of the points in mm, per standard deviation of the prior."""

    mean: Floats
    shapes: Floats
    expressions: Floats


class Fit(NamedTuple):
    """shape (B,K) and expression (B,E) coefficients, rotation (B,3,3) head to camera, residual (B,P,2) crop units."""

    shape: Tensor
    expression: Tensor
    rotation: Tensor
    residual: Tensor


class PointFit(nn.Module):
    """Points (B,P,2) in shares of the crop, with weights, -> the model's coefficients.

    A point is seen at ``scale * (R X)_xy / (1 + nearness * (R X)_z) + shift``: a full perspective camera that looks
    at the crop's middle. All steps but the last are taken without gradients, which costs little: at the optimum
    the last step's derivative is the optimum's (implicit function theorem, to first order in the residual).
    """

    def __init__(self, points: int, shapes: int, expressions: int, steps: int = 3, solver_steps: int = 14) -> None:
        super().__init__()
        self.shapes, self.steps, self.solver_steps = shapes, steps, solver_steps
        unknowns = shapes + expressions
        self.register_buffer("mean", torch.zeros(points, 3))
        self.register_buffer("columns", torch.zeros(points, 3, unknowns))
        self.register_buffer("affine", torch.zeros(4, points))
        spread = _NEARNESS_SPREAD / _STEPS[-1]
        prior = torch.cat([torch.full((_POSE - 1,), 1e-3), torch.tensor([spread**-2]), torch.ones(unknowns)])
        self.register_buffer("prior", prior, persistent=False)
        self.register_buffer("scales", torch.cat([torch.tensor(_STEPS), torch.ones(unknowns)]), persistent=False)

    @torch.no_grad()
    def set_model(self, model: PointModel) -> None:
        """Takes over the head model."""
        mean = torch.from_numpy(model.mean / _UNIT).float()
        columns = np.concatenate([model.shapes, model.expressions]) / _UNIT
        self.mean.copy_(mean)
        self.columns.copy_(torch.from_numpy(columns).float().permute(1, 2, 0))
        homogeneous = torch.cat([mean, torch.ones(len(mean), 1)], 1)
        self.affine.copy_(torch.linalg.pinv(homogeneous.double()).float())

    def forward(self, points: Tensor, weights: Tensor) -> Fit:
        """Points (B,P,2) and their inverse variances (B,P), both coordinates alike -> `Fit`."""
        state = self._start(points.detach())
        with torch.no_grad():
            for _ in range(self.steps - 1):
                state, _ = self._step(state, points, weights)
        state, residual = self._step(state, points, weights)
        coefficients = state[4]
        return Fit(coefficients[:, : self.shapes], coefficients[:, self.shapes :], state[0], residual)

    def _start(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Rotation, scale, shift, nearness and coefficients of the mean head under a parallel projection."""
        linear = self.affine @ points
        first, second, shift = linear[:, :3, 0], linear[:, :3, 1], linear[:, 3]
        length_1 = first.norm(dim=1, keepdim=True) + 1e-6
        length_2 = second.norm(dim=1, keepdim=True) + 1e-6
        # The orthonormal pair nearest to both directions lies 45 degrees either side of their bisector.
        along, across = _unit(first / length_1 + second / length_2), _unit(first / length_1 - second / length_2)
        rows = [(along + across) * 0.5**0.5, (along - across) * 0.5**0.5]
        rotation = torch.stack([*rows, _cross(*rows)], 1)
        scale = (length_1 + length_2) / 2
        coefficients = scale * torch.zeros(1, self.columns.shape[2], device=points.device)
        return rotation, scale, shift, 0 * scale + _NEARNESS, coefficients

    def _step(
        self, state: tuple[Tensor, Tensor, Tensor, Tensor, Tensor], points: Tensor, weights: Tensor
    ) -> tuple[tuple[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]:
        rotation, scale, shift, nearness, coefficients = state
        count = self.mean.shape[0]
        heads = self.mean + torch.einsum("bk,pjk->bpj", coefficients, self.columns)
        turned = heads @ rotation.transpose(1, 2)
        depth = 1 + nearness * turned[..., 2]
        shrink = scale / depth
        seen = shrink[..., None] * turned[..., :2]
        residual = points - seen - shift[:, None]
        x, y, z = turned.unbind(-1)
        lean_x, lean_y = -nearness * x / depth, -nearness * y / depth
        none, one = torch.zeros_like(x), torch.ones_like(x)
        # Derivatives of the two picture coordinates by the turned head's three (B,P,2,3), and by a small turn.
        by_place = shrink[..., None, None] * _matrix([[one, none, lean_x], [none, one, lean_y]])
        by_turn = by_place @ _matrix([[none, z, -y], [-z, none, x], [y, -x, none]])
        by_shift = _matrix([[one, none], [none, one]])
        by_scale, by_nearness = seen[..., None], (-seen * (z / depth)[..., None])[..., None]
        by_head = by_place @ rotation[:, None]
        by_coefficient = torch.einsum("bpij,pjk->bpik", by_head, self.columns)
        jacobian = torch.cat([by_turn, by_shift, by_scale, by_nearness, by_coefficient], -1)
        jacobian = (jacobian * self.scales).reshape(-1, 2 * count, len(self.scales))
        weighted = (jacobian * weights[:, :, None].expand(-1, -1, 2).reshape(-1, 2 * count, 1)).transpose(1, 2)
        free = torch.zeros_like(weights[:, : _POSE - 1])
        offset = torch.cat([free, (nearness - _NEARNESS) / _STEPS[-1], coefficients], 1)
        gradient = (weighted @ residual.reshape(-1, 2 * count, 1))[..., 0] - self.prior * offset
        change = self._solve(weighted @ jacobian + torch.diag(self.prior), gradient) * self.scales
        state = (
            _rotation(change[:, :3].clamp(-0.5, 0.5)) @ rotation,
            scale * torch.exp(change[:, 5:6].clamp(-0.4, 0.4)),
            shift + change[:, 3:5],
            (nearness + change[:, 6:7]).clamp(0.01, _NEAREST),
            coefficients + change[:, _POSE:],
        )
        return state, residual

    def _solve(self, matrix: Tensor, right: Tensor) -> Tensor:
        """Conjugate gradients, preconditioned by the diagonal: (B,n,n), (B,n) -> (B,n)."""
        inverse = 1 / torch.einsum("bii->bi", matrix)
        solution = inverse * right
        rest = right - (matrix @ solution[..., None])[..., 0]
        scaled = inverse * rest
        direction, product = scaled, (rest * scaled).sum(1, keepdim=True)
        for _ in range(self.solver_steps):
            image = (matrix @ direction[..., None])[..., 0]
            length = product / ((direction * image).sum(1, keepdim=True) + 1e-12)
            solution = solution + length * direction
            rest = rest - length * image
            scaled = inverse * rest
            following = (rest * scaled).sum(1, keepdim=True)
            direction = scaled + following / (product + 1e-12) * direction
            product = following
        return solution


def point_model(
    mean: Floats, columns: Floats, expression: Floats, ids: NDArray[np.integer], expressions: int
) -> PointModel:
    """The model of the template's points `ids` from mean (N,3), columns (K,N,3) and expression (52,N,3).

    Columns are in mm per standard deviation. The expressions' prior has each action at a quarter of its strength;
    their `expressions` principal directions at the points are kept.
    """
    moves = 0.25 * expression[:, ids].reshape(len(expression), -1)
    _, spread, directions = np.linalg.svd(moves, full_matrices=False)
    kept = (spread[:expressions, None] * directions[:expressions]).reshape(-1, len(ids), 3)
    return PointModel(mean[ids], columns[:, ids], kept.astype(np.float32))


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    """Entries (B,P) -> matrices (B,P,rows,columns)."""
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / (vectors.norm(dim=1, keepdim=True) + 1e-6)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        1,
    )


def _rotation(turn: Tensor) -> Tensor:
    """Small rotation vectors (B,3) -> rotations (B,3,3), by Cayley's map: exactly orthogonal, no trigonometry."""
    x, y, z = (turn / 2).unbind(1)
    none = torch.zeros_like(x)
    skew = _matrix(
        [
            [none[:, None], -z[:, None], y[:, None]],
            [z[:, None], none[:, None], -x[:, None]],
            [-y[:, None], x[:, None], none[:, None]],
        ]
    )[:, 0]
    factor = 2 / (1 + x * x + y * y + z * z)
    identity = torch.eye(3, device=turn.device)
    return identity + factor[:, None, None] * (skew + skew @ skew)
