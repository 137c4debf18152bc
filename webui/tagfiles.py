"""The disk side of the tag editor: pictures and captions of a folder, drafts, old texts kept for return. LIGHT.

Nothing here knows about undo or filters (tagstore.py). Captions are written inside the opened folder only; drafts and
old texts live in the page's own state folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from trainer.atomic import atomic_write
from trainer.dataset import caption_files, captions, tree
from trainer.dataset.caption_files import CaptionFiles
from trainer.dataset.links import inside, kind_of
from trainer.filesystem import is_folder
from trainer.jsontext import parse, presentable
from trainer.paths import PathError, pasted

CAPTION_EXTENSIONS = (".txt", ".caption")
LARGEST_CAPTION_BYTES = 256 * 1024
MOST_PICTURES = 200_000
RETURNS_KEPT = 50

# What a caption file is beside its text: there is none, the text alone, or the text behind a byte order mark.
Form = Literal["none", "plain", "marked"]
Unsaved = tuple[str, "str | None", "Form | None"]  # text, digest of the file it was based on, what the file shall be
MARK = "\ufeff"

_DIGITS = re.compile(r"([0-9]+)")
_ASCII_DIGITS = "0123456789"


class FolderError(ValueError):
    """A folder that cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in an opened folder. name: its path inside the folder with forward slashes. caption: likewise."""

    name: str
    caption: str
    modified_ns: int
    size: int

    @property
    def folder(self) -> str:
        """The subfolder, "" for the opened folder itself."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Disk:
    """What a caption file was when it was last looked at. text None: there is no file, or `problem` says why not."""

    text: str | None
    stamp: tuple[int, int] | None = None  # (mtime_ns, bytes): a quick look that spares reading
    digest: str | None = None
    problem: str | None = None
    marked: bool = False

    @property
    def form(self) -> Form:
        """What the file is beside its text."""
        if self.text is None:
            return "none"
        return "marked" if self.marked else "plain"

    @property
    def whole(self) -> str | None:
        """The text with the byte order mark that the file may have; None without a file."""
        return self.text if self.text is None or not self.marked else MARK + self.text


def parted(whole: str | None) -> tuple[str, Form]:
    """The text and the form of a caption that was kept as `Disk.whole`."""
    if whole is None:
        return "", "none"
    return (whole[1:], "marked") if whole.startswith(MARK) else (whole, "plain")


@dataclass
class Listing:
    """A folder as found: pictures by name, captions without a picture.

    outside: links that are not followed, since they lead out of the folder, nowhere, or to a subfolder.
    unused: pictures of a kind that training does not read.
    """

    pictures: list[Picture] = field(default_factory=list)
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)  # caption name -> (mtime_ns, bytes)
    orphans: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def plain_folder(path: str, root: Path) -> Path:
    """The folder that a person typed, absolute and resolved. Raises FolderError with the cure.

    Relative paths start at the project's root. Network paths (\\\\host\\share) are refused: opening one would send the
    user's Windows password hash to whoever named it.
    """
    try:
        text = pasted(path)
    except PathError as error:
        raise FolderError(str(error)) from None
    if not text:
        raise FolderError("No folder was given: type a path or choose one")
    if text.replace("\\", "/").startswith("//"):
        raise FolderError(f"{text}: network paths are not opened; copy the pictures to a folder of this machine")
    folder = root / text
    try:
        folder = folder.resolve(strict=True)
        if not folder.is_dir():
            raise FolderError(f"{folder} is a file; give the folder it is in: {folder.parent}")
        os.scandir(folder).close()
    except FileNotFoundError:
        raise FolderError(f"{folder} does not exist; check the spelling or choose the folder with Browse") from None
    except OSError as error:
        raise FolderError(f"{folder} cannot be opened: {error.strerror or error}") from error
    except RuntimeError:
        raise FolderError(f"{folder} is a link that leads in a circle; choose another folder") from None
    return folder


