"""LoKr: the update is a Kronecker product of a small matrix and a larger one, which may itself be low-rank.

Edalati et al. 2022, arXiv:2212.10650, and Yeh et al. 2024, arXiv:2309.14859; names, shapes and factors as LyCORIS.
A layer's input of uq * vq channels is seen as a table (uq, vq), its output as (up, vp): the product of
w1 (up, uq) and w2 (vp, vq[, k, k]) acts on the two sides in turn, and is never built.
B batch · r rank · k kernel side
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks import dora
from trainer.networks.base import NetworkError, Size, Target
from trainer.networks.factorization import factorization
from trainer.networks.loha import rebuilt
from trainer.networks.options import NetworkOptions
from trainer.networks.update import Update, alpha_of, decomposition_of, draw_kaiming, is_kernel, layer_shape

KEYS = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_t2", "lokr_w2_a", "lokr_w2_b")


def kron_linear(x: Tensor, w1: Tensor, w2: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """(..., uq * vq) -> (..., up * vp); w2 (vp, vq), or its factors (vp, r) and (r, vq)."""
    table = x.unflatten(-1, (w1.shape[1], -1))
    if isinstance(w2, tuple):
        table = F.linear(F.linear(table, w2[1]), w2[0])
    else:
        table = F.linear(table, w2)
    return torch.matmul(w1, table).flatten(-2)


def kron_conv(x: Tensor, w1: Tensor, w2: Tensor | tuple[Tensor, ...], base: nn.Conv2d) -> Tensor:
    """(B, uq * vq, H, W) -> (B, up * vp, H', W').

    w2 (vp, vq, k, k); or its factors (vp, r, 1, 1) and (r, vq, k, k); or with a Tucker core (vp, r, 1, 1),
    (r, r, k, k), (r, vq, 1, 1).
    """
    geometry: Any = (None, base.stride, base.padding, base.dilation)
    table = x.unflatten(1, (w1.shape[1], -1)).flatten(0, 1)  # (B uq, vq, H, W)
    if isinstance(w2, Tensor):
        table = F.conv2d(table, w2, *geometry)
    elif len(w2) == 2:
        table = F.conv2d(F.conv2d(table, w2[1], *geometry), w2[0])
    else:
        table = F.conv2d(F.conv2d(F.conv2d(table, w2[2]), w2[1], *geometry), w2[0])
    height, width = table.shape[2:]
    table = torch.matmul(w1, table.reshape(x.shape[0], w1.shape[1], -1))  # (B, up, vp H' W')
    return table.view(x.shape[0], -1, height, width)


def kron_weight(w1: Tensor, w2: Tensor) -> Tensor:
    """(up, uq) and (vp, vq[, k, k]) -> (up * vp, uq * vq[, k, k])."""
    return torch.kron(w1.view(*w1.shape, *(1,) * (w2.dim() - 2)), w2.contiguous())


def kron_products(weight: Tensor, w1: Tensor, w2: Tensor, on_output: bool) -> tuple[Tensor, Tensor]:
    """<W, D> and |D|^2 of every output (or input) channel for D = kron(w1, w2), (n,) each, float32."""
    first, second = w1.float(), w2.float().flatten(2) if w2.dim() > 2 else w2.float()[..., None]
    weight = dora.computable(weight)
    table = weight.view(w1.shape[0], w2.shape[0], w1.shape[1], w2.shape[1], -1)
    if on_output:
        through = torch.einsum("acbdk,cdk->acb", table, second.to(weight.dtype)).float()
        cross = torch.einsum("acb,ab->ac", through, first)
        squares = first.square().sum(dim=1)[:, None] * second.square().sum(dim=(1, 2))[None]
    else:
        through = torch.einsum("acbdk,cdk->abd", table, second.to(weight.dtype)).float()
        cross = torch.einsum("abd,ab->bd", through, first)
        squares = first.square().sum(dim=0)[:, None] * second.square().sum(dim=(0, 2))[None]
    return cross.flatten(), squares.flatten()


class LoKr(Update):
    """kron(w1, w2) with either matrix whole or as a product; w2 with a Tucker core for a kernel with use_tucker.

    `factor` cuts the layer's sides as LyCORIS does. w1 is a product with decompose_both, w2 is whole with full_matrix,
    and each is whole where the rank is not below half of its larger side. alpha / rank acts when one is a product.
    """

    folded: ClassVar[tuple[str, ...]] = ("lokr_w1", "lokr_w1_a")

    def __init__(
        self, target: Target, size: Size, options: NetworkOptions, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        """shapes: key ending -> shape, where a file decides."""
        super().__init__(target, size, options)
        shapes = shapes or _shapes(target, size.rank, options)
        for key in KEYS:
            shape = shapes.get(key)
            self.register_parameter(key, None if shape is None else nn.Parameter(torch.empty(shape)))
        first = shapes.get("lokr_w1") or (shapes["lokr_w1_a"][0], shapes["lokr_w1_b"][1])
        sides = layer_shape(self.layer)
        if sides[0] % first[0] or sides[1] % first[1]:
            raise NetworkError(
                f"{target.name}: its weight is {sides}, which lokr_w1 of {tuple(first)} does not divide; "
                "the file is for another model"
            )
        self.loaded_scale()

    lokr_w1: nn.Parameter | None
    lokr_w1_a: nn.Parameter
    lokr_w1_b: nn.Parameter
    lokr_w2: nn.Parameter | None
    lokr_w2_a: nn.Parameter
    lokr_w2_b: nn.Parameter
    lokr_t2: nn.Parameter | None

    def initialise(self, generator: torch.Generator) -> None:
        """All as Kaiming uniform, w2 (or its right side) zero unless the scalar is."""
        for key in KEYS:
            parameter = getattr(self, key)
            if parameter is not None:
                draw_kaiming(parameter, generator)
        if not isinstance(self.scalar, nn.Parameter):
            nn.init.zeros_(self.lokr_w2_b if self.lokr_w2 is None else self.lokr_w2)
        self.initialise_lengths()

    def update(self, x: Tensor, factor: Tensor, keep: Tensor | None) -> Tensor:
        """Through the two sides in turn; the scale is multiplied into w1, which is small."""
        first = self._first() * factor
        if isinstance(self.layer, nn.Linear):
            y = kron_linear(x, first, (self.lokr_w2_a, self.lokr_w2_b) if self.lokr_w2 is None else self.lokr_w2)
        else:
            y = kron_conv(x, first, self._kernels(), self.layer)
        return y if keep is None else y * self.channels(keep.to(y.dtype))

    def delta(self, factor: Tensor) -> Tensor:
        """(out, in) or (out, in, k, k), float32."""
        return kron_weight((self._first() * factor).float(), self._second().float())

    def products(self, factor: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """From the two matrices; the product is only built for lengths of inputs under rank_dropout."""
        if keep is None or self.on_output:
            first, second = self._first() * factor, self._second()
            cross, squares = kron_products(self.layer.weight, first, second, self.on_output)
            return (cross, squares) if keep is None else (cross * keep, squares * keep.square())
        delta = self.delta(factor) * keep.view(-1, *(1,) * (self.layer.weight.dim() - 1))
        return dora.products(self.frozen_weight(), delta, self.on_output)

    @torch.no_grad()
    def shrink(self, ratio: Tensor) -> None:
        """All matrices alike, as LyCORIS does it."""
        there = [parameter for key in KEYS if (parameter := getattr(self, key)) is not None]
        for parameter in there:
            parameter.mul_(ratio ** (1 / len(there)))

    def follow_buffers(self) -> None:
        """Without a product there is no rank, and alpha means nothing."""
        super().follow_buffers()
        self.loaded_scale()

    def loaded_scale(self) -> None:
        """Scale 1 where both matrices are whole; the file's alpha is the rank then, as far as fp16 reaches."""
        if self.lokr_w1 is not None and self.lokr_w2 is not None:
            self.scale = 1.0
            self.alpha.fill_(min(self.rank, torch.finfo(torch.float16).max))

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """lokr_w1 or its product is in no other method's file."""
        return "lokr_w1" in tensors or "lokr_w1_a" in tensors

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> LoKr:
        """Shapes, alpha and lengths as in the file."""
        shapes = {key: tuple(value.shape) for key, value in tensors.items() if key in KEYS}
        product = shapes.get("lokr_w2_b") or shapes.get("lokr_w1_b")
        rank = product[0] if product else 1
        options = replace(options, arguments={**options.arguments, **decomposition_of(tensors)})
        return cls(target, Size(rank, alpha_of(tensors, rank) if product else rank), options, shapes)

    def _first(self) -> Tensor:
        """w1 (up, uq)."""
        return self.lokr_w1_a @ self.lokr_w1_b if self.lokr_w1 is None else self.lokr_w1

    def _second(self) -> Tensor:
        """w2 (vp, vq) or (vp, vq, k, k)."""
        if self.lokr_w2 is not None:
            return self.lokr_w2
        if self.lokr_t2 is not None:
            return rebuilt(self.lokr_t2, self.lokr_w2_a, self.lokr_w2_b)
        product = self.lokr_w2_a @ self.lokr_w2_b
        if isinstance(self.layer, nn.Linear):
            return product
        return product.view(product.shape[0], -1, *self.layer.kernel_size)

    def _kernels(self) -> Tensor | tuple[Tensor, ...]:
        """w2 of a convolution as kernels to apply one after the other, the last one first."""
        if self.lokr_w2 is not None:
            return self.lokr_w2
        if self.lokr_t2 is not None:
            return self.lokr_w2_a.T[..., None, None], self.lokr_t2, self.lokr_w2_b[..., None, None]
        rank = self.lokr_w2_b.shape[0]
        return self.lokr_w2_a[..., None, None], self.lokr_w2_b.view(rank, -1, *self.layer.kernel_size)


