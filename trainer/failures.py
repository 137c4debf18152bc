"""Why a run ended early, in words for the person in front of it."""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass
from typing import Any

from trainer.config import ConfigError

OUT_OF_MEMORY_ADVICE = (
    "In this order: switch gradient_checkpointing on; set train_batch_size to 1; set mixed_precision to bf16 or fp16; "
    "lower the resolution; switch fp8_base on; close other programs that use the GPU. "
    "The state of the last save can be resumed with the new settings"
)
BUG_ADVICE = (
    "This is a fault of the program. Please report it with the zip from Settings; the job folder keeps the whole log"
)


class NotANumber(ArithmeticError):
    """The loss was NaN or infinite too many times in a row."""


@dataclass(frozen=True)
class Failure:
    """kind: config, data, out_of_memory, nan, weights, disk or bug."""

    kind: str
    message: str
    advice: str
    traceback: str

    @property
    def exit_code(self) -> int:
        """2 where the user's settings or files are wrong, else 1."""
        return 2 if self.kind in ("config", "data", "weights") else 1

    def fields(self) -> dict[str, Any]:
        """As fields of the `failed` event."""
        return {"kind": self.kind, "message": self.message, "advice": self.advice, "traceback": self.traceback}


def explain(error: BaseException) -> Failure:
    """Sort an exception into one of the kinds."""
    kind, advice = _kind(error)
    message = str(error) or type(error).__name__
    if kind == "out_of_memory":
        message = "the GPU ran out of memory" if _is_torch_oom(error) else "the machine ran out of memory"
    if kind == "bug":
        message = f"{type(error).__name__}: {message}"
    return Failure(kind, message, advice, "".join(traceback.format_exception(error)))


def _kind(error: BaseException) -> tuple[str, str]:
    from trainer.checkpoint import NotFinite, StateError
    from trainer.dataset import DatasetError
    from trainer.families.weights import WeightsError
    from trainer.networks.base import NetworkError

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
    if isinstance(error, MemoryError) or _is_torch_oom(error):
        return "out_of_memory", OUT_OF_MEMORY_ADVICE
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO):
        return "disk", "Free some space or choose another output folder, then resume from the last state"
    return "bug", BUG_ADVICE


def _is_torch_oom(error: BaseException) -> bool:
    return (
        type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
        or "out of memory" in str(error)
    )
