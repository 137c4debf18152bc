"""The lines a run tells about itself: `events.jsonl`, one JSON object a line, one writer, any number of readers. LIGHT.

Names and fields of the events are listed in CONTRIBUTING.md; a reader ignores what it does not know.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import time
from pathlib import Path
from typing import Any

TERMINAL = ("finished", "stopped", "failed")
LONGEST_READ_BYTES = 4 * 2**20
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# json.loads takes NaN and Infinity, which the page's answers cannot hold
_DECODER = json.JSONDecoder(parse_constant=lambda name: None)


class EventLog:
    """Appends events to a file; every line is flushed before `emit` returns, so a kill loses none that was emitted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: set[str] = set()  # the names of what was emitted
        self._stream = path.open("ab", buffering=0)
        self._waiting = b""  # what a full disk has not taken yet

    def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write one event and return it. Numbers that are not finite become null: JSON has no NaN.

        What the disk refuses waits in memory for the next event: hours of training do not end for a line about them.
        """
        line = {
            "event": event,
            "time": round(time.time(), 3),
            **{name: _plain(value) for name, value in fields.items()},
        }
        text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        self._waiting += text.encode("utf-8", "replace") + b"\n"  # file names may be no text at all
        self._write()
        self.told.add(event)
        return line

    def close(self) -> None:
        """Sync the file to disk and close it."""
        self._write()
        with contextlib.suppress(OSError):
            os.fsync(self._stream.fileno())
        self._stream.close()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while self._waiting:
                self._waiting = self._waiting[self._stream.write(self._waiting) :]


class NoEvents(EventLog):
    """What a process has that writes nothing, as another one tells of the run they share."""

    def __init__(self) -> None:
        """Opens no file."""
        self.told = set()

    def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write nothing."""
        return {}

    def close(self) -> None:
        """Nothing is open."""


class LastWord(NoEvents):
    """What is told on a machine that trains with another one, which tells all the rest: how the run ended."""

    def __init__(self, path: Path) -> None:
        """Opens no file yet: others may write to it before."""
        super().__init__()
        self.path = path

    def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write the last event, without files: they lie on the other machine."""
        if event not in TERMINAL:
            return {}
        log = EventLog(self.path)
        try:
            return log.emit(event, **{name: None if name in ("path", "state") else fields[name] for name in fields})
        finally:
            log.close()


def follow(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Events that stand after byte `offset`, and the offset to ask with next time.

    Only whole lines are taken; a line that is not JSON (a torn write after a power cut) is passed over.
    A missing file gives no events. At most 4 MiB are read in one call: ask again with the new offset. A longer line is
    no event and is passed over.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            block = stream.read(LONGEST_READ_BYTES)
    except FileNotFoundError:
        return [], offset
    whole = block.rfind(b"\n") + 1
    return events_of(block), offset + (whole or (len(block) if len(block) == LONGEST_READ_BYTES else 0))


def last_event(path: Path) -> dict[str, Any] | None:
    """The last whole event of a file, read from its end; None when its last 4 MiB hold none."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    reach = 64 * 2**10
    while True:
        with path.open("rb") as stream:
            stream.seek(max(0, size - reach))
            block = stream.read(reach)
        for line in reversed(block[: block.rfind(b"\n") + 1].split(b"\n")):
            event = _event(line)
            if event is not None:
                return event
        if reach >= min(size, LONGEST_READ_BYTES):
            return None
        reach *= 8


def events_of(block: bytes) -> list[dict[str, Any]]:
    """The events of the whole lines in a block of bytes; what is no event is passed over."""
    found = (_event(line) for line in block[: block.rfind(b"\n") + 1].split(b"\n"))
    return [event for event in found if event is not None]


def _event(line: bytes) -> dict[str, Any] | None:
    """The event of a line, or None. Its texts can be written as UTF-8; numbers that JSON does not know are None."""
    try:
        event = _DECODER.decode(line.decode("utf-8", "replace"))
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            return None
        return _encodable(event) if b"\\u" in line else event
    except (ValueError, RecursionError):  # no JSON, or lists a thousand deep
        return None


def _encodable(value: Any) -> Any:
    """A copy without halves of characters, which JSON allows (\\ud83d alone) and UTF-8 does not."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_encodable(name): _encodable(entry) for name, entry in value.items()}
    return [_encodable(entry) for entry in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """JSON-ready copy: paths as text, NaN and infinity as None, numbers of other libraries as Python's."""
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
