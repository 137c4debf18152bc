"""The curves of a run for TensorBoard, under the tag names of sd-scripts (KOHYA_COMPAT 9.4)."""

from __future__ import annotations

import contextlib
import netrc
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trainer import __version__, tomltext
from trainer.config import SECRETS, ConfigError, Problem, parameters
from trainer.console import LOG
from trainer.job import LONGEST_NAME_BYTES, time_of_id
from trainer.saving import new_device

if TYPE_CHECKING:
    from PIL.Image import Image

    from trainer.config import TrainConfig
    from trainer.config.log import Log


WANDB_KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
WANDB_WITHOUT_KEY = ("offline", "disabled", "dryrun")


class Curves:
    """Writes the event files of TensorBoard into `run_folder`, or to wandb, or both; nothing when both are off."""

    def __init__(self, config: TrainConfig, name: str, job_id: str = "", silent: bool = False) -> None:
        """name: under which the run saves. silent: of a process that writes nothing.

        Raises OSError when the folder cannot be written, ConfigError when wandb refuses (no key, no network).
        """
        self.folder: Path | None = None
        self.warn: Callable[[str], object] = LOG.warning
        self._writer: Any = None
        self._wandb: Any = None
        section = config.log
        settings = logged_settings(config) if section.log_config else {}
        if silent:
            return
        if section.logging_dir and section.log_with != "wandb":
            from torch.utils.tensorboard import SummaryWriter
            from torch.utils.tensorboard.summary import hparams

            self.folder = run_folder(section, name, job_id)
            self._writer = SummaryWriter(str(self.folder), flush_secs=5)
            self._writer.add_text("athanor", f"version {__version__}", 0)
            for summary in hparams(settings, {}) if settings else ():
                self._writer.file_writer.add_summary(summary)
        if section.log_with in ("wandb", "all"):
            import wandb

            options = {"name": section.wandb_run_name, **tracker_options(section, "wandb")}
            try:
                self._wandb = wandb.init(
                    project=section.log_tracker_name or "network_train", dir=section.logging_dir, config=settings,
                    **options,
                )  # fmt: skip
            except wandb.Error as error:
                said = "wandb did not start: {reason}; run wandb login, or set WANDB_MODE to offline"
                raise ConfigError([Problem("log.log_with", said, {"reason": error})]) from error

    def scalars(self, values: Mapping[str, float], step: int, axis: str = "global_step") -> None:
        """Add points: tag -> value at `step`, an epoch number where the axis is "epoch"."""
        with self._going_on():
            if self._writer is not None:
                for tag, value in values.items():
                    self._writer.add_scalar(tag, value, step)
            if self._wandb is not None:
                self._wandb.log({**values, axis: step})

    def image(self, tag: str, picture: Image, step: int) -> None:
        """Add a preview picture."""
        with self._going_on():
            if self._writer is not None:
                import numpy

                self._writer.add_image(tag, numpy.asarray(picture.convert("RGB")), step, dataformats="HWC")
            if self._wandb is not None:
                import wandb

                self._wandb.log({tag: wandb.Image(picture), "global_step": step})

    def close(self) -> None:
        """Flush and close the file."""
        with self._going_on():
            if self._writer is not None:
                self._writer.close()
            if self._wandb is not None:
                self._wandb.finish()

    @contextlib.contextmanager
    def _going_on(self) -> Iterator[None]:
        """A curve that cannot be written is told and drawn no further: no reason to end hours of training."""
        try:
            yield
        except OSError as error:
            self._writer = self._wandb = None
            self.warn(f"the curves end here, training goes on: {error.strerror or error}")


def run_folder(section: Log, name: str, job_id: str = "") -> Path:
    """The new folder for a run's curves, whose path below logging_dir TensorBoard shows as the run's name.

    Without log_prefix and log_tracker_name it is called after the LoRA and the time, as the page's list of jobs is:
    `logs/anby · 2026-11-20 11.42`. sd-scripts calls it by the date alone, `logs/20261120114200/network_train`; with
    log_prefix its way is kept.
    """
    base = Path(section.logging_dir or "")
    if section.log_prefix:
        dated = f"{section.log_prefix}{time.strftime('%Y%m%d%H%M%S')}"
        return base / dated / (section.log_tracker_name or "network_train")
    moment = time_of_id(job_id) or time.localtime()
    short = name.encode("utf-8", "replace")[:LONGEST_NAME_BYTES].decode("utf-8", "ignore")
    label = f"{short} · {time.strftime('%Y-%m-%d %H.%M', moment)}"  # Windows has no : in names
    folder, number = base / label, 1
    while folder.exists():  # trained once more in the same job, or twice within a minute
        number += 1
        folder = base / f"{label} ({number})"
    return folder / section.log_tracker_name if section.log_tracker_name else folder


