"""What a job's events say: how far it is, its curve, its pictures and files. LIGHT.

`Digest` takes events and keeps what the page shows of them, in bounded memory; `EventReader` reads one job's file, each
event once; `glance` reads only both ends of it, for lists of many jobs. What starts and stops jobs is runner.py.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.events import TERMINAL, events_of, follow
from trainer.job import Job
from webui import summaries
from webui.eventfields import cleaned, count, number, numbers
from webui.thinning import ThinCurve, Thinned

SPEED_STEPS = 50
MOST_POINTS = 1000
MOST_SAMPLES = 2000
MOST_MARKS = 500
MOST_FILES = 500
MOST_STATES = 50
MOST_WARNINGS = 200
READERS_KEPT = 24
GLANCES_KEPT = 1000
HEAD_BYTES = 32 * 2**10
TAIL_BYTES = 64 * 2**10
TAIL_LINES = 80  # more than SPEED_STEPS
BLOCKS_AT_ONCE = 2  # of trainer.events.LONGEST_READ_BYTES: about 25,000 steps
SAVE_BYTES = 8 * 2**20
SAVED_FROM_BYTES = 2**20  # a shorter file is read faster than its summary


class Digest:
    """What the events so far say. Its memory and the time that one event takes do not depend on how many there were.

    samples, files, states, warnings: events with `number`, their place among all of their kind. revision: changes with
    everything but steps and phases.
    """

    def __init__(self, revision: int = 0) -> None:
        self.revision = revision
        self.started: dict[str, Any] = {}
        self.phase: dict[str, Any] = {}
        self.end: dict[str, Any] = {}
        self.first_time = self.last_time = 0.0
        self.counts = {"step": 0, "sample": 0, "checkpoint": 0, "warning": 0}
        self.samples: Thinned[dict[str, Any]] = Thinned(MOST_SAMPLES, _step_of)
        self.files: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []
        self._validations: Thinned[dict[str, Any]] = Thinned(MOST_MARKS, _step_of)
        self._epochs: Thinned[int] = Thinned(MOST_MARKS, int)
        self._saves: Thinned[int] = Thinned(MOST_MARKS, int)
        self._curve = ThinCurve(MOST_POINTS)
        self._newest_step: Mapping[str, Any] = {"event": "step"}
        self._at = 0
        self._smooth: float | None = None
        self._seconds: deque[float] = deque(maxlen=SPEED_STEPS)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in the next event."""
        if event["event"] == "step":
            self._take_step(event)
            return
        known = cleaned(event)
        if known is None:
            return
        kind = known["event"]
        self._look_at_clock(known.get("time", 0.0))
        self.revision += kind != "phase"
        if kind == "phase":
            self.phase = known
        elif kind == "started":
            if self.end:  # trained once more in the same folder
                self.first_time, self.end = known.get("time", 0.0), {}
            self.started = known
        elif kind == "epoch":
            self._epochs.add(self._at)
        elif kind in TERMINAL:
            self.end = known
        elif kind == "validation":
            self._validations.add({"step": known.get("step", self._at), "loss": known.get("loss")})
        else:
            self._take_numbered(kind, known)

    def _take_numbered(self, kind: str, event: dict[str, Any]) -> None:
        event = {**event, "number": self.counts[kind]}
        self.counts[kind] += 1
        if kind == "sample":
            self.samples.add(event)
        elif kind == "checkpoint":
            self._saves.add(event.get("step", self._at))
            self.files.append(event)
            del self.files[:-MOST_FILES]
            if event.get("kind") == "state":
                self.states.append(event)
                del self.states[:-MOST_STATES]
        elif len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(event)

    def _take_step(self, event: Mapping[str, Any]) -> None:
        step = count(event.get("step"))
        if step is None:
            return
        if step <= self._at:
            self._go_back(step)
        self._newest_step, self._at, self.end = event, step, {}
        self.counts["step"] += 1
        self._look_at_clock(number(event.get("time")) or 0.0)
        self._seconds.append(number(event.get("seconds")) or 0.0)
        loss = number(event.get("loss"))
        self._smooth = self._smoothed(loss, number(event.get("total")) or 0)
        self._curve.add(step, loss, self._smooth, numbers(event.get("lr")))

    def _go_back(self, step: int) -> None:
        """The job was begun anew, or went on from an older state: what came after that no longer counts.

        Files stay listed: they still lie there.
        """
        for series in (self._curve, self.samples, self._validations, self._epochs, self._saves):
            series.cut(step)
        self.states = [state for state in self.states if _step_of(state) < step]
        self._smooth = self._curve.smooth[-1] if self._curve.smooth else None
        self.counts["step"] = min(self.counts["step"], step - 1) if self._curve.steps else 0
        self._seconds.clear()
        self.revision += 1

    def _look_at_clock(self, moment: float) -> None:
        self.first_time = self.first_time or moment
        if moment > self.last_time:
            self.last_time = moment

    def _smoothed(self, loss: float | None, total: float) -> float | None:
        """Running mean whose memory is a 25th of the run, between 10 and 200 steps; the first steps are plain means."""
        before = self._smooth
        if loss is None or before is None:
            return before if loss is None else loss
        memory = min(max(total / 25, 10), 200, self.counts["step"])
        return before + (loss - before) / memory

    @property
    def step(self) -> dict[str, Any]:
        """The newest step."""
        return cleaned(self._newest_step) or {}

    @property
    def seconds_per_step(self) -> float:
        """Mean of the newest steps; 0 before the first."""
        return sum(self._seconds) / len(self._seconds) if self._seconds else 0.0

    def curve(self) -> dict[str, Any]:
        """Loss over steps in at most 1000 points; of merged steps the lowest and highest loss are kept as a band."""
        curve = self._curve
        return {
            "steps": list(curve.steps),
            "low": [_rounded(value) for value in curve.low],
            "high": [_rounded(value) for value in curve.high],
            "smooth": [_rounded(value) for value in curve.smooth],
            "rates": {name: [_rounded(value) for value in rates] for name, rates in curve.rates.items()},
            "epochs": self._epochs.entries(),
            "saves": self._saves.entries(),
            "validations": self._validations.entries(),
            "total": self._total(self.step),
        }

    def summary(self) -> dict[str, Any]:
        """How far the job is, in few numbers."""
        step, started, per_step = self.step, self.started, self.seconds_per_step
        done, total = step.get("step", 0), self._total(step)
        summary: dict[str, Any] = {
            "step": done, "total": total, "epoch": step.get("epoch", 0),
            "epochs": step.get("epochs") or started.get("epochs", 0), "loss": step.get("loss"),
            "average": step.get("average"), "vram_gib": step.get("vram_gib"), "seconds_per_step": per_step or None,
            "remaining_seconds": (total - done) * per_step if per_step and total else None,
            "started": self.first_time or None, "updated": self.last_time or None,
            "seconds": max(0.0, self.last_time - self.first_time) if self.first_time else None,
            "samples": self.counts["sample"], "images": started.get("images"), "output": started.get("output"),
        }  # fmt: skip
        if self.phase and not self.end:
            summary["phase"] = {key: self.phase.get(key) for key in ("name", "done", "total")}
        if self.end:
            summary["end"] = {key: value for key, value in self.end.items() if key not in ("time", "traceback")}
        return summary

    def _total(self, step: Mapping[str, Any]) -> int:
        return int(step.get("total") or self.started.get("steps", 0))

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        kept = {name: getattr(self, name) for name in _PLAIN}
        series = {name: getattr(self, name).plain() for name in _SERIES}
        return {**kept, **series, "newest_step": self.step, "seconds": list(self._seconds)}

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> Digest:
        """From what `plain` gave."""
        digest = cls()
        for name in _PLAIN:
            setattr(digest, name, content[name])
        for name in _SERIES:
            getattr(digest, name).load(content[name])
        digest._newest_step = content["newest_step"] or digest._newest_step
        digest._seconds.extend(content["seconds"])
        return digest


