"""LoHa: the update is the elementwise product of two low-rank matrices, so its rank reaches r * r.

Hyeon-Woo et al. 2022, arXiv:2108.06098; names and shapes as LyCORIS writes them (KOHYA_COMPAT 6.9).
r rank · k kernel side
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer.networks import dora
from trainer.networks.base import Size, Target, is_quantised
from trainer.networks.options import NetworkOptions
from trainer.networks.update import (
    Update,
    alpha_of,
    decomposition_of,
    draw_normal,
    in_float32,
    is_kernel,
    kernel_op,
    layer_shape,
)


class HadamardOfProducts(torch.autograd.Function):
    """(a1 @ b1) * (a2 @ b2); both products are built again in the backward pass, to keep no full-size matrix."""

    @staticmethod
    def forward(ctx: Any, a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
        ctx.save_for_backward(a1, b1, a2, b2)
        return (a1 @ b1).mul_(a2 @ b2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        a1, b1, a2, b2 = ctx.saved_tensors
        first = grad * (a2 @ b2)
        grads = (first @ b1.T, a1.T @ first)
        del first
        second = grad * (a1 @ b1)
        return (*grads, second @ b2.T, a2.T @ second)


def hadamard_weight(a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
    """(out, r), (r, in k k) twice -> (out, in k k)."""
    product: Tensor = HadamardOfProducts.apply(a1, b1, a2, b2)
    return product


def rebuilt(core: Tensor, outputs: Tensor, inputs: Tensor) -> Tensor:
    """A Tucker-decomposed kernel: core (r, s, k, k), outputs (r, out), inputs (s, in) -> (out, in, k, k)."""
    return torch.einsum("rskl,ro,si->oikl", core, outputs, inputs)


class LoHa(Update):
    """(w1_a @ w1_b) * (w2_a @ w2_b), each with a Tucker core for a kernel with use_tucker."""

    folded: ClassVar[tuple[str, ...]] = ("hada_w1_a",)

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        rank = size.rank
        outputs, inputs, *kernel = layer_shape(self.layer)
        self.tucker = bool(options.arguments.get("use_tucker")) and is_kernel(self.layer)
        self.hada_t1: nn.Parameter | None = None
        self.hada_t2: nn.Parameter | None = None
        if self.tucker:
            self.hada_t1 = nn.Parameter(torch.empty(rank, rank, *kernel))
            self.hada_t2 = nn.Parameter(torch.empty(rank, rank, *kernel))
        left = (rank, outputs) if self.tucker else (outputs, rank)
        right = (rank, inputs) if self.tucker else (rank, inputs * math.prod(kernel))
        self.hada_w1_a, self.hada_w1_b = nn.Parameter(torch.empty(left)), nn.Parameter(torch.empty(right))
        self.hada_w2_a, self.hada_w2_b = nn.Parameter(torch.empty(left)), nn.Parameter(torch.empty(right))

    def initialise(self, generator: torch.Generator) -> None:
        """Normal: cores and w1_a of deviation 0.1, the right sides of 1; w2_a zero unless the scalar is."""
        for core in (self.hada_t1, self.hada_t2):
            if core is not None:
                draw_normal(core, 0.1, generator)
        draw_normal(self.hada_w1_b, 1.0, generator)
        draw_normal(self.hada_w1_a, 0.1, generator)
        draw_normal(self.hada_w2_b, 1.0, generator)
        draw_normal(self.hada_w2_a, 0.1 if isinstance(self.scalar, nn.Parameter) else 0.0, generator)
        self.initialise_lengths()

    def update(self, x: Tensor, factor: Tensor, keep: Tensor | None) -> Tensor:
        """The product is built, in the weight's shape, and applied: there is no narrow way through it."""
        return kernel_op(self.layer, x, self._product(factor, keep))

    def products(self, factor: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """From the built product."""
        return dora.products(self.frozen_weight(), self._product(factor, keep).float(), self.on_output)

    def adapted(self, x: Tensor) -> Tensor:
        """In float32 one pass with the merged weight, since the update is built anyway; else two, not to round it off.

        Measured on one CPU core, forward and backward: 1280 x 1280 with 1024 tokens 0.125 s against 0.222 s.
        """
        if not in_float32(x) or is_quantised(self.layer) or (self.training and self.options.dropout):
            return super().adapted(x)
        merged = self.frozen_weight() + self._product(self.scale * self.scalar, self.kept_outputs(x.device))
        if self.dora_scale is not None:
            merged = dora.decomposed(merged, self.dora_scale, self.on_output)
        return self.with_weight(x, merged)

    def delta(self, factor: Tensor) -> Tensor:
        """(out, in) or (out, in, k, k), float32."""
        return self._product(factor, None).float()

    def _product(self, factor: Tensor, keep: Tensor | None) -> Tensor:
        """The update; scale and dropped output channels are multiplied into w1_a, which is small."""
        first = self.hada_w1_a * factor
        if keep is not None:
            first = first * (keep if self.tucker else keep[:, None]).to(first.dtype)
        with torch.autocast(first.device.type, enabled=False):
            if self.hada_t1 is not None and self.hada_t2 is not None:
                one = rebuilt(self.hada_t1, first, self.hada_w1_b)
                return one * rebuilt(self.hada_t2, self.hada_w2_a, self.hada_w2_b)
            flat = hadamard_weight(first, self.hada_w1_b, self.hada_w2_a, self.hada_w2_b)
        return flat.view(layer_shape(self.layer))

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """hada_w1_a is in no other method's file."""
        return "hada_w1_a" in tensors

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> LoHa:
        """Rank, alpha, cores and lengths as in the file."""
        rank = tensors["hada_w1_b"].shape[0]
        own = {"use_tucker": "hada_t1" in tensors, **decomposition_of(tensors)}
        options = replace(options, arguments={**options.arguments, **own})
        return cls(target, Size(rank, alpha_of(tensors, rank)), options)
