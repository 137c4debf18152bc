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
        self._pattern = _beginnings([*sorted(spelled - {"."}, key=len, reverse=True), str(root)])
        self._of_root = _beginnings([str(root)])

    def text(self, text: str) -> str:
        """A sentence with its paths shortened; everything else stays."""
        return self._pattern.sub("", text)

    def problem(self, problem: Mapping[str, Any]) -> dict[str, Any]:
        """A problem {message, template, values, cure, ...} whose sentence in any language has short paths.

        The paths of its cures become values of the form, where they start at the project's folder.
        """
        return {
            **problem, "message": self.text(problem["message"]),
            "values": _values(self._pattern, problem.get("values", {})),
            **{name: _values(self._of_root, problem[name]) for name in ("cure", "other") if problem.get(name)},
        }  # fmt: skip


def _beginnings(starts: Iterable[str]) -> re.Pattern[str]:
    """What to leave out: from the beginning of a path, not in the middle of one, and more must follow than the folder
    itself."""
    listed = "|".join(re.escape(start) for start in (one.rstrip("/\\") for one in starts) if start) or "(?!)"
    return re.compile(rf"(?<![\w/\\.:\-])(?:{listed})[/\\](?=[^\s/\\])")


def _values(pattern: re.Pattern[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(pattern, value) for name, value in values.items()}


def _value(pattern: re.Pattern[str], value: Any) -> Any:
    if isinstance(value, str):
        return pattern.sub("", value)
    if isinstance(value, list):
        return [_value(pattern, one) for one in value]
    return _values(pattern, value) if isinstance(value, Mapping) else value
