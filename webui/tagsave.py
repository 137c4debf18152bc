"""Writing the unsaved captions of a Store: in a thread, old texts kept first, others' changes left alone. LIGHT."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.atomic import WriteError, atomic_write
from webui import tagfiles
from webui.tagfiles import Disk, FolderError, Form, Returns
from webui.tagstore import CaptionPlace, Store

FAILURES_SHOWN = 100
AT_ONCE = 8


@dataclass
class Progress:
    """How far a save is, counted in caption files. failed: (picture number, message) of the first `failures`."""

    number: int = 0  # 1 for the first save since the folder was opened, so that a watcher tells one from the next
    running: bool = False
    total: int = 0
    done: int = 0
    written: int = 0
    conflicts: int = 0
    failures: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)
    error: str | None = None


class Saver:
    """Saves one store, one save at a time."""

    def __init__(self, store: Store, returns: Returns) -> None:
        self.store, self.returns = store, returns
        self.progress = Progress()
        self._thread: threading.Thread | None = None

    def start(self, rev: int | None = None, places: Collection[CaptionPlace] | None = None) -> bool:
        """Write every unsaved caption, in a thread; False when a save is running or nothing is unsaved.

        places: only the captions there. Raises Stale when `rev` is not the store's.
        """
        store = self.store
        with store.lock:
            store.expect(rev)
            first = [n for n in sorted(store.dirty) if store.twins.get(n, (n,))[0] == n]
            if places is not None:
                first = store.unsaved_in(places)
            if store.saving or not first:
                return False
            store.saving = True
            self.progress = Progress(number=self.progress.number + 1, running=True, total=len(first))
        self._thread = threading.Thread(target=self._run, args=(first,), name="save captions", daemon=True)
        self._thread.start()
        return True

    def wait(self, timeout_seconds: float | None = None) -> Progress:
        """The progress once the running save has ended (or the time is over)."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return self.progress

    def state(self) -> dict[str, Any]:
        """The progress as JSON; failures carry the picture's number, its name and the message."""
        with self.store.lock:
            progress, rows = self.progress, self.store.rows
            failed = [
                {"picture": n, "name": rows[n].picture.name, "message": words}
                for n, words in progress.failed
                if n < len(rows)
            ]
            return {**vars(progress), "failed": failed}

    def _run(self, numbers: list[int]) -> None:
        try:
            ready = self._keep_old(numbers)
            # Nearly all the time is spent waiting for the disk to confirm; it confirms several files at once.
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="save captions") as pool:
                for _ in pool.map(self._save_one, ready):
                    pass
        except (OSError, FolderError) as error:
            self.progress.error = str(error)
        finally:
            with self.store.lock:
                self.progress.running = self.store.saving = False
                self.store.touch()

    def _keep_old(self, numbers: list[int]) -> list[int]:
        """Put the texts about to be replaced aside; returns the pictures whose file is still what it was."""
        ready: list[int] = []
        before: dict[str, str | None] = {}
        for n in numbers:
            name = self.store.rows[n].picture.caption
            disk = tagfiles.read_disk(self.store.folder, name)
            if self._unchanged(n, disk):
                before[name] = disk.whole
                ready.append(n)
        if before:
            self.returns.keep(self.store.folder, before)
        return ready

    def _unchanged(self, n: int, disk: Disk) -> bool:
        """Whether the file of `n` is what the store last saw; if not, it becomes a conflict or a failure."""
        with self.store.lock:
            row = self.store.rows[n]
            if row.conflict is None and disk.digest == row.disk.digest and disk.problem is None:
                return True
            if disk.problem and disk.digest is None:
                self._fail(n, disk.problem)
                return False
            for twin in self.store.with_twins([n]):
                self.store.meet(twin, disk)
            self.progress.done += 1
            self.progress.conflicts += n in self.store.clashing
            return False

    def _save_one(self, n: int) -> None:
        """Write one caption. Whatever keeps it from disk is a failure of this one; the others go on."""
        store = self.store
        with store.lock:
            row = store.rows[n]
            name, text, form = row.picture.caption, row.text, row.form
            if form is None and row.disk.marked:
                form = "marked"  # a program of the user may need the byte order mark
        path = store.folder / name
        if not self._unchanged(n, tagfiles.read_disk(store.folder, name)):
            return
        try:
            # a link stays a link, as in a tagging run: what it leads to is written, inside the folder only
            target = path.resolve() if path.is_symlink() else path
            if not tagfiles.inside(store.folder, target if path.is_symlink() else path.parent):
                raise FolderError(f"{path} no longer lies in the opened folder and was not written")
            _write(target, text, form)
        except (WriteError, FolderError) as error:
            self._fail(n, str(error))
            return
        except (OSError, ValueError) as error:
            self._fail(n, f"{path} was not written: {getattr(error, 'strerror', None) or error}")
            return
        disk = tagfiles.read_disk(store.folder, name)
        with store.lock:
            store.written(n, disk)
            self.progress.done += 1
            self.progress.written += 1

    def _fail(self, n: int, message: str) -> None:
        with self.store.lock:
            self.progress.done += 1
            self.progress.failures += 1
            if len(self.progress.failed) < FAILURES_SHOWN:
                self.progress.failed.append((n, message))


def _write(path: Path, text: str, form: Form | None) -> None:
    """Make the caption file what was asked for: this text, or no file where there was none before."""
    if form == "none":
        path.unlink(missing_ok=True)
    else:
        atomic_write(path, tagfiles.MARK + text if form == "marked" else text)
