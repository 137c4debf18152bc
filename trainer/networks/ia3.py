"""(IA)3: every output (or input) channel of a layer is scaled by a trained number. The smallest of all files.

Liu et al. 2022, arXiv:2205.05638; names and shapes as LyCORIS writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer.networks.base import Adapter, Size, Target
from trainer.networks.options import NetworkOptions
from trainer.networks.update import layer_shape


class IA3(Adapter):
    """W * (1 + weight), over output channels, or over input channels with train_on_input. The bias is not scaled."""

    on_input: Tensor
    tells: ClassVar[tuple[str, ...]] = ("on_input",)
    limited: ClassVar[bool] = False

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        self.scales_input = bool(options.arguments.get("train_on_input"))
        outputs, inputs, *kernel = layer_shape(self.layer)
        channels = inputs if self.scales_input else outputs
        self.weight = nn.Parameter(torch.zeros((1, channels, 1, 1) if kernel else (channels,)))
        self.register_buffer("on_input", torch.tensor(int(self.scales_input)))

    def initialise(self, generator: torch.Generator) -> None:
        """Zero: nothing is scaled."""
        nn.init.zeros_(self.weight)

    def adapted(self, x: Tensor) -> Tensor:
        """The layer with its input or its output scaled."""
        if self.scales_input:
            return self.frozen(x * (1 + self.weight).to(x.dtype))
        y = self.frozen(x)
        weight = self.weight.to(y.dtype)
        if self.layer.bias is None:
            return y * (1 + weight)
        bias = self.layer.bias.to(y.dtype).view(weight.shape)
        return torch.addcmul(-(bias * weight), y, 1 + weight)

    def weight_delta(self) -> Tensor:
        """W * weight along its side, float32."""
        weight = self.frozen_weight()
        shape: Any = (1, -1) if self.scales_input else (-1, 1)
        return weight * self.weight.float().view(*shape, *(1,) * (weight.dim() - 2))

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> IA3:
        """The side as in the file."""
        own = {"train_on_input": bool(tensors["on_input"])}
        return cls(target, Size(1, 1.0), replace(options, arguments={**options.arguments, **own}))
