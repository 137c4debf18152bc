"""What a job's events say, read a piece at a time: how far it is, its curve, its pictures and files. LIGHT.

`Digest` follows one job's events and keeps what the page shows; `glance` reads only both ends of the file, for lists of
many jobs. What starts and stops jobs is runner.py.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

from trainer.events import TERMINAL, events_of, follow
from trainer.job import Job

SPEED_STEPS = 50
MOST_POINTS = 1000
MOST_WARNINGS = 200
DIGESTS_KEPT = 24
HEAD_BYTES = 32 * 2**10
TAIL_BYTES = 64 * 2**10


class Digest:
    """The events of one job so far. `read()` takes in what came since the last call; thread-safe."""

    def __init__(self, events_path: Path) -> None:
        self._path = events_path
        self._offset = 0
        self._lock = threading.Lock()
        self.revision = 0
        self.started: dict[str, Any] = {}
        self.phase: dict[str, Any] = {}
        self.step: dict[str, Any] = {}
        self.end: dict[str, Any] = {}
        self.first_time = self.last_time = 0.0
        self.samples: list[dict[str, Any]] = []
        self.checkpoints: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []
        self.validations: list[dict[str, Any]] = []
        self.epochs: list[int] = []
        self._steps = array("q")
        self._losses = array("d")
        self._smooth = array("d")
        self._rates: dict[str, array[float]] = {}
        self._seconds: deque[float] = deque(maxlen=SPEED_STEPS)

    def read(self) -> Digest:
        """Take in new events; returns itself. A file that shrank (a job trained anew) is read from its start."""
        with self._lock:
            if self._offset and _size(self._path) < self._offset:
                self._forget()
            while True:
                events, offset = follow(self._path, self._offset)
                if offset == self._offset:
                    return self
                self._offset = offset
                for event in events:
                    self._take(event)

    def _forget(self) -> None:
        lock, revision = self._lock, self.revision + 1
        self.__init__(self._path)  # type: ignore[misc]
        self._lock, self.revision = lock, revision

    def _take(self, event: dict[str, Any]) -> None:
        kind, moment = event["event"], _number(event.get("time"))
        self.first_time = self.first_time or moment
        self.last_time = max(self.last_time, moment)
        if kind == "step":
            self._take_step(event)
            return
        self.revision += 1
        if kind == "started":
            self.started = event
        elif kind == "phase":
            self.phase = event
            self.revision -= 1
        elif kind == "epoch":
            self.epochs.append(int(_number(self.step.get("step"))))
        elif kind in TERMINAL:
            self.end = event
        elif kind == "warning":
            if len(self.warnings) < MOST_WARNINGS:
                self.warnings.append(event)
        else:
            lists = {"sample": self.samples, "checkpoint": self.checkpoints, "validation": self.validations}
            if kind in lists:
                lists[kind].append(event)

    def _take_step(self, event: dict[str, Any]) -> None:
        self.step, self.end = event, {}
        self._seconds.append(_number(event.get("seconds")))
        self._steps.append(int(_number(event.get("step"))))
        loss = _number(event.get("loss"), math.nan)
        self._losses.append(loss)
        self._smooth.append(self._smoothed(loss, _number(event.get("total"))))
        rates = event.get("lr")
        for group, rate in (rates if isinstance(rates, dict) else {}).items():
            self._rates.setdefault(str(group), array("d", [math.nan] * (len(self._steps) - 1))).append(
                _number(rate, math.nan)
            )

    def _smoothed(self, loss: float, total: float) -> float:
        """Running mean whose memory is a 25th of the run, between 10 and 200 steps; the first steps are plain means."""
        before = self._smooth[-1] if self._smooth else math.nan
        if math.isnan(loss) or math.isnan(before):
            return before if math.isnan(loss) else loss
        memory = min(max(total / 25, 10), 200, len(self._losses))
        return before + (loss - before) / memory

    @property
    def seconds_per_step(self) -> float:
        """Mean of the newest steps; 0 before the first."""
        return sum(self._seconds) / len(self._seconds) if self._seconds else 0.0

    def curve(self, most: int = MOST_POINTS) -> dict[str, Any]:
        """Loss over steps in at most `most` points; of merged steps the lowest and highest loss are kept as a band."""
        with self._lock:
            count = len(self._steps)
            stride = max(1, math.ceil(count / most))
            ends = list(range(stride - 1, count, stride))
            if count and (not ends or ends[-1] != count - 1):
                ends.append(count - 1)
            pieces = [self._losses[max(0, end - stride + 1) : end + 1] for end in ends]
            return {
                "steps": [self._steps[end] for end in ends],
                "low": [_known(min(piece)) for piece in pieces],
                "high": [_known(max(piece)) for piece in pieces],
                "smooth": [_known(self._smooth[end]) for end in ends],
                "rates": {
                    name: [_known(rates[end]) if end < len(rates) else None for end in ends]
                    for name, rates in self._rates.items()
                },
                "epochs": self.epochs[-200:],
                "saves": [save.get("step") for save in self.checkpoints],
                "validations": [{"step": entry.get("step"), "loss": entry.get("loss")} for entry in self.validations],
                "total": int(_number(self.step.get("total") or self.started.get("steps"))),
            }

    def summary(self) -> dict[str, Any]:
        """How far the job is, in few numbers."""
        return _summary(
            self.started,
            self.step,
            self.phase,
            self.end,
            self.samples,
            self.first_time,
            self.last_time,
            self.seconds_per_step,
        )


class Digests:
    """Digests of the jobs that are being looked at; the least recently used are forgotten."""

    def __init__(self, kept: int = DIGESTS_KEPT) -> None:
        self._kept = kept
        self._digests: OrderedDict[Path, Digest] = OrderedDict()
        self._glances: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def of(self, job: Job) -> Digest:
        """The digest of a job, up to date."""
        with self._lock:
            digest = self._digests.pop(job.path, None) or Digest(job.events_path)
            self._digests[job.path] = digest
            while len(self._digests) > self._kept:
                self._digests.popitem(last=False)
        return digest.read()

    def glance(self, job: Job) -> dict[str, Any]:
        """`summary()` without reading the middle of the file; kept until the file grows."""
        size = _size(job.events_path)
        known = self._glances.get(job.path)
        if known is None or known[0] != size:
            known = (size, glance(job.events_path))
            self._glances[job.path] = known
        return known[1]


def glance(events_path: Path) -> dict[str, Any]:
    """A job's summary from the first 32 KiB and the last 64 KiB of its events."""
    digest = Digest(events_path)
    for event in _both_ends(events_path):
        digest._take(event)
    return digest.summary()


