"""A job is a directory; this module knows its files and nothing else does. LIGHT.

config.toml       the validated config; `python -m trainer train` on it repeats the run; config.1.toml is a former one
environment.json  versions, commit, GPU, driver
process.json      pid, process start time, command
events.jsonl      trainer -> page, append-only (events.py)
log.txt           stdout and stderr, for people; never parsed
requests/         page -> trainer: empty files `stop`, `save`, `sample`; removed when obeyed, `stop` becomes `stopping`
samples/ state/   previews, training states
about.json        what a person wrote on the page: a name, a note, a star; no run reads it
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from trainer.atomic import TEMPORARY_NAME, atomic_write
from trainer.events import TERMINAL, last_event
from trainer.filesystem import entry_is_folder

REQUESTS = ("stop", "save", "sample")
STOPPING = "stopping"
LOCK_NAME = ".lock"  # of whoever trains the job now
LONGEST_NAME_BYTES = 100  # of the name in an id
LONGEST_ID_BYTES = len("20261120-114200-") + LONGEST_NAME_BYTES + len("~999")
ID_PATTERN = re.compile(r"[0-9]{8}-[0-9]{6}-[\w.\-]{1,60}(?:~[0-9]+)?")


@dataclass(frozen=True)
class Process:
    """Who trains a job. `started` is the operating system's start time in unix seconds: a pid alone may be reused."""

    pid: int
    started: float
    command: tuple[str, ...]

    def alive(self) -> bool:
        """True while this very process runs (a zombie does not count)."""
        try:
            process = psutil.Process(self.pid)
            # the system counts start times from its clock: when that is set right, those of running processes move
            words = [*self.command[1:]]  # without any, every program that was started alone would be the same
            same = abs(process.create_time() - self.started) < 1.0 or (words != [] and process.cmdline()[1:] == words)
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError, ValueError, OverflowError):  # the record may hold any number
            return False


