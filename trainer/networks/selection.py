"""Which layers networks.lora adapts, and how large (KOHYA_COMPAT 6.1, 6.5). LIGHT.

Layers are chosen by the class names of the modules around them, as sd-scripts does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from trainer.networks.blocks import LAYOUTS, BlockLayout, block_weights, for_every_block

if TYPE_CHECKING:
    from trainer.networks.base import Size, Target
    from trainer.networks.options import NetworkOptions

    AnyTarget = TypeVar("AnyTarget", bound=Target)

ATTENTION_CONTAINERS = frozenset({"Transformer2DModel"})
CONV_CONTAINERS = frozenset({"ResnetBlock2D", "Downsample2D", "Upsample2D"})
TEXT_CONTAINERS = frozenset({"CLIPAttention", "CLIPSdpaAttention", "CLIPFlashAttention2", "CLIPMLP"})
HIGHEST_SDXL_BLOCK = 22


def lora_targets(layers: Sequence[AnyTarget], conv: bool = False) -> list[AnyTarget]:
    """The Linear and Conv2d layers of attention and text blocks; `conv`: also those of residual blocks and samplers."""
    containers = TEXT_CONTAINERS | ATTENTION_CONTAINERS | (CONV_CONTAINERS if conv else frozenset())
    return within(layers, containers)


def within(layers: Sequence[AnyTarget], containers: frozenset[str]) -> list[AnyTarget]:
    """The Linear and Conv2d layers inside modules whose class name is in `containers`."""
    from torch import nn

    return [
        layer for layer in layers if isinstance(layer.module, nn.Linear | nn.Conv2d) and layer.containers & containers
    ]


def lora_sizes(layers: Sequence[Target], options: NetworkOptions) -> list[tuple[Target, Size]]:
    """The layers that networks.lora adapts, with rank and alpha. Raises BlockError when a list of blocks is too short.

    Ranks of blocks hold for the U-Net; a block of rank 0 or with a learning rate of 0 is left alone.
    """
    from trainer.networks.base import Size

    blocks = _block_sizes(layers, options)
    with_convolutions = bool(options.conv_rank) or (blocks is not None and blocks.conv_dims is not None)
    found: list[tuple[Target, Size]] = []
    for target in lora_targets(layers, with_convolutions):
        wide = is_wide(target)
        if blocks is None or target.block is None:
            rank, alpha = (options.conv_rank, options.conv_alpha) if wide else (options.rank, options.alpha)
        elif wide:
            rank, alpha = (0, 0.0) if blocks.conv_dims is None else (
                int(blocks.conv_dims[target.block]), blocks.conv_alphas[target.block])  # fmt: skip
        else:
            rank, alpha = int(blocks.dims[target.block]), blocks.alphas[target.block]
        if rank and not (blocks is not None and target.block is not None and blocks.weights[target.block] == 0):
            found.append((target, Size(rank, alpha)))
    return found


def is_wide(target: Target) -> bool:
    """Whether a layer is a convolution with a kernel larger than 1x1."""
    from torch import nn

    return isinstance(target.module, nn.Conv2d) and target.module.kernel_size != (1, 1)


def layout_of(layers: Sequence[Target]) -> BlockLayout:
    """How many blocks the U-Net has that these layers are of: by the highest number among them."""
    highest = max((target.block for target in layers if target.block is not None), default=0)
    return LAYOUTS[25 if highest > HIGHEST_SDXL_BLOCK else 23]


@dataclass(frozen=True)
class _BlockSizes:
    """A number for every block; conv_dims None: no 3x3 convolution is adapted."""

    dims: Sequence[float]
    alphas: Sequence[float]
    conv_dims: Sequence[float] | None
    conv_alphas: Sequence[float]
    weights: Sequence[float]


def _block_sizes(layers: Sequence[Target], options: NetworkOptions) -> _BlockSizes | None:
    """Ranks and alphas a block; those that are not given are the network's. None when blocks do not differ."""
    asked = options.blocks
    if asked is None:
        return None
    layout = layout_of(layers)
    conv_dims = None
    if asked.conv_dims is not None or options.conv_rank:
        conv_dims = for_every_block("conv_block_dims", asked.conv_dims, options.conv_rank or 0, layout)
    return _BlockSizes(
        for_every_block("block_dims", asked.dims, options.rank, layout),
        for_every_block("block_alphas", asked.alphas, options.alpha, layout),
        conv_dims,
        for_every_block("conv_block_alphas", asked.conv_alphas, options.conv_alpha, layout),
        block_weights(asked, layout) or [1.0] * layout.count,
    )
