"""Paths in sentences as people read them: below the picture folder or the project's folder, without it. LIGHT.

Only the beginning of a path that is the same for all is left out, so what remains still says which file is meant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class ShortPaths:
    """Shortens what is said of one run.

    root: the project's folder. picture_folders: those of the run; with several of them a path below one is told from
    the root, since the same name may lie in each.
    """

    def __init__(self, root: Path, picture_folders: Iterable[str | Path] = ()) -> None:
        folders = {os.path.normpath(root / folder) for folder in picture_folders if str(folder)}
        only = folders if len(folders) == 1 else set()
        spelled = {*only, *(os.path.relpath(folder, root) for folder in only if Path(folder).is_relative_to(root))}
        starts = [*sorted(spelled - {"."}, key=len, reverse=True), str(root)]
        listed = "|".join(re.escape(start) for start in (one.rstrip("/\\") for one in starts) if start) or "(?!)"
        # From the beginning of a path: not in the middle of one, and more must follow than the folder itself.
        self._pattern = re.compile(rf"(?<![\w/\\.:\-])(?:{listed})[/\\](?=[^\s/\\])")

    def text(self, text: str) -> str:
        """A sentence with its paths shortened; everything else stays."""
        return self._pattern.sub("", text)

    def problem(self, problem: Mapping[str, Any]) -> dict[str, Any]:
        """A problem {message, template, values, cure, ...} whose sentence in any language has short paths."""
        cure = problem.get("cure")
        return {
            **problem, "message": self.text(problem["message"]), "values": self._values(problem.get("values", {})),
            "cure": self._values(cure) if cure else None,
        }  # fmt: skip

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in values.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(one) for one in value]
        return self._values(value) if isinstance(value, Mapping) else value