def list_folder(folder: Path, recursive: bool, extension: str) -> Listing:
    """Pictures in natural order with their caption names. Links to folders are not followed, hidden files skipped.

    Raises FolderError when the folder holds more than MOST_PICTURES.
    """
    listing = Listing()
    for prefix, entries in _walk(folder, recursive):
        files = caption_files.find(folder / prefix, [entry.name for entry in entries], extension)
        stems: set[str] = set()
        for entry in entries:
            stem = entry.name.rpartition(".")[0]
            if recursive and entry.is_symlink() and is_folder(folder / prefix / entry.name):
                listing.outside.append(prefix + entry.name)
                continue
            if tree.is_unused(entry.name):
                stems.add(stem)  # its caption has a picture, if one that is not read
                listing.unused.append(prefix + entry.name)
            if not tree.is_picture(entry.name):
                continue
            status = _status(entry, folder, prefix, listing)
            if status is not None:
                stems.add(stem)
                caption = files.of(stem) or f"{stem}{extension}"
                listing.pictures.append(
                    Picture(prefix + entry.name, prefix + caption, status.st_mtime_ns, status.st_size)
                )
        _note_captions(prefix, entries, files, stems, listing)
        if len(listing.pictures) > MOST_PICTURES:
            raise FolderError(f"{folder} holds more than {MOST_PICTURES:,} pictures; open one of its subfolders")
    listing.pictures.sort(key=lambda picture: natural(picture.name))
    listing.orphans.sort(key=natural)
    return listing


def natural(name: str) -> list[list[tuple[int, int, str]]]:
    """Sorting key by which 2.png comes before 10.png, without regard to case; folders before what is beside them."""
    return [[_natural_piece(piece) for piece in _DIGITS.split(part)] for part in name.casefold().split("/")]


def _natural_piece(piece: str) -> tuple[int, int, str]:
    return (0, int(piece[-18:]), "") if piece[:1] in _ASCII_DIGITS and piece else (1, 0, piece)


