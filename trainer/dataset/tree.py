"""A picture folder and all below it: which files are its pictures. LIGHT.

Tagger, tag editor and the form count by these rules, so that one folder has one number of pictures. Which folders a run
trains on is in folders.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.dataset import links
from trainer.dataset.pictures import EXTENSIONS

DEEPEST = 8  # levels of subfolders
MOST_FOLDERS = 2000  # a disk chosen by mistake is not searched to its end
# kinds that people keep among their pictures and training does not read
UNUSED_PICTURES = frozenset({".gif", ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jfif", ".avif", ".psd"}) - EXTENSIONS


@dataclass(frozen=True)
class Leaf:
    """One folder with the names of the pictures that lie in it. unused: those of a kind that training does not read."""

    path: Path
    pictures: tuple[str, ...]
    unused: tuple[str, ...] = ()


def leaves(root: Path) -> Iterator[Leaf]:
    """`root` and the folders below it, parents first, by name; what cannot be opened counts as empty.

    Links to folders are not followed, links to files where they stay inside `root`.
    """
    inside = links.real(root)
    waiting = [(root, 0)]
    looked_at = 0
    while waiting and looked_at < MOST_FOLDERS:
        folder, depth = waiting.pop()
        looked_at += 1
        try:
            places = [place for place in links.look_into(folder, inside) if not is_hidden(place.name)]
        except OSError:
            continue
        files = [place.name for place in places if place.kind == "file"]
        yield Leaf(folder, tuple(filter(is_picture, files)), tuple(filter(is_unused, files)))
        if depth < DEEPEST:
            below = [place.name for place in places if place.kind == "folder" and not place.linked]
            waiting += [(folder / name, depth + 1) for name in reversed(below)]


def count_below(root: Path) -> int:
    """The pictures in the subfolders of `root`, without its own."""
    return sum(len(leaf.pictures) for leaf in leaves(root) if leaf.path != root)


def is_hidden(name: str) -> bool:
    """Files of macOS, Jupyter and the like: ._a.png, .ipynb_checkpoints, __MACOSX."""
    return name.startswith(".") or name in ("__MACOSX", "@eaDir")


def is_picture(name: str) -> bool:
    """Whether training reads files of this name as pictures."""
    return Path(name).suffix.lower() in EXTENSIONS


def is_unused(name: str) -> bool:
    """Whether it is a picture of a kind that training does not read."""
    return Path(name).suffix.lower() in UNUSED_PICTURES


def holds_pictures(folder: Path) -> bool:
    """Whether a picture lies in the folder itself."""
    try:
        return any(is_picture(entry.name) and not is_hidden(entry.name) for entry in os.scandir(folder))
    except OSError:
        return False
