"""LoRA and LoCon: a low-rank update up @ down * alpha / rank beside frozen linear and convolution layers.

Hu et al. 2021, arXiv:2106.09685. Names, shapes, initial values and dropouts as in kohya-ss/sd-scripts' networks.lora,
so that files work everywhere. B batch · T tokens · r rank · k kernel side
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks.base import Adapter, RankedAdapter, Size, Target
from trainer.networks.options import NetworkOptions


def add_linear(
    result: Tensor, x: Tensor, down: Tensor, up: Tensor, scale: float, hidden: Callable[[Tensor], Tensor]
) -> Tensor:
    """Add scale * up(hidden(down(x))) to result in place; x (..., in), down (r, in), up (out, r), result (N, out).

    N: all of x's other dimensions together. In place, as the frozen layer's gradient needs no look at what it gave:
    a step of the demo model takes 5 % less time than with a product, a scale and a sum.
    """
    narrow = hidden(F.linear(x, down)).flatten(0, -2).to(result.dtype)
    return result.addmm_(narrow, up.t().to(result.dtype), alpha=scale)  # autocast leaves in-place operations alone


def add_conv(
    result: Tensor,
    x: Tensor,
    down: Tensor,
    up: Tensor,
    scale: float,
    hidden: Callable[[Tensor], Tensor],
    base: nn.Conv2d,
) -> Tensor:
    """The same for a convolution: x (B, in, H, W), down (r, in, k, k) with the layer's stride, up (out, r, 1, 1)."""
    narrow = F.conv2d(x, down, None, base.stride, base.padding, base.dilation)
    return result.add_(F.conv2d(hidden(narrow), up), alpha=scale)


def with_update(
    adapter: Adapter, x: Tensor, down: Tensor, up: Tensor, scale: float, hidden: Callable[[Tensor], Tensor]
) -> Tensor:
    """What the adapter's frozen layer gives for x, plus the update of two matrices."""
    if not isinstance(adapter.layer, nn.Linear):
        return add_conv(adapter.frozen(x), x, down, up, scale, hidden, adapter.layer)
    result = adapter.frozen(x.flatten(0, -2))
    return add_linear(result, x, down, up, scale, hidden).unflatten(0, x.shape[:-1])


def full_delta(down: Tensor, up: Tensor, scale: float) -> Tensor:
    """The update as one weight of the layer's shape: (out, in) or (out, in, k, k), float32."""
    product = up.float().flatten(1) @ down.float().flatten(1)
    return scale * product.view(up.shape[0], *down.shape[1:])


def size_of_lora(tensors: Mapping[str, Tensor]) -> Size:
    """Rank and alpha of one module of a file; alpha = rank where it has none."""
    rank = tensors["lora_down.weight"].shape[0]
    alpha = tensors.get("alpha")
    return Size(rank, float(rank if alpha is None else alpha))


class LoRA(RankedAdapter):
    """The low-rank update of one layer."""

    tells: ClassVar[tuple[str, ...]] = ("lora_down.weight",)

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        layer: Any = target.module
        if isinstance(layer, nn.Linear):
            self.lora_down: nn.Module = nn.Linear(layer.in_features, size.rank, bias=False)
            self.lora_up: nn.Module = nn.Linear(size.rank, layer.out_features, bias=False)
        else:
            geometry: Any = {"kernel_size": layer.kernel_size, "stride": layer.stride, "padding": layer.padding}
            self.lora_down = nn.Conv2d(layer.in_channels, size.rank, bias=False, **geometry)
            self.lora_up = nn.Conv2d(size.rank, layer.out_channels, 1, bias=False)

    @property
    def down(self) -> Tensor:
        """(r, in) or (r, in, k, k)."""
        return self.lora_down.weight  # type: ignore[return-value]

    @property
    def up(self) -> Tensor:
        """(out, r) or (out, r, 1, 1)."""
        return self.lora_up.weight  # type: ignore[return-value]

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Down as Kaiming uniform with a = sqrt(5), up zero."""
        bound = 1 / math.sqrt(self.down.flatten(1).shape[1])
        self.down.copy_((torch.rand(self.down.shape, generator=generator) * 2 - 1) * bound)
        self.up.zero_()

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives, plus the update."""
        return with_update(self, x, self.down, self.up, self.scale, self._dropped)

    def weight_delta(self) -> Tensor:
        """up @ down * scale: (out, in) or (out, in, k, k), float32."""
        return full_delta(self.down, self.up, self.scale)

    def norm(self) -> Tensor:
        """Frobenius norm of the update, from r x r products: |U D|^2 is the sum of (U^T U) * (D D^T)."""
        up, down = self.up.float().flatten(1), self.down.float().flatten(1)
        return self.scale * ((up.T @ up) * (down @ down.T)).sum().clamp(min=0).sqrt()

    def parameters_plus(self) -> Sequence[nn.Parameter]:
        """The up matrix. Hayou et al. 2024, arXiv:2402.12354."""
        return tuple(self.lora_up.parameters())

    @torch.no_grad()
    def shrink(self, ratio: Tensor) -> None:
        """Both matrices by the root of the ratio."""
        self.up.mul_(ratio.sqrt())
        self.down.mul_(ratio.sqrt())

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Two matrices, without a core or lengths, which are LyCORIS' LoCon."""
        return "lora_down.weight" in tensors and not {"lora_mid.weight", "dora_scale"} & tensors.keys()

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> LoRA:
        """Rank and alpha as in the file; alpha = rank where it has none."""
        return cls(target, size_of_lora(tensors), options)

    def _dropped(self, hidden: Tensor) -> Tensor:
        return self.dropped(hidden, -1 if isinstance(self.layer, nn.Linear) else 1)
