"""GLoRA: a low-rank change of what goes into a layer beside a low-rank update of it: W (x + A x) + B x.

Chavan et al. 2023, arXiv:2306.07967; names and shapes as LyCORIS writes them. r rank · k kernel side
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks.base import RankedAdapter, Size, Target
from trainer.networks.options import NetworkOptions
from trainer.networks.update import alpha_of, draw_kaiming, is_kernel


class GLoRA(RankedAdapter):
    """A = a1 @ a2 on the channels of the input, B = b1 @ b2 (with a core bm for a kernel with use_tucker).

    Both are times alpha / rank and a scalar, as in Update. `rank_dropout` leaves out ranks, the same for all samples;
    `dropout` drops values of A x and B x.
    """

    limited: ClassVar[bool] = False
    needs_weight: ClassVar[bool] = False

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        layer: Any = target.module
        self.bm: nn.Module | None = None
        if isinstance(layer, nn.Linear):
            self.a1: nn.Module = nn.Linear(size.rank, layer.in_features, bias=False)
            self.a2: nn.Module = nn.Linear(layer.in_features, size.rank, bias=False)
            self.b1: nn.Module = nn.Linear(size.rank, layer.out_features, bias=False)
            self.b2: nn.Module = nn.Linear(layer.in_features, size.rank, bias=False)
        else:
            geometry: Any = {"kernel_size": layer.kernel_size, "stride": layer.stride, "padding": layer.padding}
            self.a1 = nn.Conv2d(size.rank, layer.in_channels, 1, bias=False)
            self.a2 = nn.Conv2d(layer.in_channels, size.rank, 1, bias=False)
            self.b1 = nn.Conv2d(size.rank, layer.out_channels, 1, bias=False)
            if options.arguments.get("use_tucker") and is_kernel(layer):
                self.b2 = nn.Conv2d(layer.in_channels, size.rank, 1, bias=False)
                self.bm = nn.Conv2d(size.rank, size.rank, bias=False, **geometry)
            else:
                self.b2 = nn.Conv2d(layer.in_channels, size.rank, bias=False, **geometry)
        if options.arguments.get("use_scalar"):
            self.scalar: Tensor = nn.Parameter(torch.tensor(0.0))
        else:
            self.register_buffer("scalar", torch.tensor(1.0))

    def initialise(self, generator: torch.Generator) -> None:
        """All as Kaiming uniform, a2 and b2 zero unless the scalar is."""
        for name in ("a1", "b1", "a2", "b2", "bm"):
            module: Any = getattr(self, name)
            if module is not None:
                draw_kaiming(module.weight, generator)
        if not isinstance(self.scalar, nn.Parameter):
            nn.init.zeros_(self.a2.weight)  # type: ignore[arg-type]
            nn.init.zeros_(self.b2.weight)  # type: ignore[arg-type]

    def adapted(self, x: Tensor) -> Tensor:
        """One pass through the layer, with A x added to what goes in and B x to what comes out."""
        factor = self.scale * self.scalar
        inside = self._widened(self.a1, self.a2(x), factor)
        hidden = self.b2(x)
        outside = self._widened(self.b1, hidden if self.bm is None else self.bm(hidden), factor)
        return self.frozen(x + self._dropped(inside)) + self._dropped(outside)

    def weight_delta(self) -> Tensor:
        """(W @ a1 @ a2 + b1 @ b2) times the scale: (out, in) or (out, in, k, k), float32."""
        weight = self.frozen_weight()
        a1, a2, b1, b2 = (getattr(self, name).weight.float().flatten(1) for name in ("a1", "a2", "b1", "b2"))
        inside = torch.einsum("oi...,ij->oj...", weight, a1 @ a2)
        if self.bm is None:
            outside = (b1 @ b2).view(weight.shape)
        else:
            core: Any = self.bm.weight
            outside = torch.einsum("rskl,or,si->oikl", core.float(), b1, b2)
        return (inside + outside) * self.scale * self.scalar

    def loaded(self) -> None:
        """A file has the scalar multiplied in already."""
        super().loaded()
        with torch.no_grad():
            self.scalar.fill_(1.0)

    def file_tensors(self) -> dict[str, Tensor]:
        """Without the scalar, which is multiplied into a2 and b2."""
        tensors = {key: value.detach() for key, value in self.state_dict().items() if key != "scalar"}
        for key in ("a2.weight", "b2.weight"):
            tensors[key] = tensors[key] * self.scalar.detach().to(tensors[key].dtype)
        return tensors

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """a1.weight is in no other method's file."""
        return "a1.weight" in tensors

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> GLoRA:
        """Rank, alpha and core as in the file."""
        rank = tensors["a2.weight"].shape[0]
        options = replace(options, arguments={**options.arguments, "use_tucker": "bm.weight" in tensors})
        return cls(target, Size(rank, alpha_of(tensors, rank)), options)

    def _widened(self, last: Any, hidden: Tensor, factor: Tensor) -> Tensor:
        """Rank activations through a1 or b1; scale and dropped ranks are multiplied into that matrix."""
        weight: Tensor = last.weight * factor
        chance = self.options.rank_dropout
        if self.training and chance:
            keep = (torch.rand(self.rank, device=weight.device) > chance).to(weight.dtype)
            weight = weight * keep.view(1, -1, *(1,) * (weight.dim() - 2))
        return F.linear(hidden, weight) if isinstance(self.layer, nn.Linear) else F.conv2d(hidden, weight)

    def _dropped(self, y: Tensor) -> Tensor:
        return F.dropout(y, self.options.dropout) if self.training and self.options.dropout else y
