"""Norm layers: the differences of their scale and shift are trained. LyCORIS' train_norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainer.networks.base import Adapter, Size, Target
from trainer.networks.options import NetworkOptions


class Norm(Adapter):
    """weight + w_norm and bias + b_norm. `rank_dropout` leaves out channels of both, the same for all samples."""

    tells: ClassVar[tuple[str, ...]] = ("w_norm",)
    layer_types: ClassVar[tuple[type[nn.Module], ...]] = (nn.LayerNorm, nn.GroupNorm)
    limited: ClassVar[bool] = False

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        layer = self.layer
        self.w_norm = nn.Parameter(torch.zeros(layer.weight.shape))
        self.b_norm = None if layer.bias is None else nn.Parameter(torch.zeros(layer.bias.shape))

    def initialise(self, generator: torch.Generator) -> None:
        """Zero."""
        nn.init.zeros_(self.w_norm)
        if self.b_norm is not None:
            nn.init.zeros_(self.b_norm)

    def adapted(self, x: Tensor) -> Tensor:
        """One pass with the changed scale and shift."""
        scale: Tensor = self.w_norm
        shift: Tensor | None = self.b_norm
        chance = self.options.rank_dropout
        if self.training and chance:
            keep = (torch.rand(scale.shape, device=scale.device) > chance).to(scale.dtype)
            scale, shift = scale * keep, None if shift is None else shift * keep
        bias = None if shift is None else self.layer.bias.detach().float() + shift
        return self.with_weight(x, self.frozen_weight() + scale, bias)

    def weight_delta(self) -> Tensor:
        """w_norm, float32."""
        return self.w_norm.detach().float()

    def bias_delta(self) -> Tensor | None:
        """b_norm, float32."""
        return None if self.b_norm is None else self.b_norm.detach().float()

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> Norm:
        """There is nothing to choose."""
        return cls(target, Size(1, 1.0), options)