def _walk(folder: Path, recursive: bool) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """("sub/", files of it) for the folder and, if recursive, its subfolders up to tree.DEEPEST deep."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(folder / prefix) as scan:
                entries = sorted((e for e in scan if not tree.is_hidden(e.name)), key=lambda e: e.name)
        except OSError:
            continue
        yield prefix, [e for e in entries if not e.is_dir(follow_symlinks=False)]
        if recursive and prefix.count("/") < tree.DEEPEST:
            waiting += [f"{prefix}{e.name}/" for e in reversed(entries) if e.is_dir(follow_symlinks=False)]


def _status(entry: os.DirEntry[str], folder: Path, prefix: str, listing: Listing) -> os.stat_result | None:
    """The status of a regular file inside `folder`; None (and a note) for links that leave it or lead nowhere, None
    for pipes."""
    try:
        kind = kind_of(folder / prefix / entry.name, folder) if entry.is_symlink() else "file"
        if kind in ("outside", "broken"):
            listing.outside.append(prefix + entry.name)
            return None
        return entry.stat() if entry.is_file() else None
    except OSError:
        return None


def _note_captions(
    prefix: str, entries: list[os.DirEntry[str]], files: CaptionFiles, stems: set[str], listing: Listing
) -> None:
    unused = files.unused(stems)
    listing.orphans += [prefix + name for name in unused]
    used = {files.of(stem) for stem in stems}
    for entry in entries:
        if entry.name in used:
            with contextlib.suppress(OSError):
                status = entry.stat()
                listing.stamps[prefix + entry.name] = (status.st_mtime_ns, status.st_size)


def read_disk(folder: Path, name: str) -> Disk:
    """The caption file as it is now. Never raises for a bad file: `problem` then says what is wrong with it."""
    path = folder / name
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            if not inside(folder, path):
                return Disk(None, problem=f"{name} is a link that leads outside this folder; it is not opened")
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would make the read wait for ever
            return Disk(None, problem=f"{name} is not a regular file; move it away to write a caption here")
        stamp = (status.st_mtime_ns, status.st_size)
        if status.st_size > LARGEST_CAPTION_BYTES:
            limit = LARGEST_CAPTION_BYTES >> 10
            return Disk(None, stamp, problem=f"{name} has {status.st_size:,} bytes; a caption has at most {limit} KiB")
        data = path.read_bytes()
    except FileNotFoundError:
        return Disk(None)
    except OSError as error:
        return Disk(None, problem=f"{name} cannot be read: {error.strerror or error}")
    digest = hashlib.sha256(data).hexdigest()
    try:
        text, form = parted(data.decode("utf-8"))
    except UnicodeDecodeError:
        text, form = "\0", "plain"
    if "\0" in text:
        return Disk(None, stamp, digest, _why_unreadable(path))
    return Disk(text, stamp, digest, marked=form == "marked")


def _why_unreadable(path: Path) -> str:
    try:
        captions.read_caption(path)
    except captions.CaptionError as error:
        return str(error)
    return f"{path.name} changed while it was being read; open the folder again"


@dataclass(frozen=True)
class Draft:
    """Unsaved texts kept across a restart, by caption name."""

    path: Path

    def write(self, folder: Path, edits: Mapping[str, Unsaved]) -> None:
        """Keep `edits`, replacing what was kept; with none, remove the file."""
        if not edits:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"folder": str(folder), "edits": {name: list(edit) for name, edit in edits.items()}}
        atomic_write(self.path, json.dumps(content))  # ASCII: file names need not be valid Unicode

    def read(self) -> dict[str, Unsaved]:
        """What was kept; nothing when there is no file. A damaged file is set aside under another name."""
        try:
            content = parse(self.path.read_text(encoding="utf-8"))
            return {
                str(name): (str(text), digest, _known(*form))
                for name, (text, digest, *form) in content["edits"].items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            with contextlib.suppress(OSError):
                self.path.replace(self.path.with_suffix(".damaged"))
            return {}


def _known(form: object = None, *others: object) -> Form | None:
    """The form in a draft; older drafts have none."""
    return form if form in get_args(Form) else None  # type: ignore[return-value]


@dataclass(frozen=True)
class Returns:
    """Old caption texts, one file a save, so that a save can be taken back later. The newest RETURNS_KEPT stay."""

    path: Path

    def keep(self, folder: Path, before: Mapping[str, str | None]) -> str:
        """Write what a save is about to replace (`Disk.whole` by caption name); returns the name of the file."""
        self.path.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = next(
            candidate
            for candidate in (stamp, *(f"{stamp}-{n}" for n in range(2, 10_000)))
            if not (self.path / f"{candidate}.json").exists()
        )
        content = {"folder": str(folder), "time": time.time(), "captions": dict(before)}
        atomic_write(self.path / f"{name}.json", json.dumps(content))
        for old in sorted(self.path.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)[:-RETURNS_KEPT]:
            old.unlink(missing_ok=True)
        return name

    def listing(self) -> list[dict[str, Any]]:
        """[{name, time (unix seconds), captions (how many)}], newest first."""
        found = []
        for path in self._files():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                content = parse(path.read_text(encoding="utf-8"))
                if not presentable(content["time"]):
                    continue
                found.append({"name": path.stem, "time": content["time"], "captions": len(content["captions"])})
        return sorted(found, key=lambda entry: (entry["time"], natural(entry["name"])), reverse=True)

    def read(self, name: str) -> dict[str, str | None]:
        """Caption name -> `Disk.whole` before that save. Raises FolderError when `name` is none of ours or damaged."""
        path = next((path for path in self._files() if path.stem == name), None)
        if path is None:
            raise FolderError("This kept version is gone; open the list again")
        try:
            captions = dict(parse(path.read_text(encoding="utf-8"))["captions"])
            if not all(whole is None or isinstance(whole, str) for whole in captions.values()):
                raise TypeError("a caption in it is no text")
            return captions
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{path} cannot be read ({error}); it was left as it is") from error

    def _files(self) -> Iterable[Path]:
        return list(self.path.glob("*.json")) if self.path.is_dir() else []
