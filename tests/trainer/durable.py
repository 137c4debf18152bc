"""The calls that make files last a power cut, recorded in their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

needs_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux to name an open file")


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(call, file or folder as it is called at that moment) of every sync, move and removal, in order.

    The name of a temporary file is its ending alone; a folder's ends in a slash.
    """
    calls: list[tuple[str, str]] = []

    def named(place: Path | str) -> str:
        path = Path(place)
        name = path.suffix if path.suffix == ".athanor-tmp" else path.name
        return f"{name}/" if path.is_dir() else name

    def record(call: str, real: object, target: int) -> None:
        def recording(*places: object, **options: object) -> object:
            place = places[target]
            path = Path(f"/proc/self/fd/{place}").readlink() if isinstance(place, int) else Path(str(place))
            result = None if call == "fsync" else real(*places, **options)  # type: ignore[operator]
            calls.append((call, named(path)))
            return real(*places, **options) if call == "fsync" else result  # type: ignore[operator]

        monkeypatch.setattr(os, call, recording)

    for call, target in (("fsync", 0), ("replace", 1), ("link", 1), ("rename", 1), ("rmdir", 0)):
        record(call, getattr(os, call), target)
    return calls
