"""LyCORIS' LoRA and LoCon: what networks.lora does, and DoRA, a Tucker core for convolutions, a trained scalar.

Names and shapes as LyCORIS writes them (KOHYA_COMPAT 6.9). r rank · k kernel side
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks import dora
from trainer.networks.base import Size, Target
from trainer.networks.options import NetworkOptions
from trainer.networks.update import Update, alpha_of, decomposition_of, draw_kaiming, is_kernel


class LoCon(Update):
    """up @ down, or up @ core @ down for a kernel with use_tucker; with bypass_mode rank_dropout drops ranks."""

    folded: ClassVar[tuple[str, ...]] = ("lora_up.weight",)

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        layer: Any = target.module
        self.lora_mid: nn.Module | None = None
        if isinstance(layer, nn.Linear):
            self.lora_down: nn.Module = nn.Linear(layer.in_features, size.rank, bias=False)
            self.lora_up: nn.Module = nn.Linear(size.rank, layer.out_features, bias=False)
            return
        geometry: Any = {"kernel_size": layer.kernel_size, "stride": layer.stride, "padding": layer.padding}
        if options.arguments.get("use_tucker") and is_kernel(layer):
            self.lora_down = nn.Conv2d(layer.in_channels, size.rank, 1, bias=False)
            self.lora_mid = nn.Conv2d(size.rank, size.rank, bias=False, **geometry)
        else:
            self.lora_down = nn.Conv2d(layer.in_channels, size.rank, bias=False, **geometry)
        self.lora_up = nn.Conv2d(size.rank, layer.out_channels, 1, bias=False)

    @property
    def down(self) -> Tensor:
        """(r, in) or (r, in, k, k); a Tucker core is multiplied in."""
        down: Any = self.lora_down.weight
        if self.lora_mid is None:
            return down
        return torch.einsum("rskl,si->rikl", self.lora_mid.weight, down.flatten(1))

    @property
    def up(self) -> Tensor:
        """(out, r) or (out, r, 1, 1)."""
        return self.lora_up.weight  # type: ignore[return-value]

    def initialise(self, generator: torch.Generator) -> None:
        """All as Kaiming uniform, the up matrix zero unless the scalar is."""
        draw_kaiming(self.lora_down.weight, generator)  # type: ignore[arg-type]
        if self.lora_mid is not None:
            draw_kaiming(self.lora_mid.weight, generator)  # type: ignore[arg-type]
        if isinstance(self.scalar, nn.Parameter):
            draw_kaiming(self.up, generator)
        else:
            nn.init.zeros_(self.up)
        self.initialise_lengths()

    def update(self, x: Tensor, factor: Tensor, keep: Tensor | None) -> Tensor:
        """up(core(down(x))); scale and dropped channels are multiplied into up, which is small."""
        up = self._scaled_up(factor, keep)
        if isinstance(self.layer, nn.Linear):
            return F.linear(F.linear(x, self.down), up)
        layer = self.layer
        hidden = x
        if self.lora_mid is not None:
            hidden = F.conv2d(hidden, self.lora_down.weight)  # type: ignore[arg-type]
        kernel: Any = (self.lora_down if self.lora_mid is None else self.lora_mid).weight
        return F.conv2d(F.conv2d(hidden, kernel, None, layer.stride, layer.padding, layer.dilation), up)

    def delta(self, factor: Tensor) -> Tensor:
        """up @ down * factor: (out, in) or (out, in, k, k), float32."""
        down = self.down.float()
        product = self.up.float().flatten(1) @ down.flatten(1)
        return factor * product.view(self.up.shape[0], *down.shape[1:])

    def products(self, factor: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """From matrices of the rank's width; the update itself is not built."""
        return dora.low_rank_products(self.layer.weight, self.down, self._scaled_up(factor, keep), self.on_output)

    def parameters_plus(self) -> Sequence[nn.Parameter]:
        """The up matrix. Hayou et al. 2024, arXiv:2402.12354."""
        return tuple(self.lora_up.parameters())

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Two matrices; with a core or lengths too."""
        return "lora_down.weight" in tensors

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> LoCon:
        """Rank, alpha, core and lengths as in the file."""
        rank = tensors["lora_down.weight"].shape[0]
        own = {"use_tucker": "lora_mid.weight" in tensors, **decomposition_of(tensors)}
        options = replace(options, arguments={**options.arguments, **own})
        return cls(target, Size(rank, alpha_of(tensors, rank)), options)

    def _scaled_up(self, factor: Tensor, keep: Tensor | None) -> Tensor:
        """The up matrix times the factor, without the output channels (or, with bypass_mode, ranks) dropped."""
        up = self.up * factor
        if keep is None:
            return up
        table = keep.to(up.dtype)[None] if self._bypass else keep.to(up.dtype)[:, None]
        return up * table.view(*table.shape, *(1,) * (up.dim() - 2))

    @property
    def _bypass(self) -> bool:
        return bool(self.options.arguments.get("bypass_mode"))

    def kept_outputs(self, device: torch.device) -> Tensor | None:
        """With bypass_mode (r,) in place of (out,): which ranks are kept."""
        if self._bypass and self.training and self.options.rank_dropout:
            return self.mask(self.rank, device)
        return super().kept_outputs(device)
