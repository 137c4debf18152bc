"""Summaries of long event files on disk, so that a page that starts anew reads only what came since. LIGHT.

A summary is a cache: it may be deleted at any time, and one that does not fit its file is passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from trainer.atomic import atomic_write

VERSION = 1
MOST_FILES = 400
ENDS_BYTES = 4096


def fingerprint(path: Path, offset: int) -> str:
    """A digest of the first 4 KiB of a file and of the 4 KiB before `offset`; "" when it has no such place.

    Events carry their time, so a file that was begun anew has another one, however long it has grown.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(min(offset, ENDS_BYTES))
            stream.seek(max(0, offset - ENDS_BYTES))
            tail = stream.read(min(offset, ENDS_BYTES))
    except OSError:
        return ""
    whole = len(head) == len(tail) == min(offset, ENDS_BYTES)
    return hashlib.sha256(head + tail).hexdigest() if whole else ""


def summary_path(folder: Path, job_id: str) -> Path:
    """Where a job's summary lies; ids may be too long for a file's name."""
    return folder / f"{hashlib.sha256(job_id.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def save(path: Path, offset: int, mark: str, content: dict[str, Any]) -> None:
    """Keep what a file's first `offset` bytes say; `mark` is their fingerprint. A full disk is no reason to stop."""
    line = {"version": VERSION, "offset": offset, "mark": mark, "content": content}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(line, allow_nan=False))
        _remove_oldest(path.parent)


def load(path: Path, events_path: Path) -> tuple[int, dict[str, Any]] | None:
    """The offset up to which the events are summed up, and what they say; None without a summary that fits the file."""
    try:
        line = json.loads(path.read_bytes())
        offset, content = line["offset"], line["content"]
        fits = line["version"] == VERSION and offset > 0 and line["mark"] == fingerprint(events_path, offset) != ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (offset, content) if fits else None


def _remove_oldest(folder: Path) -> None:
    """Summaries of jobs that are gone are the oldest ones, sooner or later."""
    files = list(folder.glob("*.json"))
    if len(files) <= MOST_FILES:
        return
    aged = []
    for file in files:
        with contextlib.suppress(OSError):
            aged.append((file.stat().st_mtime_ns, file))
    for _, file in sorted(aged)[: len(files) - MOST_FILES]:
        file.unlink(missing_ok=True)
