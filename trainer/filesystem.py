"""Questions to the disk that have an answer for every path that a person can type. LIGHT.

pathlib raises where a name is too long, os.DirEntry where a link leads in a circle.
"""

from __future__ import annotations

import os
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a file; False also for a path that cannot be."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False also for a path that cannot be."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def entry_is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a folder, links followed; False for one that leads in a circle."""
    try:
        return entry.is_dir()
    except OSError:
        return False
