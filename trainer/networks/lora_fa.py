"""LoRA-FA: LoRA whose down matrices stay as they were drawn; only the up matrices learn.

Zhang et al. 2023, arXiv:2308.03303. Initial values as in sd-scripts' networks.lora_fa. Files are those of a LoRA.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from trainer.networks.base import Size, Target
from trainer.networks.lora import LoRA
from trainer.networks.options import NetworkOptions


class LoRAFA(LoRA):
    """The low-rank update of one layer, with a frozen down matrix."""

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        self.lora_down.requires_grad_(False)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Down normal with variance 2 / (in + rank), in counting channels; up zero."""
        deviation = math.sqrt(2 / (self.down.shape[1] + self.rank))
        self.down.copy_(torch.randn(self.down.shape, generator=generator) * deviation)
        self.up.zero_()

    def parameters_plus(self) -> Sequence[nn.Parameter]:
        """None: all that is trained are the up matrices."""
        return ()
