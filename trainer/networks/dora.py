"""Weight decomposition (DoRA): the direction of a weight and its length are trained apart.

The merged weight of a layer is (W + D) * m / |W + D| with a trained length m for every output channel, or for every
input channel (wd_on_output off). Liu et al. 2024, arXiv:2402.09353; the norm carries gradients, as in LyCORIS.
n channels whose length is trained · r rank · k kernel side
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST = torch.finfo(torch.float32).eps  # LyCORIS adds it to the norm


def lengths(weight: Tensor, on_output: bool) -> Tensor:
    """Norms of a weight (out, in[, k, k]) over all but the chosen side: (n,), float32."""
    rows = weight.float() if on_output else weight.float().transpose(0, 1)
    return rows.flatten(1).norm(dim=1)


def magnitude_shape(weight: Tensor, on_output: bool) -> tuple[int, ...]:
    """The shape of `dora_scale` in a file: (out, 1[, 1, 1]) or (1, in[, 1, 1])."""
    ones = (1,) * (weight.dim() - 2)
    return (weight.shape[0], 1, *ones) if on_output else (1, weight.shape[1], *ones)


def length_factors(magnitude: Tensor, base: Tensor, cross: Tensor, update: Tensor) -> Tensor:
    """m / |W + D| for every channel, (n,), from |W|^2, <W, D> and |D|^2 of its slices: W + D need not be built."""
    squares = (base + 2 * cross + update).clamp(min=SMALLEST**2)
    return magnitude.flatten().float() / (squares.sqrt() + SMALLEST)


def products(weight: Tensor, update: Tensor, on_output: bool) -> tuple[Tensor, Tensor]:
    """<W, D> and |D|^2 of every channel for an update D that is there in full, (n,) each, float32."""
    others = tuple(dim for dim in range(weight.dim()) if dim != (0 if on_output else 1))
    return (weight * update).sum(dim=others), update.square().sum(dim=others)


def low_rank_products(weight: Tensor, down: Tensor, up: Tensor, on_output: bool) -> tuple[Tensor, Tensor]:
    """<W, D> and |D|^2 of every channel for D = up @ down, (n,) each, float32.

    weight (out, in[, k, k]); down (r, in[, k, k]); up (out, r). Costs out * in * r, without a matrix of the full size.
    """
    narrow, wide = down.float().flatten(1), up.float().flatten(1)
    table = computable(weight).flatten(1)
    if on_output:
        through = (table @ narrow.T.to(table.dtype)).float()  # (out, r)
        return (wide * through).sum(dim=1), (wide * (wide @ (narrow @ narrow.T))).sum(dim=1)
    through = (wide.T.to(table.dtype) @ table).float()  # (r, in k k)
    cross = (narrow * through).sum(dim=0)
    update = (narrow * ((wide.T @ wide) @ narrow)).sum(dim=0)
    inputs = weight.shape[1]
    return cross.view(inputs, -1).sum(dim=1), update.view(inputs, -1).sum(dim=1)


def computable(weight: Tensor) -> Tensor:
    """A frozen weight in a format that matrix products take: fp8 is widened to bfloat16."""
    return weight.to(torch.bfloat16) if weight.element_size() == 1 else weight


def decomposed(weight: Tensor, magnitude: Tensor, on_output: bool) -> Tensor:
    """A merged weight (out, in[, k, k]) brought to the trained lengths, float32."""
    factors = magnitude.float().flatten() / (lengths(weight, on_output) + SMALLEST)
    return weight.float() * factors.view(magnitude_shape(weight, on_output))
