"""The picture folders that were worked with last, for the places where one is chosen. LIGHT."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

from trainer.atomic import WriteError, atomic_write
from trainer.filesystem import is_folder
from trainer.jsontext import parse

MOST = 10


class RecentFolders:
    """A list on disk, newest first, of at most MOST folders. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def note(self, folder: Path) -> None:
        """Put a folder first. A disk that refuses costs nothing but the memory of it."""
        with self._lock, contextlib.suppress(OSError, WriteError):
            known = [str(folder), *(path for path in self._read() if path != str(folder))]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, json.dumps(known[:MOST], indent=1))

    def all(self) -> list[dict[str, Any]]:
        """[{path, name, gone}]: a folder that is not there now is told, since its disk may come back."""
        return [
            {"path": path, "name": Path(path).name or path, "gone": not is_folder(Path(path))} for path in self._read()
        ]

    def _read(self) -> list[str]:
        try:
            return [str(path) for path in parse(self.path.read_text(encoding="utf-8"))][:MOST]
        except (OSError, ValueError, TypeError):
            return []
