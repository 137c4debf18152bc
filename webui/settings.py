"""What the person set for the page itself: folders, mirrors, patience. Training parameters are in trainer.config.

LIGHT.

Kept in `.athanor/settings.json`; a damaged file is set aside (`settings.json.damaged`), never overwritten in silence.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

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
        value = value.strip().rstrip("/")
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError(
                f"{value!r} is not a web address; write it like https://mirror.example/simple, or leave it empty"
            )
        if urlsplit(value).password:
            raise ValueError("leave the password out of the address: settings are kept as plain text")
        return value


class SettingsFile:
    """The settings on disk and in memory; thread-safe."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self._lock = threading.Lock()
        self._current = self._read()

    @property
    def current(self) -> Settings:
        """The settings as they are now."""
        return self._current

    def folder(self, name: str) -> Path:
        """Absolute path of one of FOLDERS."""
        chosen = getattr(self._current, name) or DEFAULT_FOLDERS[name]
        return Path(os.path.abspath(self.root / chosen))

    def change(self, **values: object) -> Settings:
        """Check, save and return the settings with some values changed. Raises pydantic.ValidationError."""
        with self._lock:
            changed = Settings.model_validate({**self._current.model_dump(), **values})
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, json.dumps(changed.model_dump(), indent=1, ensure_ascii=False))
            self._current = changed
            return changed

    def _read(self) -> Settings:
        try:
            return Settings.model_validate(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Settings()
        except (ValueError, ValidationError, OSError, RecursionError):
            self._set_aside()
            return Settings()

    def _set_aside(self) -> None:
        try:
            os.replace(self.path, self.path.with_name(self.path.name + ".damaged"))
        except OSError:
            return
