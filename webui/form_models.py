"""The base models in the models folder, for the field that names one. LIGHT: only headers are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from webui.form_report import MODEL_ADDRESS, describe_model

EXTENSIONS = (".safetensors", ".ckpt")
DIFFUSERS_FILE = "model_index.json"
MOST_LISTED = 100


def base_models(root: Path, folder: Path) -> dict[str, Any]:
    """{folder, models, more}: what lies there and one folder below, those that can be trained first, then by name.

    folder and path are relative to `root` where they are in it. more: how many are not listed.
    """
    found = sorted(_places(folder), key=lambda place: place.name.casefold())
    listed = [_told(root, place) for place in found[:MOST_LISTED]]
    listed.sort(key=lambda model: not model["good"])
    return {"folder": _shown(root, folder), "models": listed, "more": max(0, len(found) - MOST_LISTED)}


def _places(folder: Path, below: int = 1) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        place = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if place.suffix.lower() in EXTENSIONS:
                yield place
        elif (place / DIFFUSERS_FILE).is_file():
            yield place
        elif below:
            yield from _places(place, below - 1)


def _told(root: Path, place: Path) -> dict[str, Any]:
    try:
        status = place.stat()
    except OSError:
        status = None
    path = _shown(root, place)
    told = _described(root, path, (status.st_mtime_ns, status.st_size) if status else None)
    return {"name": place.name, "path": path, **{key: told[key] for key in ("good", "title", "bytes", "problem")}}


@lru_cache(maxsize=4 * MOST_LISTED)
def _described(root: Path, path: str, seen: tuple[int, int] | None) -> dict[str, Any]:
    """seen: time and size of the file, so that one that is still being copied is read anew."""
    return describe_model(root, MODEL_ADDRESS, path)


def _shown(root: Path, place: Path) -> str:
    return f"./{place.relative_to(root).as_posix()}" if place.is_relative_to(root) else str(place)
