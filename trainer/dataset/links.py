"""What lies in a folder of pictures, and where its links lead. LIGHT.

A data set is the folder that the user chose, which may itself be a link. Below it a link is followed as long as it
stays inside. One that leads outside could carry any text of this machine into a LoRA's public metadata, or have a
tagger write over it, so it is passed over and named, as are links that lead nowhere and what is no file (pipes,
sockets, devices), for which a reader would wait for ever. Tagger, trainer, tag editor and thumbnails ask here.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.config.file_names import is_device

Kind = Literal["file", "folder", "missing", "outside", "broken", "special"]

# the end of a sentence that begins with the path
REASONS: dict[Kind, str] = {
    "folder": "is a folder, not a file",
    "missing": "is not there",
    "outside": "is a link that leads outside the data set, which is not followed; put a copy in its place",
    "broken": "is a link that leads nowhere; remove it, or bring back what it leads to",
    "special": "is a pipe, socket or device, not a file; remove it",
}


@dataclass(frozen=True)
class Place:
    """One name in a folder, and what is there once links are followed. linked: the name itself is a link."""

    name: str
    kind: Kind
    linked: bool = False


def real(folder: Path) -> Path:
    """The folder with every link followed; as it is given where that cannot be told."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle, before Python 3.13
        return folder.absolute()


def inside(root: Path, path: Path) -> bool:
    """Whether `path`, with every link followed, lies in `root` (itself `real`)."""
    try:
        path.resolve().relative_to(root)
    except (ValueError, OSError, RuntimeError):
        return False
    return True


def kind_of(path: Path, root: Path) -> Kind:
    """What `path` is, every link followed, also those among its folders. root: the data set, itself `real`.

    Never raises.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return "broken" if _is_link(path) else "missing"
    if not inside(root, path):
        return "outside"
    return _kind_of_mode(mode)


def look_into(folder: Path, root: Path) -> list[Place]:
    """Every name in a folder, sorted, with what it is. Only links cost a look of their own.

    Raises OSError when the folder cannot be listed.
    """
    with os.scandir(folder) as entries:
        found = [_place(entry, folder, root) for entry in entries]
    return sorted(found, key=lambda place: place.name)


def _place(entry: os.DirEntry[str], folder: Path, root: Path) -> Place:
    linked = entry.is_symlink()
    if sys.platform == "win32" and is_device(entry.name):  # opening it would wait for the device
        return Place(entry.name, "special", linked)
    try:
        if linked:
            return Place(entry.name, kind_of(folder / entry.name, root), linked)
        if entry.is_dir():
            # Windows has links to folders that do not call themselves links (junctions)
            away = sys.platform == "win32" and not inside(root, folder / entry.name)
            return Place(entry.name, "outside" if away else "folder", away)
        return Place(entry.name, "file" if entry.is_file() else "special")
    except OSError:  # gone meanwhile, or not to be asked: whoever opens it says why
        return Place(entry.name, "file", linked)


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _kind_of_mode(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "special"
