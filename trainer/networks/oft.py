"""OFT: the output channels of a layer are turned by a learned rotation, block by block; lengths and angles stay.

Qiu et al. 2023, arXiv:2306.07280, with Cayley's form of a rotation. Keys (oft_unet_...), constraint and the choice of
layers as in sd-scripts' networks.oft (KOHYA_COMPAT 6.8). k blocks · b channels of a block
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer.networks.base import Adapter, NetworkError, Size, Target
from trainer.networks.options import NetworkOptions
from trainer.networks.selection import ATTENTION_CONTAINERS, CONV_CONTAINERS, is_wide, within

CROSS_ATTENTION = frozenset({"Attention", "CrossAttention"})


def turns(blocks: Tensor, limit: float) -> Tensor:
    """Free numbers (k, b, b) -> what the rotations add to the identity, (k, b, b) float32; zeros for zeros.

    R = (I + Q) (I - Q)^-1 with Q = B - B^T, so R - I = 2 Q (I - Q)^-1. limit: the largest Frobenius norm of all Q
    together.
    """
    skew = blocks.float() - blocks.float().transpose(1, 2)
    norm = skew.norm()
    skew = skew * ((norm.clamp(max=limit) + 1e-8) / (norm + 1e-8))
    identity = torch.eye(blocks.shape[1], device=blocks.device)
    # solve itself would look whether it could, which waits for the device; I - Q always has an inverse
    return torch.linalg.solve_ex(identity - skew, 2 * skew, left=False).result


def turned(values: Tensor, turn: Tensor, dim: int) -> Tensor:
    """What turning adds to the channels along `dim` (k * b of them): (R - I)^T times them, block by block."""
    parts = values.movedim(dim, -1).unflatten(-1, turn.shape[:2])
    return torch.einsum("...kn,knm->...km", parts, turn.to(parts.dtype)).flatten(-2).movedim(-1, dim)


class OFT(Adapter):
    """The rotation of one layer's output channels."""

    tells: ClassVar[tuple[str, ...]] = ("oft_blocks",)
    limited: ClassVar[bool] = False
    prefix: ClassVar[str] = "oft"
    alpha: Tensor

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        """Raises NetworkError when the blocks do not divide the layer's output channels."""
        super().__init__(target, size, options)
        layer: Any = target.module
        self.channels: int = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
        if self.channels % size.rank:
            raise NetworkError(
                f"{target.name}: {self.channels} channels cannot be split into {size.rank} blocks; "
                "set network_dim to a number that divides it, such as 4 or 8"
            )
        self.register_buffer("alpha", torch.tensor(float(size.alpha)))
        self.limit = float(size.alpha) * self.channels
        side = self.channels // size.rank
        self.oft_blocks = nn.Parameter(torch.zeros(size.rank, side, side))

    @classmethod
    def plan(cls, targets: Sequence[Target], options: NetworkOptions) -> Iterator[tuple[Target, type[Adapter], Size]]:
        """The attention layers of the U-Net; all linear ones and convolutions when asked for."""
        everything, conv = bool(options.arguments.get("enable_all_linear")), bool(options.arguments.get("enable_conv"))
        containers = ATTENTION_CONTAINERS if everything else CROSS_ATTENTION
        for target in within(targets, containers | (CONV_CONTAINERS if conv else frozenset())):
            if target.part == "unet" and (conv or not is_wide(target)):
                yield target, cls, Size(options.rank, options.alpha)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """All zero: the identity."""
        self.oft_blocks.zero_()

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives with turned output channels; its bias is not turned.

        Turned are the activations, not the weight: the gradient then needs no product of the weight's size.
        """
        result, bias = self.frozen(x), self.layer.bias
        linear = isinstance(self.layer, nn.Linear)
        turnable = result if bias is None else result - (bias if linear else bias[:, None, None])
        return result + turned(turnable, turns(self.oft_blocks, self.limit), -1 if linear else 1)

    def weight_delta(self) -> Tensor:
        """Turned weight - weight, float32."""
        return turned(self.frozen_weight(), turns(self.oft_blocks, self.limit), 0)

    def follow_buffers(self) -> None:
        """The limit follows the alpha."""
        self.limit = float(self.alpha) * self.channels

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> OFT:
        """As many blocks as in the file, and its alpha. Raises NetworkError when it has none."""
        if "alpha" not in tensors:
            raise NetworkError(
                f"{target.name}: the file has no alpha for it, so its limit is unknown; take another file"
            )
        return cls(target, Size(tensors["oft_blocks"].shape[0], float(tensors["alpha"])), options)
