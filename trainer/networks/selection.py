"""Which layers networks.lora adapts, and how large (KOHYA_COMPAT 6.1). LIGHT.

Layers are chosen by the class names of the modules around them, as sd-scripts does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from trainer.networks.base import Size, Target
    from trainer.networks.options import NetworkOptions

    AnyTarget = TypeVar("AnyTarget", bound=Target)

ATTENTION_CONTAINERS = frozenset({"Transformer2DModel"})
CONV_CONTAINERS = frozenset({"ResnetBlock2D", "Downsample2D", "Upsample2D"})
TEXT_CONTAINERS = frozenset({"CLIPAttention", "CLIPSdpaAttention", "CLIPFlashAttention2", "CLIPMLP"})


def lora_targets(layers: Sequence[AnyTarget], conv: bool = False) -> list[AnyTarget]:
    """The Linear and Conv2d layers of attention and text blocks; `conv`: also those of residual blocks and samplers."""
    from torch import nn

    containers = TEXT_CONTAINERS | ATTENTION_CONTAINERS | (CONV_CONTAINERS if conv else frozenset())
    return [
        layer for layer in layers if isinstance(layer.module, nn.Linear | nn.Conv2d) and layer.containers & containers
    ]


def lora_size(target: Target, options: NetworkOptions) -> Size | None:
    """Rank and alpha of a layer among `lora_targets`; None leaves it alone."""
    from torch import nn

    from trainer.networks.base import Size

    layer = target.module
    if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
        return Size(options.conv_rank, options.conv_alpha) if options.conv_rank else None
    return Size(options.rank, options.alpha)
