"""Device, number formats and gradient scaling of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import ConfigError, Note, Problem

if TYPE_CHECKING:
    from trainer.config.precision import Precision as PrecisionSection

DTYPES = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Formats:
    """dtype: frozen weights and autocast. network_dtype: what is trained. notes: what the user should hear."""

    device: torch.device
    dtype: torch.dtype
    network_dtype: torch.dtype
    vae_dtype: torch.dtype
    notes: tuple[Note, ...] = ()

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision for a forward pass; nothing in full precision."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps small fp16 gradients from vanishing; does nothing in the other formats."""
        return HalfScaler(self.device.type, enabled=self.dtype == torch.float16)


class HalfScaler(torch.amp.GradScaler):
    """GradScaler that also unscales gradients kept in fp16 (full_fp16), which torch's own refuses."""

    def _unscale_grads_(
        self, optimizer: torch.optim.Optimizer, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool
    ) -> Any:
        return super()._unscale_grads_(optimizer, inv_scale, found_inf, True)


def choose(section: PrecisionSection) -> Formats:
    """The formats of a run on this machine.

    Raises ConfigError when the GPU cannot compute in the chosen format.
    """
    device = best_device()
    dtype = DTYPES[section.mixed_precision]
    notes: list[Note] = []
    if (
        device.type == "cuda"
        and dtype == torch.bfloat16
        and not torch.cuda.is_bf16_supported(including_emulation=False)
    ):
        said = "this GPU ({gpu}) cannot compute in bf16; set mixed_precision to fp16"
        raise ConfigError([Problem("precision.mixed_precision", said, {"gpu": torch.cuda.get_device_name(device)})])
    if device.type == "cpu":
        notes.append(Note(None, "no GPU was found; training runs on the processor, which is far slower"))
    network = dtype if section.full_fp16 or section.full_bf16 else torch.float32
    return Formats(device, dtype, network, torch.float32 if section.no_half_vae else dtype, tuple(notes))


def best_device() -> torch.device:
    """The first GPU, or the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def store_in_fp8(modules: Iterable[nn.Module]) -> int:
    """Keep the weights of frozen linear and convolution layers as float8 e4m3; returns how many layers.

    They are widened to the input's format at each use. To be called before a network is attached.
    """
    count = 0
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)) and layer.weight.is_floating_point():
                layer.weight.data = layer.weight.data.to(torch.float8_e4m3fn)
                layer.forward = _widened(layer)  # type: ignore[method-assign]
                count += 1
    return count


def _widened(layer: Any) -> Any:
    def forward(x: Tensor) -> Tensor:
        dtype = torch.get_autocast_dtype(x.device.type) if torch.is_autocast_enabled(x.device.type) else x.dtype
        bias = None if layer.bias is None else layer.bias.to(dtype)
        if isinstance(layer, nn.Linear):
            return F.linear(x.to(dtype), layer.weight.to(dtype), bias)
        return F.conv2d(
            x.to(dtype), layer.weight.to(dtype), bias, layer.stride, layer.padding, layer.dilation, layer.groups
        )

    return forward


def peak_memory_gib(device: torch.device) -> float | None:
    """Most GPU memory used so far, in GiB; None on the processor."""
    return torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
