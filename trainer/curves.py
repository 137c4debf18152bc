"""The curves of a run for TensorBoard, under the tag names of sd-scripts (KOHYA_COMPAT 9.4)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import __version__

if TYPE_CHECKING:
    from PIL.Image import Image

    from trainer.config.log import Log


class Curves:
    """Writes `<logging_dir>/<log_prefix><date>/<tracker name>/events…`; does nothing when logging_dir is unset."""

    def __init__(self, section: Log, silent: bool = False) -> None:
        """silent: of a process that writes nothing. Raises OSError when the folder cannot be written."""
        self.folder: Path | None = None
        self._writer: Any = None
        if section.logging_dir and not silent:
            from torch.utils.tensorboard import SummaryWriter

            dated = f"{section.log_prefix or ''}{time.strftime('%Y%m%d%H%M%S')}"
            self.folder = Path(section.logging_dir) / dated / (section.log_tracker_name or "network_train")
            self._writer = SummaryWriter(str(self.folder), flush_secs=5)
            self._writer.add_text("athanor", f"version {__version__}", 0)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add points: tag -> value at `step` (an epoch number for the tags that count epochs)."""
        if self._writer is not None:
            for tag, value in values.items():
                self._writer.add_scalar(tag, value, step)

    def image(self, tag: str, picture: Image, step: int) -> None:
        """Add a preview picture."""
        if self._writer is not None:
            import numpy

            self._writer.add_image(tag, numpy.asarray(picture.convert("RGB")), step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close the file."""
        if self._writer is not None:
            self._writer.close()


class LossAverage:
    """Mean loss over the last epoch's length: running in the first epoch, then over the last value of each batch
    position."""

    def __init__(self, values: Mapping[int, float] | None = None) -> None:
        self.values: dict[int, float] = dict(values or {})
        self._total = sum(self.values.values())

    def add(self, position: int, loss: float) -> float:
        """Put in the loss of a batch position of the epoch; returns the mean."""
        self._total += loss - self.values.get(position, 0.0)
        self.values[position] = loss
        return self.mean

    @property
    def mean(self) -> float:
        """Mean of what is in; 0 when nothing is."""
        return self._total / len(self.values) if self.values else 0.0