def _shapes(target: Target, rank: int, options: NetworkOptions) -> dict[str, tuple[int, ...]]:
    """Key ending -> shape as LyCORIS chooses them."""
    arguments = options.arguments
    outputs, inputs, *kernel = layer_shape(target.module)
    cut = int(arguments.get("factor", -1))  # type: ignore[arg-type]
    (up, vp), (uq, vq) = factorization(outputs, cut), factorization(inputs, cut)
    if arguments.get("unbalanced_factorization"):
        up, vp = vp, up
    whole = bool(arguments.get("full_matrix"))
    shapes: dict[str, tuple[int, ...]] = {}
    if arguments.get("decompose_both") and rank < max(up, uq) / 2 and not whole:
        shapes |= {"lokr_w1_a": (up, rank), "lokr_w1_b": (rank, uq)}
    else:
        shapes["lokr_w1"] = (up, uq)
    if whole or rank >= max(vp, vq) / 2:
        shapes["lokr_w2"] = (vp, vq, *kernel)
    elif arguments.get("use_tucker") and is_kernel(target.module):
        shapes |= {"lokr_t2": (rank, rank, *kernel), "lokr_w2_a": (rank, vp), "lokr_w2_b": (rank, vq)}
    else:
        shapes |= {"lokr_w2_a": (vp, rank), "lokr_w2_b": (rank, vq * math.prod(kernel))}
    return shapes
