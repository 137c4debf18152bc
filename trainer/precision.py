"""Device, number formats and gradient scaling of a run."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trainer.config import ConfigError, Note, Problem

if TYPE_CHECKING:
    from trainer.config.precision import Precision as PrecisionSection

COMPILED_BLOCKS = ("BasicTransformerBlock", "ResnetBlock2D")
COMPILED_SHAPES = 256  # widths of blocks times bucket sizes; beyond it torch would go on without compiled code
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
    if section.torch_compile:
        _check_compiler(section.dynamo_backend, device)
    if device.type == "cpu":
        notes.append(Note(None, "no GPU was found; training runs on the processor, which is far slower"))
    network = dtype if section.full_fp16 or section.full_bf16 else torch.float32
    return Formats(device, dtype, network, torch.float32 if section.no_half_vae else dtype, tuple(notes))


def _check_compiler(backend: str, device: torch.device) -> None:
    """Raise ConfigError when what makes the compiled code is missing, before anything slow."""
    if backend not in ("inductor", "cudagraphs"):
        return
    cure = "install it, or switch torch_compile off"
    if backend == "cudagraphs" and device.type != "cuda":
        said = "dynamo_backend cudagraphs needs an NVIDIA card; choose inductor, or switch torch_compile off"
        raise ConfigError([Problem("precision.dynamo_backend", said)])
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        needed = "triton-windows" if sys.platform == "win32" else "triton"
        said = "torch_compile needs the package {needed}, which is not installed; {cure}"
        raise ConfigError([Problem("precision.torch_compile", said, {"needed": needed, "cure": cure})])
    compilers = ("cl",) if sys.platform == "win32" else ("g++", "clang++")
    if device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX") or compilers[0], *compilers))):
        said = "torch_compile needs a C++ compiler on this machine ({needed}); {cure}"
        raise ConfigError([Problem("precision.torch_compile", said, {"needed": compilers[0], "cure": cure})])


def best_device() -> torch.device:
    """The GPU of this process, or the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def compile_blocks(unet: nn.Module, backend: str) -> int:
    """Have torch compile the transformer and residual blocks at their first use; returns how many blocks.

    Blocks of one kind share their compiled code, which takes a fraction of the time of compiling the whole U-Net; every
    bucket size may need a compilation of its own. To be called when network and checkpointing are in place.
    """
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, COMPILED_SHAPES)
    blocks = [module for module in unet.modules() if type(module).__name__ in COMPILED_BLOCKS]
    for block in blocks:
        block.compile(backend=backend)
    return len(blocks)


def keep_norms_narrow(unet: nn.Module) -> int:
    """Have frozen norm layers give what they get, bf16 or fp16, computed in float32 inside; returns how many layers.

    Under autocast on a card they would widen input and weights and give float32, which every layer behind them narrows
    again: 930 of 5400 operations of a step of SD 1.5, and the same numbers (but for the input of SiLU, rounded once
    more). To be called before a network is attached.
    """
    layers = [module for module in unet.modules() if isinstance(module, (nn.GroupNorm, nn.LayerNorm))]
    for layer in layers:
        layer.forward = _narrow(layer)  # type: ignore[method-assign, assignment]
    return len(layers)


def _narrow(layer: Any) -> Callable[[Tensor], Tensor]:
    own: Callable[[Tensor], Tensor] = layer.forward

    def forward(x: Tensor) -> Tensor:
        if x.dtype != layer.weight.dtype:
            return own(x)
        with torch.autocast(x.device.type, enabled=False):
            return own(x)

    return forward


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Onto the device without waiting for what it still computes."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Sent:
    """Numbers of the device (0-dim each) on their way to the processor; `read` waits for them, not for later work.

    A plain `.item()` stands behind all that was queued before it is asked: the step that comes next would have to end
    before its successor can be queued.
    """

    def __init__(self, numbers: Sequence[Tensor]) -> None:
        together = torch.stack([number.detach().float() for number in numbers])
        self._arrived: Any = None
        self._numbers = together
        if together.device.type == "cuda":
            self._numbers = torch.empty(together.shape, pin_memory=True).copy_(together, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def read(self) -> list[float]:
        """The numbers, in order."""
        if self._arrived is not None:
            self._arrived.synchronize()
        found: list[float] = self._numbers.tolist()
        return found


def give_memory_back(device: torch.device) -> None:
    """Return memory that was freed to the system or the card, where glibc or torch keeps it for later.

    After loading full-size SD 1.5 on a processor that was 0.4 GiB, all through the training.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def peak_memory_gib(device: torch.device) -> float | None:
    """Most GPU memory used so far, in GiB; None on the processor."""
    return torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