def old_rate_names(rates: Mapping[str, float]) -> dict[str, float]:
    """The second set of names that sd-scripts gives the rates (KOHYA_COMPAT 9.4): groups by number, a text encoder in
    front by its name.

    A U-Net that stands first because the text encoder has no rate is group0 here, not textencoder (Q-23).
    """
    found: dict[str, float] = {}
    for number, label in enumerate(label for label in rates if not label.startswith("d*")):
        if number == 0 and label.startswith("textencoder"):
            found["textencoder"] = rates[label]
            continue
        found[f"group{number}"] = rates[label]
        if f"d*lr/{label}" in rates:
            found[f"d*lr/group{number}"] = rates[f"d*lr/{label}"]
    return found


def check(section: Log) -> None:
    """What would keep the curves from being written at the first step, told before anything slow.

    wandb asks for a key where it has none, which nobody may be there to answer. Its key stands in a setting, a
    variable, or the .netrc file that `wandb login` writes (newer versions: a file of its own).
    Raises ConfigError.
    """
    tracker_options(section, "wandb")
    if section.logging_dir:
        folder = Path(section.logging_dir)
        device = new_device(folder)
        if device is not None:
            said = "Windows keeps the name {device} in {path} for a device; choose another logging_dir"
            raise ConfigError([Problem("log.logging_dir", said, {"device": device, "path": folder})])
        place = next((place for place in (folder, *folder.resolve().parents) if place.exists()), folder)
        if not (place.is_dir() and os.access(place, os.W_OK)):
            said = "nothing can be written below {path}; choose another logging_dir"
            raise ConfigError([Problem("log.logging_dir", said, {"path": place})])
    if section.log_with not in ("wandb", "all") or section.wandb_api_key:
        return
    if any(os.environ.get(name) for name in WANDB_KEYS) or os.environ.get("WANDB_MODE") in WANDB_WITHOUT_KEY:
        return
    home = Path.home()
    if any(place.is_file() for place in (home / ".config/wandb/settings", Path("wandb/settings"))):
        return  # an own server, or an own mode: only wandb can tell
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    for place in (Path(os.environ.get("NETRC") or home / ".netrc"), home / "_netrc"):
        with contextlib.suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            if host in netrc.netrc(str(place)).hosts:
                return
    said = "wandb did not start: {reason}; run wandb login, or set WANDB_MODE to offline"
    raise ConfigError([Problem("log.log_with", said, {"reason": f"there is no key for {host} on this machine"})])


def tracker_options(section: Log, tool: str) -> dict[str, Any]:
    """The table of a logging tool in log_tracker_config; empty without one. Raises ConfigError."""
    if not section.log_tracker_config:
        return {}
    path = Path(section.log_tracker_config)
    try:
        values = tomltext.parse(path.read_text(encoding="utf-8-sig")).get(tool, {})
    except (OSError, ValueError, RecursionError) as error:
        said = "{path} is not valid TOML: {reason}"
        raise ConfigError([Problem("log.log_tracker_config", said, {"path": path, "reason": error})]) from error
    return dict(values) if isinstance(values, Mapping) else {}


def logged_settings(config: TrainConfig) -> dict[str, bool | int | float | str]:
    """Name -> value of every setting that is set, but for keys and for what names a place on this machine."""
    told: dict[str, bool | int | float | str] = {}
    for parameter in parameters():
        value = getattr(getattr(config, parameter.section), parameter.name)
        if value is None or parameter.role is not None or parameter.name in SECRETS:
            continue
        told[parameter.name] = value if isinstance(value, (bool, int, float, str)) else str(value)
    return told


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
