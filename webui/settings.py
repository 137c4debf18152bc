"""What the person set for the page itself: folders, mirrors, patience. Training parameters are in trainer.config.

LIGHT.

Kept in `.athanor/settings.json`; a damaged file is set aside (`settings.json.damaged`), never overwritten in silence.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from trainer import jsontext
from trainer.addresses import web_address
from trainer.atomic import atomic_write
from trainer.paths import pasted

FOLDERS = ("output", "logs", "train", "models")
DEFAULT_FOLDERS = {"output": "output", "logs": "logs", "train": "train", "models": "sd-models"}


class Settings(BaseModel):
    """Everything on the Settings tab. Folders are absolute or relative to the project's root; empty = the usual one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    output: str = ""
    logs: str = ""
    train: str = ""
    models: str = ""
    hf_endpoint: str = ""
    package_mirror: str = ""
    torch_mirror: str = ""
    stop_grace_seconds: int = Field(300, ge=5, le=7200)
    jobs_at_once: int = Field(1, ge=1, le=16)

    @field_validator(*FOLDERS)
    @classmethod
    def _plain_folder(cls, value: str) -> str:
        value = pasted(value)  # its error is a ValueError
        if value.replace("\\", "/").startswith("//"):
            raise ValueError("network paths (\\\\server\\...) are not allowed here; choose a folder on this machine")
        return value

    @field_validator("hf_endpoint", "package_mirror", "torch_mirror")
    @classmethod
    def _web_address(cls, value: str) -> str:
        return web_address(value) if value.strip() else ""


class SettingsFile:
    """The settings on disk and in memory; thread-safe. What another page over this folder saves acts here too.

    damaged: where a file is kept that could not be read when the page started; None when it could.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self.damaged: Path | None = None
        self._lock = threading.Lock()
        self._seen = _stamp(path)
        self._current = self._first()

    @property
    def current(self) -> Settings:
        """The settings as they are now."""
        if _stamp(self.path) != self._seen:
            with self._lock:
                self._look_again()
        return self._current

    def folder(self, name: str) -> Path:
        """Absolute path of one of FOLDERS."""
        chosen = getattr(self.current, name) or DEFAULT_FOLDERS[name]
        return Path(os.path.abspath(self.root / chosen))

    def change(self, **values: object) -> Settings:
        """Check, save and return the settings with some values changed. Raises pydantic.ValidationError."""
        with self._lock:
            self._look_again()
            changed = Settings.model_validate({**self._current.model_dump(), **values})
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, json.dumps(changed.model_dump(), indent=1, ensure_ascii=False))
            self._current, self._seen = changed, _stamp(self.path)
            return changed

    def _look_again(self) -> None:
        """Take what was saved meanwhile; a file that cannot be read changes nothing."""
        stamp = _stamp(self.path)
        if stamp == self._seen:
            return
        self._seen = stamp
        with contextlib.suppress(OSError, ValueError):
            self._current = Settings.model_validate(jsontext.parse(self.path.read_text(encoding="utf-8-sig")))

    def _first(self) -> Settings:
        """The settings of the file, of a damaged one what is sound; the damaged one is kept beside."""
        try:
            values = jsontext.parse(self.path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return Settings()
        except (OSError, ValueError):
            values = None
        try:
            return Settings.model_validate(values)
        except ValidationError as error:
            self._set_aside()
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
            sound = {name: value for name, value in values.items() if name not in wrong} if wrong else {}
            return Settings.model_validate(sound)

    def _set_aside(self) -> None:
        place = next(place for place in self._places() if not place.exists())
        with contextlib.suppress(OSError):
            os.replace(self.path, place)
            self.damaged = place
            print(f"{self.path} is damaged; it is kept as {place.name}, and what it says is not used.", flush=True)

    def _places(self) -> Iterator[Path]:
        yield self.path.with_name(f"{self.path.name}.damaged")
        yield from (self.path.with_name(f"{self.path.name}.damaged-{number}") for number in itertools.count(2))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes with every save, as each makes a new file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
