"""Frozen weights in fewer bits: fp8, int8, nf4. The layers keep their places and classes; only forward is another.

All of it is called before a network is attached, whose updates then lie on the activations.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import ConfigError, Problem

Kind = Literal["int8", "nf4"]
NF4_BLOCK = 64  # weights that share a scale, as in Dettmers et al. 2023, arXiv:2305.14314
REGION = "Transformer2DModel"  # where nearly all linear weights of a U-Net are


def store_in_fp8(modules: Iterable[nn.Module]) -> int:
    """Keep the weights of frozen linear and convolution layers as float8 e4m3; returns how many layers.

    They are widened to the input's format at each use.
    """
    count = 0
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)) and layer.weight.is_floating_point():
                layer.weight.data = layer.weight.data.to(torch.float8_e4m3fn)
                layer.forward = _widened(layer)  # type: ignore[method-assign]
                count += 1
    return count


def quantise(unet: nn.Module, kind: Kind, device: torch.device) -> int:
    """Keep the linear weights of the transformer blocks in 8 or 4 bits, on `device`; returns how many layers.

    int8: a scale a row. nf4: a scale a block of 64, through bitsandbytes. One layer at a time, so that the whole never
    lies there in full.
    """
    count = 0
    for region in [module for module in unet.modules() if type(module).__name__ == REGION]:
        for layer in region.modules():
            if isinstance(layer, nn.Linear) and layer.weight.is_floating_point():
                _pack_layer(layer, kind, device)
                count += 1
    return count


def check_quantising(kind: Kind, device: torch.device) -> None:
    """Pack one small layer. Raises ConfigError where that cannot run."""
    if kind == "nf4" and importlib.util.find_spec("bitsandbytes") is None:
        said = "quantize_base nf4 needs the package bitsandbytes, which is not installed; choose int8"
        raise ConfigError([Problem("precision.quantize_base", said)])
    layer = nn.Linear(NF4_BLOCK, NF4_BLOCK, device=device)
    try:
        _pack_layer(layer, kind, device)
        layer(torch.ones(1, NF4_BLOCK, device=device))
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        said = "quantize_base {kind} does not run on this machine ({error}); choose int8 or fp8_base"
        problem = Problem("precision.quantize_base", said, {"kind": kind, "error": str(error)})
        raise ConfigError([problem]) from error


def pack(weight: Tensor, kind: Kind) -> tuple[Tensor, Tensor]:
    """(out, in) weights -> (packed integers, float32 scales)."""
    if kind == "int8":
        scales = weight.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127  # (out, 1)
        return (weight.float() / scales).round().to(torch.int8), scales
    import bitsandbytes  # noqa: F401  registers the operations

    packed, scales = torch.ops.bitsandbytes.quantize_4bit(weight.contiguous(), NF4_BLOCK, "nf4", torch.uint8)
    return packed, scales


def unpack(packed: Tensor, scales: Tensor, kind: Kind, shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """What `pack` made -> (out, in) weights in `dtype`."""
    if kind == "int8":
        return packed.to(dtype) * scales.to(dtype)
    weight: Tensor = torch.ops.bitsandbytes.dequantize_4bit(packed, scales, NF4_BLOCK, "nf4", list(shape), dtype)
    return weight.view(shape)


class PackedLinear(torch.autograd.Function):
    """x @ weight.T + bias with a packed weight. It is unpacked again for the backward pass and never kept."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, packed: Tensor, scales: Tensor, bias: Tensor | None, kind: Kind, shape: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(packed, scales)
        ctx.kind, ctx.shape = kind, shape
        return F.linear(x, unpack(packed, scales, kind, shape, x.dtype), bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        packed, scales = ctx.saved_tensors
        weight = unpack(packed, scales, ctx.kind, ctx.shape, gradients[0].dtype)
        return gradients[0] @ weight, None, None, None, None, None


def _pack_layer(layer: nn.Linear, kind: Kind, device: torch.device) -> None:
    shape = (layer.out_features, layer.in_features)
    packed, scales = pack(layer.weight.detach().to(device), kind)
    layer.weight = nn.Parameter(packed, requires_grad=False)
    layer.register_buffer("scales", scales)

    def forward(x: Tensor) -> Tensor:
        x = x.to(_working_dtype(x))
        bias = None if layer.bias is None else layer.bias.to(x.dtype)
        result: Tensor = PackedLinear.apply(x, layer.weight, layer.scales, bias, kind, shape)
        return result

    layer.forward = forward  # type: ignore[method-assign, assignment]


def _widened(layer: Any) -> Any:
    def forward(x: Tensor) -> Tensor:
        dtype = _working_dtype(x)
        bias = None if layer.bias is None else layer.bias.to(dtype)
        if isinstance(layer, nn.Linear):
            return F.linear(x.to(dtype), layer.weight.to(dtype), bias)
        return F.conv2d(
            x.to(dtype), layer.weight.to(dtype), bias, layer.stride, layer.padding, layer.dilation, layer.groups
        )

    return forward


def _working_dtype(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