def _both_ends(path: Path) -> list[dict[str, Any]]:
    size = _size(path)
    if size <= HEAD_BYTES + TAIL_BYTES:
        return follow(path, 0)[0]
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(size - TAIL_BYTES)
        tail = stream.read(TAIL_BYTES)
    return events_of(head) + events_of(tail[tail.find(b"\n") + 1 :])


def _summary(
    started: dict[str, Any], step: dict[str, Any], phase: dict[str, Any], end: dict[str, Any],
    samples: list[dict[str, Any]], first: float, last: float, seconds_per_step: float,
) -> dict[str, Any]:  # fmt: skip
    done, total = int(_number(step.get("step"))), int(_number(step.get("total") or started.get("steps")))
    summary: dict[str, Any] = {
        "step": done, "total": total, "epoch": int(_number(step.get("epoch"))),
        "epochs": int(_number(step.get("epochs") or started.get("epochs"))), "loss": step.get("loss"),
        "average": step.get("average"), "vram_gib": step.get("vram_gib"), "seconds_per_step": seconds_per_step or None,
        "remaining_seconds": (total - done) * seconds_per_step if seconds_per_step and total else None,
        "started": first or None, "updated": last or None, "seconds": max(0.0, last - first) if first else None,
        "samples": len(samples), "images": started.get("images"), "output": started.get("output"),
    }  # fmt: skip
    if phase and not end:
        summary["phase"] = {key: phase.get(key) for key in ("name", "done", "total")}
    if end:
        summary["end"] = {key: value for key, value in end.items() if key not in ("time", "traceback")}
    return summary


def now() -> float:
    """Unix seconds, to tell a browser whose clock is off how old things are."""
    return time.time()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _number(value: Any, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else otherwise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