@dataclass(frozen=True)
class Job:
    """One run's directory. Its state is derived from what lies there, never stored."""

    path: Path

    @property
    def id(self) -> str:
        """The directory's name, such as 20261120-114200-anby."""
        return self.path.name

    @property
    def config_path(self) -> Path:
        return self.path / "config.toml"

    @property
    def environment_path(self) -> Path:
        return self.path / "environment.json"

    @property
    def process_path(self) -> Path:
        return self.path / "process.json"

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log_path(self) -> Path:
        return self.path / "log.txt"

    @property
    def about_path(self) -> Path:
        return self.path / "about.json"

    @property
    def requests(self) -> Path:
        return self.path / "requests"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def states(self) -> Path:
        return self.path / "state"

    @property
    def _folders(self) -> tuple[Path, Path, Path]:
        return (self.requests, self.samples, self.states)

    def foreign(self) -> str | None:
        """The name of something in the directory, where that is no job but a folder with things of somebody else.

        None for a job, which has all of a job's folders, and for a directory that is empty or not there yet. Raises
        OSError where it cannot be read.
        """
        if not self.path.exists() or all(folder.is_dir() for folder in self._folders):
            return None
        expected = {LOCK_NAME, *(folder.name for folder in self._folders)}
        names = sorted(entry.name for entry in self.path.iterdir())
        return next((name for name in names if name not in expected and not TEMPORARY_NAME.fullmatch(name)), None)

    def write_config(self, text: str) -> Path | None:
        """Write config.toml. Returns where its former text went, if that had lines (notes, other values) that the new
        one lacks; else None. Raises trainer.atomic.WriteError."""
        try:
            former = self.config_path.read_bytes()
        except FileNotFoundError:
            former = b""
        aside = None
        if not set(former.splitlines()) <= set(text.encode("utf-8").splitlines()):
            numbers = itertools.count(1)
            aside = next(path for n in numbers if not (path := self.path / f"config.{n}.toml").exists())
            atomic_write(aside, former)
        atomic_write(self.config_path, text)
        return aside

    @classmethod
    def create(cls, jobs_dir: Path, name: str, config_toml: str) -> Job:
        """Make a new directory `<date>-<time>-<name>` (never an existing one) holding config.toml."""
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{name_in_id(name) or 'job'}"
        jobs_dir.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            path = jobs_dir / (stem if attempt == 0 else f"{stem}~{attempt}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            job = cls(path)
            job.prepare()
            atomic_write(job.config_path, config_toml)
            return job
        raise FileExistsError(f"{jobs_dir}: 1000 jobs named {stem} exist already; choose another output_name")

    def prepare(self) -> None:
        """Make the directory's folders, for a run that begins."""
        for folder in (self.path, *self._folders):
            folder.mkdir(parents=True, exist_ok=True)
        (self.requests / STOPPING).unlink(missing_ok=True)

    def request(self, name: str) -> None:
        """Ask the trainer for something: `stop`, `save` or `sample`."""
        if name not in REQUESTS:
            raise ValueError(f"unknown request {name!r}; known: {', '.join(REQUESTS)}")
        self.requests.mkdir(parents=True, exist_ok=True)
        (self.requests / name).touch()

    def requested(self, name: str) -> bool:
        """True while a request waits to be obeyed."""
        return (self.requests / name).exists()

    def obey(self, name: str) -> None:
        """Remove a request: it is being done now. `stopping` stays in place of `stop` until the next run begins."""
        if name == "stop":
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.requests / name, self.requests / STOPPING)
        else:
            (self.requests / name).unlink(missing_ok=True)

    def stop_requested_at(self) -> float | None:
        """Unix time of the request to stop, obeyed or not; None without one."""
        for name in ("stop", STOPPING):
            with contextlib.suppress(OSError):
                return (self.requests / name).stat().st_mtime
        return None

    def write_process(self, pid: int, command: list[str]) -> None:
        """Record who trains this job."""
        started = psutil.Process(pid).create_time()
        record = {"pid": pid, "started": started, "command": command}
        atomic_write(self.process_path, json.dumps(record, indent=1))

    def process(self) -> Process | None:
        """Who trains this job, or None when nobody was recorded."""
        try:
            record = json.loads(self.process_path.read_text(encoding="utf-8"))
            pid, started, command = int(record["pid"]), float(record["started"]), tuple(map(str, record["command"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        return Process(pid, started, command) if pid > 0 else None

    def last_event(self) -> dict[str, Any] | None:
        """The newest event, or None."""
        return last_event(self.events_path)

    def state(self) -> str:
        """waiting, running, finished, stopped, failed or crashed.

        A last terminal event says it; else the recorded process is alive = running; else it crashed.
        A job without a process and without events has not been started: waiting.
        """
        ended = self._end()
        if ended is not None:
            return ended
        process = self.process()
        if process is None:
            return "waiting" if _is_empty(self.events_path) else "crashed"
        if process.alive():
            return "running"
        return self._end() or "crashed"  # it may have ended between our two looks

    def _end(self) -> str | None:
        try:
            last = self.last_event()
        except OSError:  # no file that can be read
            return None
        return str(last["event"]) if last is not None and last["event"] in TERMINAL else None


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False


def time_of_id(job_id: str) -> time.struct_time | None:
    """When a job was made, as its id has it; None for a folder that is called otherwise."""
    if not ID_PATTERN.fullmatch(job_id):
        return None
    with contextlib.suppress(ValueError):  # 99 hours
        return time.strptime(job_id[:15], "%Y%m%d-%H%M%S")
    return None


def name_in_id(name: str) -> str:
    """What of a name stands in an id: letters, digits, . _ and -, at most 60 of them in at most 100 bytes; maybe ""."""
    safe = re.sub(r"[^\w.\-]+", "-", name).strip("-.")[:60]
    return safe.encode()[:LONGEST_NAME_BYTES].decode("utf-8", "ignore").rstrip("-.")


def list_jobs(jobs_dir: Path) -> list[Job]:
    """All jobs of a folder, newest first; other folders are passed over."""
    if not jobs_dir.is_dir():
        return []
    with os.scandir(jobs_dir) as entries:
        names = [entry.name for entry in entries if ID_PATTERN.fullmatch(entry.name) and entry_is_folder(entry)]
    return [Job(jobs_dir / name) for name in sorted(names, reverse=True)]


def find_job(jobs_dir: Path, job_id: str) -> Job | None:
    """The job of that id, or None; an id that is not a plain job name finds nothing."""
    if not ID_PATTERN.fullmatch(job_id):
        return None
    job = Job(jobs_dir / job_id)
    return job if job.path.is_dir() else None
