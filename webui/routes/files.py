"""Looking through this machine's folders to choose one: names and sizes, and of pictures small copies; making one."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from trainer.config.file_names import fault_of_folder_name
from trainer.config.problems import HALF_CHARACTERS
from trainer.dataset import tree
from trainer.paths import PathError, pasted
from webui.answers import Refusal
from webui.site import Site
from webui.thumbnails import thumbnail_path

MOST_ENTRIES = 1000
MOST_NAMES = 20_000  # read in all to count the pictures of subfolders
PICTURES_SHOWN = 24


class NewFolder(BaseModel):
    """A folder to make in another."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(max_length=4000)
    name: str = Field(max_length=300)


def router(site: Site) -> APIRouter:
    """GET /api/files and /api/files/places, POST /api/files/folder."""
    routes = APIRouter(prefix="/api/files")

    @routes.get("")
    def listing(
        path: str = "", kind: str = "folder", extensions: str = "", home: str = "", look: bool = False
    ) -> dict[str, Any]:
        """Folders (and files when kind is "file") of a folder; of its own folder when `path` is a file.

        home: where to begin when `path` is empty. look: for the dialog, which wants the pictures as well, and the
        nearest folder above where `path` is gone.
        """
        homes = {"train": site.train_dir, "models": site.models_dir, "output": site.output_dir}
        folder = asked = homes[home] if home in homes and not path.strip() else checked_path(site.root, path)
        if folder.is_file():
            folder = asked = folder.parent
        if look and not folder.is_dir():
            folder = next((above for above in folder.parents if above.is_dir()), folder)
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
        if look and kind == "folder":
            _count_pictures(entries[:MOST_ENTRIES])
        return {
            "path": str(folder),
            "missing": None if folder == asked else str(asked),
            "pictures": _pictures(site, folder) if look and kind == "folder" else None,
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
        return {
            "places": [{"name": name, "path": str(path)} for name, path in known if path.is_dir()],
            "recent": site.recent.all(),
        }

    @routes.post("/folder")
    def make(body: NewFolder) -> dict[str, str]:
        """Make a folder in an existing one. Its name must be one that every system can have."""
        above = checked_path(site.root, body.path)
        fault = fault_of_folder_name(body.name.strip())
        if fault:
            raise Refusal(400, f"The folder was not made: {fault}.")
        if not above.is_dir():
            raise Refusal(404, f"{above} is not a folder; check the spelling or go up with '..'.")
        folder = above / body.name.strip()
        if folder.exists():
            raise Refusal(409, f"There is a {body.name.strip()} in {above} already; choose another name.")
        folder.mkdir()
        return {"path": str(folder)}

    return routes


def _count_pictures(entries: list[dict[str, Any]]) -> None:
    """Put the number of its pictures beside each folder, as long as that means reading few names."""
    names_left = MOST_NAMES
    for entry in entries:
        if names_left > 0 and entry["folder"] and not entry["problem"]:
            names = _names(Path(entry["path"]))
            names_left -= len(names)
            entry["pictures"] = sum(tree.is_picture(name) and not tree.is_hidden(name) for name in names)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _pictures(site: Site, folder: Path) -> dict[str, Any]:
    """What the tagger, the tag editor and Train would find in the folder itself, and the first pictures."""
    leaf = next(tree.leaves(folder), tree.Leaf(folder, ()))
    shelf = site.thumbnails.register_folder(folder)
    sample = [{"name": name, "thumb": thumbnail_path(shelf, name, _changed(folder / name))}
              for name in leaf.pictures[:PICTURES_SHOWN]]  # fmt: skip
    return {"count": len(leaf.pictures), "unused": len(leaf.unused), "sample": sample}


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


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
