"""Why a run ended early, in words for the person in front of it."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer.config import ConfigError, TrainConfig
from trainer.spawning import LOST_ADVICE

MOST_REMEDIES = 5
SMALLEST_USUAL_SIDE_PX = 512
BUG_ADVICE = (
    "This is a fault of the program. Please report it with the zip from Settings; the job folder keeps the whole log"
)


class NotANumber(ArithmeticError):
    """The loss was NaN or infinite too many times in a row."""


class Interrupted(Exception):
    """A run that ended with an error, its cause. state: the folder it can go on from, None when none was kept."""

    def __init__(self, step: int, state: Path | None) -> None:
        super().__init__(f"ended at step {step}")
        self.step = step
        self.state = state


@dataclass(frozen=True)
class Failure:
    """kind: config, data, out_of_memory, nan, weights, disk, process or bug."""

    kind: str
    message: str
    advice: str
    traceback: str
    step: int | None = None
    state: Path | None = None  # what was kept of the run

    @property
    def exit_code(self) -> int:
        """2 where the user's settings or files are wrong, else 1."""
        return 2 if self.kind in ("config", "data", "weights") else 1

    def fields(self) -> dict[str, Any]:
        """As fields of the `failed` event."""
        told = {"kind": self.kind, "message": self.message, "advice": self.advice, "traceback": self.traceback}
        return told if self.state is None else {**told, "step": self.step, "state": self.state}


def explain(error: BaseException, config: TrainConfig | None = None) -> Failure:
    """Sort an exception into one of the kinds. config: of the run, for advice that fits it."""
    from trainer.processes import Elsewhere

    if isinstance(error, Interrupted) and error.__cause__ is not None:
        found = explain(error.__cause__, config)
        return found if error.state is None else replace(found, step=error.step, state=error.state)
    if isinstance(error, Elsewhere):
        told = error.told
        return Failure(told["kind"], f"process {told['process']}: {told['message']}", told["advice"], told["traceback"])
    kind, advice = _kind(error, config)
    message = str(error) or type(error).__name__
    if kind == "out_of_memory":
        message = "the GPU ran out of memory" if _is_torch_oom(error) else "the machine ran out of memory"
    if kind == "bug":
        message = f"{type(error).__name__}: {message}"
    return Failure(kind, message, advice, "".join(traceback.format_exception(error)))


def _kind(error: BaseException, config: TrainConfig | None) -> tuple[str, str]:
    from trainer.checkpoint import NotFinite, StateError
    from trainer.dataset import DatasetError
    from trainer.families.weights import WeightsError
    from trainer.networks.base import NetworkError
    from trainer.processes import Lost

    if isinstance(error, ConfigError):
        return "config", "Correct the settings named above and start again"
    if isinstance(error, DatasetError):
        return "data", "Correct the data set as named above and start again"
    if isinstance(error, (WeightsError, NetworkError, StateError)):
        return "weights", "Choose another file, or correct the setting named above"
    if isinstance(error, (NotFinite, NotANumber)):
        return (
            "nan",
            "Lower the learning rate, switch no_half_vae on, or train in bf16, not fp16. The last good file is kept",
        )
    if isinstance(error, Lost):
        return "process", LOST_ADVICE
    if isinstance(error, MemoryError) or _is_torch_oom(error):
        return "out_of_memory", out_of_memory_advice(config)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO):
        return "disk", "Free some space or choose another output folder, then resume from the last state"
    return "bug", BUG_ADVICE


def out_of_memory_advice(config: TrainConfig | None) -> str:
    """What to change, in order of effect: only what this run has not switched on already."""
    found = list(_remedies(config))[:MOST_REMEDIES]
    return f"In this order: {'; '.join(found)}. A run that kept a state goes on from it with the new settings"


def _remedies(config: TrainConfig | None) -> Iterator[str]:
    if config is not None:
        precision, cache = config.precision, config.cache
        side = max(config.dataset.resolution or (0, 0))
        batch = config.dataset.train_batch_size
        if not precision.gradient_checkpointing:
            yield "switch gradient_checkpointing on"
        if batch > 1:
            yield f"lower train_batch_size from {batch} to {batch // 2} and double gradient_accumulation_steps"
        if precision.mixed_precision == "no":
            yield "set mixed_precision to bf16 (fp16 on cards before RTX 30)"
        if not cache.cache_latents:
            yield "switch cache_latents on, so that the VAE leaves the memory"
        if side > SMALLEST_USUAL_SIDE_PX:
            yield f"lower the resolution below {side}"
        if not config.network.network_train_unet_only:
            yield "switch network_train_unet_only on"
        elif not cache.cache_text_encoder_outputs:
            yield "switch cache_text_encoder_outputs on"
        if precision.mixed_precision != "no" and not precision.fp8_base:
            yield "switch fp8_base on"
        if (config.network.network_dim or 4) > 16:
            yield "lower network_dim"
    yield "close other programs that use the memory"


def _is_torch_oom(error: BaseException) -> bool:
    return (
        type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
        or "out of memory" in str(error)
    )
