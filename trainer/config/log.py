"""[log]: TensorBoard. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Log(Section):
    """Logging"""

    logging_dir: str | None = parameter(None, "TensorBoard folder", role="folder")
    """Where the curves are written; ./logs is what the TensorBoard tab shows. Empty: no TensorBoard files."""

    log_with: Literal["tensorboard"] | None = parameter(None, "Log with", advanced=True)
    """TensorBoard is used whenever a folder is given."""

    log_prefix: str | None = parameter(None, "Prefix of the run's folder", max_length=100, advanced=True)
    """Put before the date in the folder name, to tell runs apart."""

    log_tracker_name: str | None = parameter(None, "Name inside the run's folder", max_length=100, advanced=True)
    """Folder below the dated one. Empty: network_train."""
