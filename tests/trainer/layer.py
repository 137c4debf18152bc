"""A single layer as a network method gets it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Layer:
    """What trainer.networks.base.Target asks for; an attention layer of the U-Net unless said otherwise."""

    name: str
    module: nn.Module
    part: str = "unet"
    path: str = "x"
    containers: frozenset[str] = frozenset({"Transformer2DModel", "Attention"})
    block: int | None = None
