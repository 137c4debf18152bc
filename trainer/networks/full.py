"""Full: the difference of a layer's whole weight and bias is trained, at the cost of its size. LyCORIS' algo=full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainer.networks.base import Adapter, Size, Target
from trainer.networks.options import NetworkOptions


class Full(Adapter):
    """W + diff and bias + diff_b. `rank_dropout` leaves out output channels of both, the same for all samples."""

    tells: ClassVar[tuple[str, ...]] = ("diff",)
    needs_weight: ClassVar[bool] = True
    limited: ClassVar[bool] = False

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        layer = self.layer
        self.diff = nn.Parameter(torch.zeros(layer.weight.shape))
        self.diff_b = None if layer.bias is None else nn.Parameter(torch.zeros(layer.bias.shape))

    def initialise(self, generator: torch.Generator) -> None:
        """Zero."""
        nn.init.zeros_(self.diff)
        if self.diff_b is not None:
            nn.init.zeros_(self.diff_b)

    def adapted(self, x: Tensor) -> Tensor:
        """One pass with the changed weight, which is added up in float32."""
        diff: Tensor = self.diff
        diff_b: Tensor | None = self.diff_b
        chance = self.options.rank_dropout
        if self.training and chance:
            keep = (torch.rand(diff.shape[0], device=diff.device) > chance).to(diff.dtype)
            diff = diff * keep.view(-1, *(1,) * (diff.dim() - 1))
            diff_b = None if diff_b is None else diff_b * keep
        bias = None if diff_b is None else self.layer.bias.detach().float() + diff_b
        return self.with_weight(x, self.frozen_weight() + diff, bias)

    def weight_delta(self) -> Tensor:
        """diff, float32."""
        return self.diff.detach().float()

    def bias_delta(self) -> Tensor | None:
        """diff_b, float32."""
        return None if self.diff_b is None else self.diff_b.detach().float()

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> Full:
        """There is nothing to choose."""
        return cls(target, Size(1, 1.0), options)
