"""DyLoRA: LoRA that is trained so that its first ranks alone are useful, too: the file can be cut down afterwards.

Valipour et al. 2022, arXiv:2210.07558; scale and choice of ranks as in sd-scripts' networks.dylora (KOHYA_COMPAT 6.8).
Files are those of a LoRA. r rank · u ranks that are trained together
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainer.networks.base import NetworkError, RankedAdapter, Size, Target
from trainer.networks.lora import full_delta, size_of_lora, with_update
from trainer.networks.options import NetworkOptions


class DyLoRA(RankedAdapter):
    """The low-rank update of one layer, kept in slices of u ranks; a step trains one slice, drawn by chance.

    Slices are parameters of their own, so that the optimizer leaves those alone that were not drawn.
    """

    tells: ClassVar[tuple[str, ...]] = ("lora_down.weight",)
    limited: ClassVar[bool] = False

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        """Raises NetworkError when the rank is no multiple of `unit`."""
        super().__init__(target, size, options)
        self.unit = int(options.arguments.get("unit", 1))  # type: ignore[arg-type]
        if size.rank % self.unit:
            raise NetworkError(
                f"{target.name}: rank {size.rank} is no multiple of unit {self.unit}; change one of them"
            )
        layer: Any = target.module
        kernel = () if isinstance(layer, nn.Linear) else tuple(layer.kernel_size)
        inside = layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels
        outside = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
        slices = range(size.rank // self.unit)
        self.downs = nn.ParameterList([nn.Parameter(torch.empty(self.unit, inside, *kernel)) for _ in slices])
        self.ups = nn.ParameterList([nn.Parameter(torch.empty(outside, self.unit, *[1] * len(kernel))) for _ in slices])
        self.register_state_dict_post_hook(_joined)
        self.register_load_state_dict_pre_hook(_sliced)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Down as Kaiming uniform with a = sqrt(5), up zero."""
        for down, up in zip(self.downs, self.ups, strict=True):
            bound = 1 / math.sqrt(down.flatten(1).shape[1])
            down.copy_((torch.rand(down.shape, generator=generator) * 2 - 1) * bound)
            up.zero_()

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives, plus the update. In training one slice is drawn and learns, and the update is scaled.

        The other slices take part without learning. The scale is that of sd-scripts: sqrt(r / ranks up to the slice).
        """
        scale, chosen = self.scale, None
        if self.training:
            chosen = int(torch.randint(len(self.downs), ()))
            scale *= math.sqrt(len(self.downs) / (chosen + 1))
        down = torch.cat([part if index == chosen else part.detach() for index, part in enumerate(self.downs)])
        up = torch.cat([part if index == chosen else part.detach() for index, part in enumerate(self.ups)], dim=1)
        return with_update(self, x, down, up, scale, _same)

    def weight_delta(self) -> Tensor:
        """up @ down * scale of all ranks: (out, in) or (out, in, k, k), float32."""
        return full_delta(torch.cat(list(self.downs)), torch.cat(list(self.ups), dim=1), self.scale)

    def parameters_plus(self) -> Sequence[nn.Parameter]:
        """The slices of the up matrix. Hayou et al. 2024, arXiv:2402.12354."""
        return tuple(self.ups)

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> DyLoRA:
        """Rank and alpha as in the file; alpha = rank where it has none."""
        return cls(target, size_of_lora(tensors), options)


def _same(hidden: Tensor) -> Tensor:
    return hidden


def _joined(module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: Mapping[str, Any]) -> None:
    """Slices -> the two matrices of a LoRA file, behind alpha as there."""
    assert isinstance(module, DyLoRA)
    for ours, theirs, dim in (("downs", "lora_down.weight", 0), ("ups", "lora_up.weight", 1)):
        slices = [state.pop(f"{prefix}{ours}.{index}") for index in range(len(module.downs))]
        state[f"{prefix}{theirs}"] = torch.cat(slices, dim=dim)


def _sliced(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """The two matrices of a LoRA file -> slices."""
    assert isinstance(module, DyLoRA)
    for ours, theirs, dim in (("downs", "lora_down.weight", 0), ("ups", "lora_up.weight", 1)):
        whole = state.pop(f"{prefix}{theirs}", None)
        if whole is not None:
            for index, part in enumerate(whole.split(module.unit, dim)):
                state[f"{prefix}{ours}.{index}"] = part
