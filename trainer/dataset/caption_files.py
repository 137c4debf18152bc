"""Which file of a folder is the caption of a picture. LIGHT. What stands in it is read by captions.py.

Trainer, tagger and tag editor ask here, so that none of them passes over a caption or writes a second one beside it.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.filesystem import entry_is_folder

_OTHER_CASE = str.maketrans(
    string.ascii_letters, "".join(letter.swapcase() for letter in string.ascii_letters)
)  # not str.swapcase: file systems fold letters of other scripts each in its own way


@dataclass(frozen=True)
class CaptionFiles:
    """The caption files of a folder. by_stem: their names; folds: whether `A` and `a` are one name on this disk."""

    by_stem: Mapping[str, str]
    others: tuple[str, ...]
    folds: bool

    def of(self, stem: str) -> str | None:
        """The name of the caption of the picture `stem`.png, None when it has none."""
        return self.by_stem.get(stem.casefold() if self.folds else stem)

    def unused(self, stems: Iterable[str]) -> list[str]:
        """Names of caption files that belong to none of the pictures, in order."""
        taken = {self.of(stem) for stem in stems}
        return sorted([*self.others, *(name for name in self.by_stem.values() if name not in taken)])


def dotted(extension: str) -> str:
    """`txt` and `.txt` -> `.txt`."""
    return "." + extension.strip().lstrip(".")


def find(folder: Path, names: Iterable[str], extension: str, folds: bool | None = None) -> CaptionFiles:
    """The caption files among `names`, which lie in `folder`: the picture's own name and the extension.

    The extension's case does not matter: sd-scripts, on a disk that tells `0.TXT` from `0.txt`, trains without the
    former. Where both are there, the one written as asked is the caption and the other is in `others`. folds: what is
    known about the disk; None tries it.
    """
    names = list(names)
    folds = folds_case(folder, names) if folds is None else folds
    extension = dotted(extension)
    by_stem: dict[str, str] = {}
    others: list[str] = []
    ending = extension.lower()
    found = [name for name in names if name.lower().endswith(ending)]
    for name in sorted(found, key=lambda name: (not name.endswith(extension), name)):
        stem = name[: -len(extension)]
        if name != by_stem.setdefault(stem.casefold() if folds else stem, name):
            others.append(name)
    return CaptionFiles(by_stem, tuple(others), folds)


def look(folder: Path, extension: str) -> CaptionFiles:
    """The caption files of a folder as it is now; none when it cannot be opened."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and not entry_is_folder(entry)]
    except OSError:
        names = []
    return find(folder, names, extension)


def folds_case(folder: Path, names: Iterable[str]) -> bool:
    """Whether the folder's disk takes `A.txt` and `a.txt` for one file, tried with the first of `names` it can be."""
    known = set(names)
    for name in sorted(known):
        other = name.translate(_OTHER_CASE)
        if other not in known:
            return os.path.lexists(folder / other)
    return False