_PLAIN = (
    "revision", "started", "phase", "end", "first_time", "last_time", "counts", "files", "states", "warnings", "_at",
    "_smooth",
)  # fmt: skip
_SERIES = ("samples", "_validations", "_epochs", "_saves", "_curve")


class EventReader:
    """Reads the events of one job as they come. Thread-safe.

    A long file that was not read before is read in a thread of its own, `unread` bytes are still to come then. With
    summary_path what was read is kept on disk, so that the next page does not read it again.
    """

    def __init__(self, events_path: Path, summary_path: Path | None = None) -> None:
        self._path = events_path
        self._summary_path = summary_path
        self._taking = threading.RLock()
        self._reading = threading.Lock()
        self._catching_up: threading.Thread | None = None
        self._offset, self._mark, self._saved = 0, "", 0
        self.digest = Digest()
        self._load()

    @property
    def unread(self) -> int:
        """Bytes of the file that are still being read by the thread; 0 when nothing is."""
        return max(0, _size(self._path) - self._offset) if self._catching_up is not None else 0

    @property
    def share(self) -> float:
        """The part of the file that was read, 0 to 1."""
        return min(1.0, self._offset / max(_size(self._path), 1))

    def read(self) -> Digest:
        """Take in what came since the last call, unless the thread is doing that. A file that was begun anew is read
        from its start.
        """
        if self._catching_up is None:
            with self._reading:
                if all(self._read_block() for _ in range(BLOCKS_AT_ONCE)) and self._catching_up is None:
                    self._catching_up = threading.Thread(target=self._catch_up, name="events", daemon=True)
                    self._catching_up.start()
        return self.digest

    def whole(self) -> Digest:
        """Take in everything, however long that takes."""
        with self._reading:
            while self._read_block():
                pass
        return self.digest

    def curve(self) -> dict[str, Any]:
        """`Digest.curve`, while nothing is taken in."""
        with self._taking:
            return self.digest.curve()

    def _catch_up(self) -> None:
        try:
            with _ONE_AT_A_TIME:
                self.whole()
        finally:
            self._catching_up = None

    def _read_block(self) -> bool:
        """Read at most 4 MiB; True when more stands behind."""
        size = _size(self._path)
        if size == self._offset:
            return False
        if self._offset and summaries.fingerprint(self._path, self._offset) != self._mark:
            self.digest = Digest(self.digest.revision + 1)
            self._offset = self._saved = 0
        try:
            events, offset = follow(self._path, self._offset)
        except OSError:
            return False
        if offset == self._offset:
            return False
        with self._taking:
            for event in events:
                self.digest.take(event)
        self._offset, self._mark = offset, summaries.fingerprint(self._path, offset)
        self._save()
        return size > offset

    def _save(self) -> None:
        new = self._offset - self._saved
        if self._summary_path is None or self._offset < SAVED_FROM_BYTES or not new:
            return
        if new >= SAVE_BYTES or self.digest.end:
            summaries.save(self._summary_path, self._offset, self._mark, self.digest.plain())
            self._saved = self._offset

    def _load(self) -> None:
        known = None if self._summary_path is None else summaries.load(self._summary_path, self._path)
        if known is None:
            return
        try:
            self.digest = Digest.of_plain(known[1])
        except (KeyError, TypeError, ValueError, AttributeError):
            return  # written by another version
        self._offset = self._saved = known[0]
        self._mark = summaries.fingerprint(self._path, self._offset)


