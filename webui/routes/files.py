"""Looking through this machine's folders to choose one: names and sizes only, never content."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from trainer.config.problems import HALF_CHARACTERS
from trainer.paths import PathError, pasted
from webui.answers import Refusal
from webui.site import Site

MOST_ENTRIES = 1000


def router(site: Site) -> APIRouter:
    """GET /api/files and /api/files/places."""
    routes = APIRouter(prefix="/api/files")

    @routes.get("")
    def listing(path: str = "", kind: str = "folder", extensions: str = "") -> dict[str, Any]:
        """Folders (and files when kind is "file") of a folder; of the nearest existing parent when `path` is a file."""
        folder = checked_path(site.root, path)
        if folder.is_file():
            folder = folder.parent
        if not folder.is_dir():
            raise Refusal(404, f"{folder} is not a folder; check the spelling or go up with '..'.")
        wanted = tuple(part.strip().lower() for part in extensions.split(",") if part.strip())
        try:
            entries = _entries(folder, kind == "file", wanted)
        except PermissionError:
            raise Refusal(
                403, f"{folder} may not be read by the user that runs Athanor; choose another folder."
            ) from None
        except OSError as error:
            raise Refusal(400, f"{folder} cannot be read: {error.strerror or error}") from None
        return {
            "path": str(folder),
            "parent": None if folder.parent == folder else str(folder.parent),
            "entries": entries[:MOST_ENTRIES],
            "more": max(0, len(entries) - MOST_ENTRIES),
        }

    @routes.get("/places")
    def places() -> dict[str, Any]:
        """Folders to begin at: ours, the home folder, the drives of Windows."""
        known = [
            ("Athanor", site.root), ("Data sets", site.train_dir), ("Base models", site.models_dir),
            ("Output", site.output_dir), ("Home", Path.home()),
        ]  # fmt: skip
        if sys.platform == "win32":
            known += [(f"{letter}:", Path(f"{letter}:\\")) for letter in string.ascii_uppercase]
        return {"places": [{"name": name, "path": str(path)} for name, path in known if path.is_dir()]}

    return routes


def checked_path(root: Path, text: str) -> Path:
    """An absolute path from what a person typed or pasted; relative ones start at `root`.

    Refuses network paths, and what trainer/paths.py refuses.
    """
    try:
        path = pasted(text)
    except PathError as error:
        raise Refusal(400, f"{error}.") from None
    if path.replace("\\", "/").startswith("//"):
        raise Refusal(400, f"{path[:80]} is a network path; give it a drive letter or mount it, then choose that.")
    return Path(os.path.abspath(root / path))


def _entries(folder: Path, files: bool, extensions: tuple[str, ...]) -> list[dict[str, Any]]:
    """Folders first, then files of the wanted kinds, each by name; hidden ones are left out."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "$")):
                continue
            try:
                is_folder = entry.is_dir()
                if not is_folder and not (files and entry.is_file() and entry.name.lower().endswith(extensions or "")):
                    continue
                size = 0 if is_folder else entry.stat().st_size
            except OSError:
                continue
            path = str(folder / entry.name)
            found.append(
                {"name": entry.name, "path": path, "folder": is_folder, "size": size, "problem": _no_choice(path)}
            )
    return sorted(found, key=lambda entry: (not entry["folder"], str(entry["name"]).casefold()))


def _no_choice(path: str) -> str | None:
    """Why a file or folder cannot be chosen: its path would not be read again as it is."""
    if HALF_CHARACTERS.search(path):
        return "This name is not UTF-8; rename it, then choose it."
    try:
        same = pasted(path) == path
    except PathError:
        same = False
    return (
        None
        if same
        else "This name holds control characters, or blanks or quotes at an end; rename it, then choose it."
    )
