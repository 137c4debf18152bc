"""The folders that the tag editor has open: found again by id, also after a restart of the page. LIGHT.

An id stands for a folder and how it was opened, so that no request but "open" carries a path (SAFETY R5).
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import itertools
import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.atomic import atomic_write, sweep
from trainer.jsontext import parse
from trainer.leftovers import sweep_tree
from webui import tagfiles
from webui.tagfiles import Draft, FolderError, Returns
from webui.tagsave import Saver
from webui.tagstore import CaptionPlace, Store

RECENT = 12
KEPT_OPEN = 6


@dataclass(frozen=True)
class Opened:
    """One open folder with what belongs to it."""

    id: str
    store: Store
    saver: Saver
    returns: Returns


class OpenFolders:
    """All open folders of one page. state: the folder for drafts, old texts and the list of recent folders."""

    def __init__(self, state: Path) -> None:
        self.state = state / "captions"
        self._opened: dict[str, Opened] = {}
        self._drafts: dict[Path, tuple[int, Path]] = {}  # a draft's time, and the folder that it is of
        self._lock = threading.RLock()
        atexit.register(self.keep_drafts)

    def open(self, folder: Path, recursive: bool | None, extension: str) -> Opened:
        """The folder, read anew or refreshed. recursive None: subfolders only where the folder itself has no picture.

        Raises FolderError when it cannot be listed or `extension` is none of CAPTION_EXTENSIONS.
        """
        if extension not in tagfiles.CAPTION_EXTENSIONS:
            raise FolderError(f"Captions end in {' or '.join(tagfiles.CAPTION_EXTENSIONS)}, not {extension!r}")
        if recursive is None:
            recursive = not tagfiles.list_folder(folder, False, extension).pictures
        with self._lock:
            opened = self._held(folder, recursive, extension)
            self._note(opened.id, folder, recursive, extension)
            return opened

    def _held(self, folder: Path, recursive: bool, extension: str) -> Opened:
        """The folder in memory, read anew or refreshed."""
        name = _identity(folder, recursive, extension)
        with self._lock:
            opened = self._opened.get(name)
            if opened is None:
                (sweep_tree if recursive else sweep)(folder)  # what a killed program left beside the captions
                opened = self._opened[name] = self._read(name, folder, recursive, extension)
                self._forget_some(name)
            else:
                opened.store.refresh()
            return opened

    def get(self, name: str) -> Opened:
        """The open folder of this id; one from before a restart is opened again. Raises FolderError when unknown."""
        opened = self._opened.get(name)
        if opened is not None:
            return opened
        entry = next((entry for entry in self.recent() if entry["id"] == name), None)
        if entry is None:
            raise FolderError("This folder is not open: open it again with its path")
        folder = tagfiles.plain_folder(entry["path"], Path(entry["path"]))
        return self.open(folder, entry["recursive"], entry["extension"])

    def recent(self) -> list[dict[str, Any]]:
        """Folders opened before, newest first: id, path, recursive, extension, time."""
        try:
            entries = parse((self.state / "folders.json").read_text(encoding="utf-8"))
            return [
                {
                    "id": str(entry["id"]),
                    "path": str(entry["path"]),
                    "recursive": bool(entry["recursive"]),
                    "extension": str(entry["extension"]),
                    "time": float(entry["time"]),
                }
                for entry in entries
            ]
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return []

    def unsaved(self, places: Collection[CaptionPlace]) -> int:
        """How many caption files that a run over `places` would read have unsaved edits, those from before a restart
        among them."""
        names = {opened.store.folder / opened.store.rows[n].picture.caption
                 for opened in self._with_edits(places) for n in opened.store.unsaved_in(places)}  # fmt: skip
        return len(names)

    def save(self, places: Collection[CaptionPlace]) -> list[str]:
        """Write the unsaved captions that a run over `places` would read, and wait for the end.

        Returns the names of those that are still unsaved: changed on disk too, or not to be written.
        """
        left = []
        for opened in self._with_edits(places):
            opened.saver.wait()
            opened.saver.start(places=places)
            opened.saver.wait()
            with opened.store.lock:
                left += [opened.store.rows[n].picture.caption for n in opened.store.unsaved_in(places)]
        return left

    def _with_edits(self, places: Collection[CaptionPlace]) -> list[Opened]:
        """The folders with unsaved edits in `places`; those that only have a draft are opened again."""
        folders = {folder for folder, _ in places}
        for path in self.state.glob("drafts/*.json"):
            if path.stem in self._opened or not any(Path(one).is_relative_to(self._of_draft(path)) for one in folders):
                continue
            for recursive, extension in itertools.product((False, True), tagfiles.CAPTION_EXTENSIONS):
                folder = self._of_draft(path)
                if _identity(folder, recursive, extension) == path.stem:
                    with contextlib.suppress(FolderError):
                        self._held(tagfiles.plain_folder(str(folder), folder), recursive, extension)
        return [opened for opened in list(self._opened.values()) if opened.store.unsaved_in(places)]

    def _of_draft(self, path: Path) -> Path:
        """The folder that a draft is of; a path that nothing lies below when it cannot be read."""
        try:
            seen = path.stat().st_mtime_ns
            known = self._drafts.get(path)
            if known is None or known[0] != seen:
                folder = Path(str(parse(path.read_text(encoding="utf-8"))["folder"]))
                known = self._drafts[path] = (seen, folder)
            return known[1]
        except (OSError, ValueError, KeyError, TypeError):
            return path / "nothing"

    def keep_drafts(self) -> None:
        """Write what is unsaved to disk now; called when the page process ends."""
        for opened in list(self._opened.values()):
            opened.store.keep_draft()

    def _read(self, name: str, folder: Path, recursive: bool, extension: str) -> Opened:
        store = Store(folder, recursive, extension, Draft(self.state / "drafts" / f"{name}.json"))
        returns = Returns(self.state / "returns" / name)
        return Opened(name, store, Saver(store, returns), returns)

    def _forget_some(self, newest: str) -> None:
        """Drop the store opened longest ago from memory; what it holds unsaved is in its draft."""
        for name, opened in list(self._opened.items()):
            if len(self._opened) <= KEPT_OPEN:
                return
            if name != newest and not opened.store.saving:
                opened.store.keep_draft()
                del self._opened[name]

    def _note(self, name: str, folder: Path, recursive: bool, extension: str) -> None:
        this = {
            "id": name, "path": str(folder), "recursive": recursive, "extension": extension, "time": time.time(),
        }  # fmt: skip
        entries = [this, *(entry for entry in self.recent() if entry["id"] != name)][:RECENT]
        self.state.mkdir(parents=True, exist_ok=True)
        atomic_write(self.state / "folders.json", json.dumps(entries, indent=1))


def _identity(folder: Path, recursive: bool, extension: str) -> str:
    identity = json.dumps([str(folder), recursive, extension], ensure_ascii=False)
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
