"""The fields of a job's events that the page relies on: known names, plain types, bounded lengths. LIGHT.

A job's folder may come from anybody, so a value of another type is as if it were not there, and an event that is not
listed is passed over. What the events mean is in progress.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

LARGEST_NUMBER = 1e100
LONGEST_TEXT = 20_000
LONGEST_TRACEBACK = 200_000
MOST_TABLE_ENTRIES = 64
_NUMBERS = (float, int)


def number(value: Any) -> int | float | None:
    """A finite number, or None; True and False are none."""
    if type(value) not in _NUMBERS:
        return None
    return value if -LARGEST_NUMBER < value < LARGEST_NUMBER else None  # not isfinite: it cannot take any int


def count(value: Any) -> int | None:
    """A whole number from 0 on, or None."""
    found = number(value)
    return None if found is None or found < 0 else int(found)


def text(value: Any) -> str | None:
    """A text of bounded length, or None."""
    return value[:LONGEST_TEXT] if isinstance(value, str) else None


def numbers(value: Any) -> dict[str, float | None]:
    """The numbers of a table by name; what is no table is an empty one."""
    if not isinstance(value, dict):
        return {}
    return {name[:200]: number(entry) for name, entry in islice(value.items(), MOST_TABLE_ENTRIES)}


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _traceback(value: Any) -> str | None:
    return value[-LONGEST_TRACEBACK:] if isinstance(value, str) else None


def _settings(value: Any) -> dict[str, bool | int | float | str | None] | None:
    """A table of plain values by name, as a failure advises them."""
    if not isinstance(value, dict):
        return None
    found: dict[str, bool | int | float | str | None] = {}
    for name, entry in islice(value.items(), MOST_TABLE_ENTRIES):
        if entry is None or isinstance(entry, bool):
            found[name] = entry
        elif number(entry) is not None or isinstance(entry, str):
            found[name] = text(entry) if isinstance(entry, str) else number(entry)
    return found


_PLACE: dict[str, Callable[[Any], Any]] = {"step": count, "epoch": count, "epochs": count, "total": count}
_OVER: dict[str, Callable[[Any], Any]] = {"step": count, "state": text, "forced": _flag}
FIELDS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "started": {
        "name": text, "steps": count, "epochs": count, "images": count, "reg_images": count, "batches_per_epoch": count,
        "network": text, "base_model": text, "seed": count, "resumed_from": text, "device": text, "output": text,
    },
    "phase": {"name": text, "done": count, "total": count},
    "step": {**_PLACE, "loss": number, "average": number, "lr": numbers, "seconds": number, "vram_gib": number},
    "epoch": {"epoch": count},
    "sample": {**_PLACE, "file": text, "prompt": text, "seed": count},
    "checkpoint": {**_PLACE, "kind": text, "path": text, "bytes": count},
    "validation": {**_PLACE, "loss": number},
    "warning": {"message": text},
    "finished": {"path": text, "steps": count, "seconds": number},
    "stopped": _OVER,
    "failed": {
        **_OVER, "kind": text, "message": text, "advice": text, "traceback": _traceback, "changes": _settings,
    },
}  # fmt: skip
NEEDED = {"phase": "name", "step": "step", "sample": "file", "checkpoint": "path", "warning": "message"}


def cleaned(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """An event with `event`, `time` (unix seconds) and those of its fields that can be relied on.

    None for an event that the page does not know, or one without the field that makes it of use.
    """
    fields = FIELDS.get(event["event"])
    if fields is None:
        return None
    found: dict[str, Any] = {"event": event["event"]}
    for name, convert in {"time": number, **fields}.items():
        value = convert(event.get(name))
        if value is not None:
            found[name] = value
    return None if NEEDED.get(event["event"], "event") not in found else found
