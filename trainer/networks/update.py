"""What LyCORIS' LoCon, LoHa and LoKr share: a scaled update, its scalar, weight decomposition (DoRA), dropouts.

The update of one method is in its own file. n channels whose length is trained
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks import dora
from trainer.networks.base import NetworkError, RankedAdapter, Size, Target, is_quantised
from trainer.networks.options import NetworkOptions


class Update(RankedAdapter):
    """An update D of a layer's weight, times alpha / rank and a scalar; with dora_wd, (W + D) * m / |W + D|.

    Dropouts as LyCORIS defines them, in training only: `rank_dropout` leaves out whole output channels of the update,
    the same for all samples and not scaled up; `dropout` drops single values of what the update adds. `scalar` begins
    at 0 and is trained with use_scalar, otherwise it is 1 and only shrinks by scale_weight_norms; a file has it
    multiplied into one of the factors.
    """

    base_squares: Tensor
    folded: ClassVar[tuple[str, ...]]  # keys of which the first one there takes the scalar in, for a file

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        arguments = options.arguments
        if arguments.get("use_scalar"):
            self.scalar: Tensor = nn.Parameter(torch.tensor(0.0))
        else:
            self.register_buffer("scalar", torch.tensor(1.0))
        self.on_output = bool(arguments.get("wd_on_output", True))
        self.dora_scale: nn.Parameter | None = None
        if arguments.get("dora_wd"):
            if is_quantised(self.layer):
                raise NetworkError(
                    f"{target.name}: dora_wd computes with the weights of the base model, which are quantised here; "
                    "keep the base in bf16 or fp16, or leave dora_wd out"
                )
            self.dora_scale = nn.Parameter(torch.ones(dora.magnitude_shape(self.layer.weight, self.on_output)))
            squares = dora.lengths(self.frozen_weight(), self.on_output).square()
            self.register_buffer("base_squares", squares, persistent=False)

    def update(self, x: Tensor, factor: Tensor, keep: Tensor | None) -> Tensor:
        """What the update adds to the layer's output for input x.

        factor: 0-dim, what D is scaled by. keep: (out,) of zeros and ones, output channels of the update to keep.
        """
        raise NotImplementedError

    def delta(self, factor: Tensor) -> Tensor:
        """The update as one tensor of the weight's shape, float32, without decomposition."""
        raise NotImplementedError

    def products(self, factor: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """<W, D> and |D|^2 of every channel, (n,) each, float32, for the decomposition."""
        raise NotImplementedError

    @torch.no_grad()
    def initialise_lengths(self) -> None:
        """dora_scale as the frozen weight has it, so that nothing changes at first."""
        if self.dora_scale is not None:
            self.dora_scale.copy_(self.base_squares.sqrt().view(self.dora_scale.shape))

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives, plus the update; or what the decomposed weight gives."""
        keep = self.kept_outputs(x.device)
        factor = self.scale * self.scalar
        if self.dora_scale is None:
            return self.frozen(x) + self.dropped_output(self.update(x, factor, keep))
        return self.decomposed(x, factor, keep)

    def decomposed(self, x: Tensor, factor: Tensor, keep: Tensor | None) -> Tensor:
        """(W + D) * m / |W + D| applied to x, without W + D: lengths stand outside of the product. Bias unscaled."""
        assert self.dora_scale is not None
        with torch.autocast(x.device.type, enabled=False):
            cross, squares = self.products(factor, keep)
            lengths = dora.length_factors(self.dora_scale, self.base_squares, cross, squares).to(x.dtype)
        if not self.on_output:
            scaled = x * self.channels(lengths)
            return self.frozen(scaled) + self.update(scaled, factor, keep)
        merged = self.frozen(x) + self.update(x, factor, keep)
        lengths = lengths.to(merged.dtype)
        if self.layer.bias is None:
            return merged * self.channels(lengths)
        bias = self.layer.bias.to(merged.dtype) * (1 - lengths)
        return torch.addcmul(self.channels(bias), merged, self.channels(lengths))

    def weight_delta(self) -> Tensor:
        """The change of the weight, float32, decomposition included."""
        delta = self.delta(self.scale * self.scalar)
        if self.dora_scale is None:
            return delta
        weight = self.frozen_weight()
        return dora.decomposed(weight + delta, self.dora_scale, self.on_output) - weight

    def norm(self) -> Tensor:
        """Norm of the update alone: trained lengths are left out, as in LyCORIS."""
        return self.delta(self.scale * self.scalar).norm()

    @torch.no_grad()
    def shrink(self, ratio: Tensor) -> None:
        """By the scalar, as LyCORIS does it."""
        self.scalar.mul_(ratio)

    def loaded(self) -> None:
        """A file has the scalar multiplied in already."""
        super().loaded()
        with torch.no_grad():
            self.scalar.fill_(1.0)

    def file_tensors(self) -> dict[str, Tensor]:
        """Tensors under a file's key endings: without the scalar, which is multiplied into a factor."""
        tensors = {key: value.detach() for key, value in self.state_dict().items() if key != "scalar"}
        first = next(key for key in self.folded if key in tensors)
        tensors[first] = tensors[first] * self.scalar.detach().to(tensors[first].dtype)
        return tensors

    def channels(self, values: Tensor) -> Tensor:
        """(n,) shaped to multiply a layer's input or output: (n,) for tokens, (n, 1, 1) for a convolution."""
        return values[:, None, None] if isinstance(self.layer, nn.Conv2d) else values

    def kept_outputs(self, device: torch.device) -> Tensor | None:
        """(out,) of zeros and ones where rank_dropout acts: with rank_dropout_scale, divided by their mean."""
        chance = self.options.rank_dropout
        if not (self.training and chance):
            return None
        return self.mask(layer_shape(self.layer)[0], device)

    def mask(self, count: int, device: torch.device) -> Tensor:
        """(count,) of zeros and ones, one with the chance that rank_dropout leaves."""
        keep = (torch.rand(count, device=device) > self.options.rank_dropout).float()
        return keep / keep.mean().clamp(min=1 / count) if self.options.arguments.get("rank_dropout_scale") else keep

    def dropped_output(self, y: Tensor) -> Tensor:
        """What the update adds, with single values dropped in training."""
        return F.dropout(y, self.options.dropout) if self.training and self.options.dropout else y


def in_float32(x: Tensor) -> bool:
    """Whether an input is computed with in float32. In half precision W + D would lose what D is below W's last bit."""
    return x.dtype == torch.float32 and not torch.is_autocast_enabled(x.device.type)


def kernel_op(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    """What a layer of this kind and geometry gives with another weight and no bias."""
    if not torch.is_autocast_enabled(x.device.type):
        weight = weight.to(x.dtype)
    if isinstance(layer, nn.Conv2d):
        return F.conv2d(x, weight, None, layer.stride, layer.padding, layer.dilation)
    return F.linear(x, weight)


def layer_shape(layer: Any) -> tuple[int, ...]:
    """(out, in) of a linear layer, also where it is quantised; (out, in, k, k) of a convolution."""
    if isinstance(layer, nn.Linear):
        return layer.out_features, layer.in_features
    return layer.out_channels, layer.in_channels, *layer.kernel_size


def is_kernel(layer: nn.Module) -> bool:
    """Whether a layer is a convolution that looks at more than one pixel; only such are Tucker-decomposed."""
    return isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1)


@torch.no_grad()
def draw_kaiming(tensor: Tensor, generator: torch.Generator) -> None:
    """Kaiming uniform with a = sqrt(5): in +-1 / sqrt(numbers in one row)."""
    bound = (tensor.shape[0] / tensor.numel()) ** 0.5
    tensor.copy_((torch.rand(tensor.shape, generator=generator) * 2 - 1) * bound)


@torch.no_grad()
def draw_normal(tensor: Tensor, deviation: float, generator: torch.Generator) -> None:
    """Normal with mean 0."""
    tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)


def decomposition_of(tensors: Mapping[str, Tensor]) -> dict[str, bool]:
    """The arguments dora_wd and wd_on_output as a file's tensors of one layer have them."""
    lengths = tensors.get("dora_scale")
    if lengths is None:
        return {"dora_wd": False}
    return {"dora_wd": True, "wd_on_output": lengths.dim() < 2 or lengths.shape[1] == 1}


def alpha_of(tensors: Mapping[str, Tensor], rank: int) -> float:
    """A file's alpha; the rank where it has none."""
    alpha = tensors.get("alpha")
    return float(rank) if alpha is None else float(alpha)