_ONE_AT_A_TIME = threading.Lock()


class Digests:
    """Readers of the jobs that are being looked at; the least recently used are forgotten.

    summaries_dir: where what was read of long files is kept.
    """

    def __init__(self, summaries_dir: Path | None = None, kept: int = READERS_KEPT) -> None:
        self._summaries_dir = summaries_dir
        self._kept = kept
        self._readers: OrderedDict[Path, EventReader] = OrderedDict()
        self._glances: OrderedDict[Path, tuple[int, Digest]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: Job) -> EventReader:
        """The reader of a job, up to date unless `unread` says otherwise."""
        with self._lock:
            reader = self._readers.pop(job.path, None) or self._new_reader(job)
            self._readers[job.path] = reader
            while len(self._readers) > self._kept:
                self._readers.popitem(last=False)
        reader.read()
        return reader

    def _new_reader(self, job: Job) -> EventReader:
        folder = self._summaries_dir
        return EventReader(job.events_path, None if folder is None else summaries.summary_path(folder, job.id))

    def glance(self, job: Job) -> Digest:
        """What both ends of the file say; kept until the file grows."""
        size = _size(job.events_path)
        with self._lock:
            known = self._glances.pop(job.path, None)
            if known is None or known[0] != size:
                known = (size, glance(job.events_path))
            self._glances[job.path] = known
            while len(self._glances) > GLANCES_KEPT:
                self._glances.popitem(last=False)
        return known[1]


def glance(events_path: Path) -> Digest:
    """What the first 32 KiB of a job's events say of its start, and the last 80 lines of all else."""
    digest = Digest()
    for event in _both_ends(events_path):
        digest.take(event)
    return digest


def _both_ends(path: Path) -> list[dict[str, Any]]:
    size = _size(path)
    try:
        if size <= TAIL_BYTES:
            return follow(path, 0)[0]
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            stream.seek(size - TAIL_BYTES)
            tail = stream.read(TAIL_BYTES)
    except OSError:
        return []
    first, *following = head.splitlines(keepends=True)
    begin = [first, *(line for line in following if b'"started"' in line)]
    return events_of(b"".join(begin)) + events_of(b"".join(tail.splitlines(keepends=True)[1:][-TAIL_LINES:]))


def now() -> float:
    """Unix seconds, to tell a browser whose clock is off how old things are."""
    return time.time()


def _step_of(event: Mapping[str, Any]) -> int:
    return int(event.get("step", 0))


def _rounded(value: float | None) -> float | None:
    """Six digits: rates of 1e-7 are as exact as losses of 1."""
    return None if value is None else float(f"{value:.6g}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
