"""Diag-OFT of LyCORIS: the outputs of a layer are rotated in blocks, so angles between neurons stay as they are.

Qiu et al. 2023, arXiv:2306.07280; names and shapes as LyCORIS writes them. K blocks of side b, K * b = out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.arguments import Value
from trainer.networks.base import Adapter, NetworkError, Size, Target
from trainer.networks.factorization import factorization
from trainer.networks.options import NetworkOptions
from trainer.networks.update import layer_shape


def rotation(blocks: Tensor, bound: float) -> Tensor:
    """Rotations (..., b, b) of free parameters (..., b, b): Cayley's (I + Q)(I - Q)^-1 with Q = blocks - blocks^T.

    bound: largest Frobenius norm of all Q together, 0 for none. float32.
    """
    skew = blocks.float() - blocks.float().mT
    if bound > 0:
        norm = skew.norm() + 1e-8
        skew = torch.where(norm > bound, skew * (bound / norm), skew)
    identity = torch.eye(skew.shape[-1], device=skew.device)
    # the two commute; solve_ex does not wait for the device to say that there is an inverse: there always is
    return torch.linalg.solve_ex(identity - skew, identity + skew).result


def rotate_rows(weight: Tensor, turn: Tensor) -> Tensor:
    """A weight (out, ...) with its rows rotated: row m of a block becomes the sum over n of turn[n, m] * row n."""
    table = weight.unflatten(0, turn.shape[:2])
    return torch.einsum("knm,kn...->km...", turn, table).flatten(0, 1)


def rotate_channels(y: Tensor, turn: Tensor, conv: bool) -> Tensor:
    """The same for a layer's output without its bias: (..., out), or (B, out, H, W) of a convolution."""
    if conv:
        return torch.einsum("knm,zknhw->zkmhw", turn, y.unflatten(1, turn.shape[:2])).flatten(1, 2)
    return torch.einsum("knm,...kn->...km", turn, y.unflatten(-1, turn.shape[:2])).flatten(-2)


class Rotations(Adapter):
    """What Diag-OFT and BOFT share: blocks that become rotations, a bound on them, a trained length of every output.

    `constraint` c bounds the norm of all Q together by c * out; the file keeps c as alpha. `rescaled` trains a factor
    of every output channel. The bias is not rotated.
    """

    alpha: Tensor

    def __init__(
        self, target: Target, size: Size, options: NetworkOptions, shape: tuple[int, ...] | None = None
    ) -> None:
        """shape: of oft_blocks, where a file decides."""
        super().__init__(target, size, options)
        outputs, _, *kernel = layer_shape(self.layer)
        shape = shape or self.shape_for(target.name, outputs, size.rank)
        if shape[-3] * shape[-2] != outputs:
            raise NetworkError(
                f"{target.name}: oft_blocks of {shape} do not fit a layer with {outputs} outputs; the file is for "
                "another model"
            )
        self.oft_blocks = nn.Parameter(torch.zeros(shape))
        self.rescale: nn.Parameter | None = None
        if options.arguments.get("rescaled"):
            self.rescale = nn.Parameter(torch.ones(outputs, 1, *(1,) * len(kernel)))
        self.register_buffer("alpha", torch.tensor(float(options.arguments.get("constraint") or 0.0)))  # type: ignore[arg-type]
        self.bound = float(self.alpha) * outputs

    @classmethod
    def shape_for(cls, name: str, outputs: int, rank: int) -> tuple[int, ...]:
        """The shape of oft_blocks for a layer. Raises NetworkError when there is none."""
        raise NotImplementedError

    def initialise(self, generator: torch.Generator) -> None:
        """No rotation, no change of length."""
        nn.init.zeros_(self.oft_blocks)
        if self.rescale is not None:
            nn.init.ones_(self.rescale)

    def follow_buffers(self) -> None:
        """The bound follows the alpha."""
        self.bound = float(self.alpha) * layer_shape(self.layer)[0]

    def norm(self) -> Tensor:
        """Norm of the blocks, as LyCORIS limits it."""
        return self.oft_blocks.float().norm()

    @torch.no_grad()
    def shrink(self, ratio: Tensor) -> None:
        """The blocks themselves."""
        self.oft_blocks.mul_(ratio)

    def rotations(self) -> Tensor:
        """(..., b, b), float32."""
        with torch.autocast(self.oft_blocks.device.type, enabled=False):
            return rotation(self.oft_blocks, self.bound)

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> Any:
        """Blocks, constraint and lengths as in the file."""
        blocks = tensors["oft_blocks"]
        own: dict[str, Value] = {"rescaled": "rescale" in tensors, "constraint": float(tensors.get("alpha", 0.0))}
        options = replace(options, arguments={**options.arguments, **own})
        return cls(target, Size(blocks.shape[-1], 1.0), options, tuple(blocks.shape))


class DiagOFT(Rotations):
    """One rotation a block of neighbouring outputs; the rank is the side of a block. oft_blocks (K, b, b).

    `rank_dropout` drops numbers of the rotations and scales the others up.
    """

    @classmethod
    def shape_for(cls, name: str, outputs: int, rank: int) -> tuple[int, ...]:
        """(K, b, b) with the b that LyCORIS chooses: at most the rank, and no more than there are blocks."""
        side, number = factorization(outputs, rank)
        return number, side, side

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives without its bias, rotated; then the bias."""
        turns = self.rotations()
        if self.training and self.options.rank_dropout:
            turns = F.dropout(turns, self.options.rank_dropout)
        y = self.frozen(x)
        conv = isinstance(self.layer, nn.Conv2d)
        bias = self.layer.bias
        shape = (-1, 1, 1) if conv else (-1,)
        if bias is not None:
            bias = bias.to(y.dtype).view(shape)
            y = y - bias
        y = rotate_channels(y, turns.to(y.dtype), conv)
        if self.rescale is not None:
            y = y * self.rescale.to(y.dtype).view(shape)
        return y if bias is None else y + bias

    def weight_delta(self) -> Tensor:
        """The rotated weight minus the frozen one, float32."""
        weight = self.frozen_weight()
        rotated = rotate_rows(weight, self.rotations())
        return (rotated if self.rescale is None else rotated * self.rescale.float()) - weight

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Three dimensions; BOFT has a fourth, of stages."""
        return "oft_blocks" in tensors and tensors["oft_blocks"].dim() == 3
