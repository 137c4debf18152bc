"""Why a run ended early, in words for the person in front of it."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trainer import optimizers
from trainer.atomic import WriteError
from trainer.config import ConfigError, TrainConfig
from trainer.spawning import LOST_ADVICE

MOST_REMEDIES = 5
LOWER_RATE = 0.3
SMALLEST_USUAL_SIDE_PX = 512
BUG_ADVICE = (
    "This is a fault of the program. Please report it with the zip from Settings; the job folder keeps the whole log"
)
# What is refused -> what to do; None where several things are.
REFUSED_ADVICE: Mapping[str | None, str] = {
    "config": "Correct the settings named above and start again",
    "data": "Correct the data set as named above and start again",
    "weights": "Choose another file, or correct the setting named above",
    None: "Correct what is named above and start again",
}


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
    """kind: config, data, out_of_memory, nan, weights, disk, process or bug.

    changes: what of the advice is a change of parameters, {address: value}; the first step of it, to try again with.
    """

    kind: str
    message: str
    advice: str
    traceback: str
    step: int | None = None
    state: Path | None = None  # what was kept of the run
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """2 where the user's settings or files are wrong, else 1."""
        return 2 if self.kind in ("config", "data", "weights") else 1

    def fields(self) -> dict[str, Any]:
        """As fields of the `failed` event."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "message": self.message,
            "advice": self.advice,
            "traceback": self.traceback,
        }
        if self.changes:
            told["changes"] = dict(self.changes)
        return told if self.state is None else {**told, "step": self.step, "state": self.state}


def explain(error: BaseException, config: TrainConfig | None = None) -> Failure:
    """Sort an exception into one of the kinds. config: of the run, for advice that fits it."""
    from trainer.processes import Elsewhere

    if isinstance(error, Interrupted) and error.__cause__ is not None:
        found = explain(error.__cause__, config)
        return found if error.state is None else replace(found, step=error.step, state=error.state)
    if isinstance(error, Elsewhere):
        told = error.told
        message = f"process {told['process']}: {told['message']}"
        return Failure(told["kind"], message, told["advice"], told["traceback"], changes=told.get("changes", {}))
    kind, advice = _kind(error, config)
    message = str((isinstance(error, WriteError) and error.strerror) or error) or type(error).__name__
    if kind == "out_of_memory":
        message = "the GPU ran out of memory" if _is_torch_oom(error) else "the machine ran out of memory"
    if kind == "bug":
        message = f"{type(error).__name__}: {message}"
    changes = _changes(kind, config) if config is not None else {}
    return Failure(kind, message, advice, "".join(traceback.format_exception(error)), changes=changes)


def _kind(error: BaseException, config: TrainConfig | None) -> tuple[str, str]:
    from trainer.checkpoint import NotFinite
    from trainer.dataset.problems import DatasetError, RefusedError
    from trainer.families.weights import WeightsError
    from trainer.networks.base import NetworkError
    from trainer.processes import Lost
    from trainer.states import StateError

    if isinstance(error, ConfigError):
        return "config", REFUSED_ADVICE["config"]
    if isinstance(error, RefusedError):
        return error.subject or "data", REFUSED_ADVICE[error.subject]
    if isinstance(error, DatasetError):
        return "data", REFUSED_ADVICE["data"]
    if isinstance(error, (WeightsError, NetworkError, StateError)):
        return "weights", REFUSED_ADVICE["weights"]
    if isinstance(error, (NotFinite, NotANumber)):
        return (
            "nan",
            "Lower the learning rate, switch no_half_vae on, or train in bf16, not fp16. The last good file is kept",
        )
    if isinstance(error, Lost):
        return "process", LOST_ADVICE
    if isinstance(error, MemoryError) or _is_torch_oom(error):
        return "out_of_memory", out_of_memory_advice(config)
    refused = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENAMETOOLONG)
    if isinstance(error, WriteError) or (isinstance(error, OSError) and error.errno in refused):
        return "disk", "Free some space on that drive or choose a folder on another; a run with a state goes on from it"
    return "bug", BUG_ADVICE


def out_of_memory_advice(config: TrainConfig | None) -> str:
    """What to change, in order of effect: only what this run has not switched on already."""
    found = [words for words, _ in _remedies(config)][:MOST_REMEDIES]
    return f"In this order: {'; '.join(found)}. A run that kept a state goes on from it with the new settings"


def _changes(kind: str, config: TrainConfig) -> Mapping[str, Any]:
    """The first change of parameters that the advice names."""
    if kind == "out_of_memory":
        return next((changes for _, changes in _remedies(config) if changes), {})
    if kind == "nan":
        return _calmer(config)
    return {}


def _calmer(config: TrainConfig) -> dict[str, Any]:
    """Against NaN: the VAE in full precision and lower rates; optimizers that find the rate keep theirs."""
    section = config.optimizer
    changes: dict[str, Any] = {}
    if config.precision.mixed_precision != "no" and not config.precision.no_half_vae:
        changes["precision.no_half_vae"] = True
    if not optimizers.find(section.optimizer_type).adaptive:
        for name in ("learning_rate", "unet_lr", "text_encoder_lr"):
            rate = getattr(section, name)
            if rate:
                changes[f"optimizer.{name}"] = (
                    [_lower(one) for one in rate] if isinstance(rate, tuple) else _lower(rate)
                )
    return changes


def _lower(rate: float) -> float:
    return float(f"{rate * LOWER_RATE:.2g}")


def _remedies(config: TrainConfig | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """(in words, as {address: value}), in order of effect."""
    if config is not None:
        precision, cache = config.precision, config.cache
        side = max(config.dataset.resolution or (0, 0))
        batch = config.dataset.train_batch_size
        if not precision.gradient_checkpointing:
            yield "switch gradient_checkpointing on", {"precision.gradient_checkpointing": True}
        if batch > 1:
            told = f"lower train_batch_size from {batch} to {batch // 2} and double gradient_accumulation_steps"
            accumulation = config.run.gradient_accumulation_steps * 2
            yield told, {"dataset.train_batch_size": batch // 2, "run.gradient_accumulation_steps": accumulation}
        if precision.mixed_precision == "no":
            yield "set mixed_precision to bf16 (fp16 on cards before RTX 30)", {"precision.mixed_precision": "bf16"}
        if not cache.cache_latents:
            yield "switch cache_latents on, so that the VAE leaves the memory", {"cache.cache_latents": True}
        if side > SMALLEST_USUAL_SIDE_PX:
            smaller = [max(length * 3 // 4 // 64 * 64, 64) for length in config.dataset.resolution or ()]
            yield f"lower the resolution below {side}", {"dataset.resolution": smaller}
        if not config.network.network_train_unet_only:
            yield "switch network_train_unet_only on", {"network.network_train_unet_only": True}
        elif not cache.cache_text_encoder_outputs:
            yield "switch cache_text_encoder_outputs on", {"cache.cache_text_encoder_outputs": True}
        if precision.mixed_precision != "no" and not precision.fp8_base:
            yield "switch fp8_base on", {"precision.fp8_base": True}
        if (config.network.network_dim or 4) > 16:
            yield "lower network_dim", {"network.network_dim": 16}
    yield "close other programs that use the memory", {}


def _is_torch_oom(error: BaseException) -> bool:
    return (
        type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
        or "out of memory" in str(error)
    )
