"""A tagging run (or a tagger's download) is a directory; this module knows its files and nothing else does. LIGHT.

    settings.json   what was asked for
    process.json    pid, process start time, command
    events.jsonl    run -> page: started, phase, picture, then finished, stopped or failed
    journal.jsonl   the text of every caption before the run changed it, synced before the change; undo reads it
    undone.json     what an undo did
    log.txt         stdout and stderr, for people
    requests/stop   page -> run

The process, requests and state are those of a training job (trainer.job.Job): derived, never stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from trainer.atomic import WriteError, atomic_write
from trainer.dataset import links
from trainer.job import ID_PATTERN, Job, name_in_id
from trainer.jsontext import parse, presentable

DEFAULT_RUNS_DIR = Path(".athanor") / "tagging"


class RunError(ValueError):
    """A run cannot be found, started or undone; the text says which and why."""


@dataclass(frozen=True)
class Run:
    """The directory of one run."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def job(self) -> Job:
        """The same directory as a job: its process, requests, events and state."""
        return Job(self.path)

    @property
    def journal_path(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def undone_path(self) -> Path:
        return self.path / "undone.json"

    @classmethod
    def create(cls, runs_dir: Path, name: str, settings: dict[str, Any]) -> Run:
        """Make a new directory `<date>-<time>-<name>`, never an existing one, and write settings.json."""
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{name_in_id(name) or 'run'}"
        runs_dir.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            run = cls(runs_dir / (f"{stem}~{attempt}" if attempt else stem))
            try:
                run.path.mkdir()
            except FileExistsError:
                continue
            (run.path / "requests").mkdir()
            atomic_write(run.path / "settings.json", json.dumps(settings, ensure_ascii=False, indent=1))
            return run
        raise RunError(f"{runs_dir}: 1000 runs named {stem} exist already")

    def settings(self) -> dict[str, Any]:
        """What the run was asked for; empty when the file is missing or damaged."""
        return _read_object(self.path / "settings.json")

    def undone(self) -> dict[str, Any] | None:
        """What the last undo reported, or None when the run was never undone."""
        return _read_object(self.undone_path) or None


def find_run(runs_dir: Path, run_id: str) -> Run | None:
    """The run of that id, or None; an id that is not a plain run name finds nothing."""
    run = Run(runs_dir / run_id)
    return run if ID_PATTERN.fullmatch(run_id) and run.path.is_dir() else None


def list_runs(runs_dir: Path) -> list[Run]:
    """All runs of a folder, newest first."""
    try:
        names = [path.name for path in runs_dir.iterdir() if ID_PATTERN.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return []
    return [Run(runs_dir / name) for name in sorted(names, reverse=True)]


class Journal:
    """Remembers what stood in a caption before it is changed. One line a caption, on disk before `note` returns."""

    def __init__(self, path: Path) -> None:
        self._stream: BinaryIO = path.open("ab")

    def note(self, caption: Path, before: bytes | None, after: bytes) -> None:
        """before: the file's bytes, None when there was no file. They must be UTF-8, as captions.py made sure."""
        text = None if before is None else before.decode("utf-8")
        line = {"caption": str(caption.resolve()), "before": text, "after_sha256": _digest(after)}
        self._stream.write(json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        self._stream.close()


def undo(run: Run, progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Bring back every caption as it stood before the run, and write and return what was done.

    {"restored": n, "removed": n, "unchanged": n, "conflicts": [{"caption", "message"}]}: a caption that was changed
    since is left alone and reported; one that already is what it was counts as unchanged, so that an undo that was cut
    short can be repeated. progress(done, total) is called after each caption. Raises RunError while the run is going,
    and when it changed nothing.
    """
    if run.job.state() == "running":
        raise RunError("this run is still going; stop it first, then undo it")
    if not run.journal_path.is_file():
        raise RunError("this run changed no captions; there is nothing to undo")
    report: dict[str, Any] = {"restored": 0, "removed": 0, "unchanged": 0, "conflicts": []}
    with run.journal_path.open("rb") as stream:
        total = sum(1 for _ in stream)
    for done, (caption, before, digest) in enumerate(_entries(run.journal_path), 1):
        progress(done, total)
        try:
            report[_restore(caption, before, digest)] += 1
        except (OSError, ValueError) as error:
            told = isinstance(error, (RunError, WriteError))
            message = str(error) if told else getattr(error, "strerror", None) or str(error)
            name = str(caption).encode("utf-8", "replace").decode("utf-8")
            report["conflicts"].append({"caption": name, "message": message})
    report["time"] = round(time.time(), 3)
    atomic_write(run.undone_path, json.dumps(report, ensure_ascii=False, indent=1))
    return report


def _restore(caption: Path, before: bytes | None, digest: str) -> str:
    """Bring back one caption; returns what was done: restored, removed or unchanged. Raises RunError on a conflict."""
    if links.real(caption) != caption:  # where the run wrote, nothing was a link
        raise RunError("the caption, or a folder above it, is a link now; left as it is")
    now = caption.read_bytes() if caption.is_file() else None
    if now == before:
        return "unchanged"
    if now is None:
        raise RunError("the caption was deleted since; left as it is")
    if _digest(now) != digest:
        raise RunError("the caption was changed since; left as it is")
    if before is None:
        caption.unlink()
        return "removed"
    atomic_write(caption, before)
    return "restored"


def _entries(journal: Path) -> Iterator[tuple[Path, bytes | None, str]]:
    """(caption, bytes before or None, SHA-256 after) of each caption; a torn last line is passed over."""
    with journal.open("rb") as stream:
        for line in stream:
            try:
                entry = parse(line)
                before = entry["before"]
                content = None if before is None else before.encode("utf-8", "surrogatepass")
                yield Path(entry["caption"]), content, entry["after_sha256"]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and presentable(content) else {}
