"""Starts, queues, stops and finds again the training processes. What a job is, is in trainer.job.

Its routes are in routes/jobs.py. LIGHT.

The trainer outlives the page: own session, stdout into the job's log.txt, no pipe to us (SAFETY R14). Everything here
can be rebuilt from the jobs folder, so a page that was killed finds its jobs running when it starts again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from trainer import jsontext, locks, tomltext
from trainer.atomic import atomic_write
from trainer.events import TERMINAL, EventLog
from trainer.job import Job, find_job, list_jobs
from trainer.saving import UNNAMED
from webui.eventfields import count
from webui.jobabout import asked_name, name_of_id
from webui.jobfiles import UnreadableConfig, config_text, stamp_of

WATCH_SECONDS = 0.5
TERMINATE_SECONDS = 5.0
ECHO_BYTES = 64 * 2**10
TRASH = ".trash"


def train_command(job: Job) -> list[str]:
    """The argument list that trains a job."""
    return [sys.executable, "-m", "trainer", "train", str(job.config_path), "--job", str(job.path)]


class Runner:
    """The jobs of one folder.

    environment: what the processes get. patience: seconds between asking a job to stop and ending it. at_once: how many
    jobs may train together. command: the argument list for a job (tests train something smaller with it). follow: is
    called twice a second with each job that runs or has just ended, to read its events as they come.
    """

    def __init__(
        self,
        jobs_dir: Path,
        root: Path,
        environment: Callable[[], Mapping[str, str]] = lambda: dict(os.environ),
        patience: Callable[[], float] = lambda: 300,
        at_once: Callable[[], int] = lambda: 1,
        command: Callable[[Job], Sequence[str]] | None = None,
        echo: Callable[[str], None] | None = None,
        follow: Callable[[Job], object] = lambda job: None,
    ) -> None:
        self.jobs_dir = jobs_dir
        self.root = root
        self._environment = environment
        self._patience = patience
        self._at_once = at_once
        self._command = command or (lambda job: train_command(job))
        self._echo = echo or _print_line
        self._follow = follow
        self._lock = threading.RLock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._asked: dict[str, float] = {}
        self._ending: set[str] = set()
        self._echoed: dict[str, int] = {}
        self._over: dict[str, tuple[object, str]] = {}
        self._fault = ""
        self._lock_file: locks.Lock | None = None
        self._watcher: threading.Thread | None = None
        self._closed = threading.Event()

    # -- adding, starting ------------------------------------------------------------------------------------------

    def submit(self, name: str, config_toml: str, first: bool = False) -> Job:
        """Make a job and put it at the end of the queue; with `first` as start_now does.

        It starts at once when nothing else trains.
        """
        job = Job.create(self.jobs_dir, name, config_toml)
        if first:
            self.start_now(job)
        else:
            self.enqueue(job)
        return job

    def start_now(self, job: Job) -> None:
        """Put a waiting job at the head of the queue, to start as soon as there is room, even while the queue is held
        back: the other jobs stay as they are.
        """
        with self._lock:
            self._refuse_unless_waiting(job)
            order = [job.id, *(entry for entry in self.queue() if entry != job.id)]
            self._write_queue(order, called=[*self._called(), job.id])
            self._advance()

    def enqueue(self, job: Job) -> None:
        """Put a waiting job that is in no queue at the queue's end."""
        with self._lock:
            self._refuse_unless_waiting(job)
            self._write_queue([*(entry for entry in self.queue() if entry != job.id), job.id])
            self._advance()

    def again(self, job: Job, resume_from: str | None = None) -> Job:
        """A new job with the same configuration, that starts next: from the beginning, or from the training state in
        the folder `resume_from`.

        Raises UnreadableConfig.
        """
        text = _with_resume(config_text(job), resume_from)
        return self.submit(asked_name(job) or name_of_id(job), text, first=True)

    def queue(self) -> list[str]:
        """Ids of the waiting jobs, next first."""
        jobs = (find_job(self.jobs_dir, entry) for entry in dict.fromkeys(self._order()))
        return [job.id for job in jobs if job is not None and self.state(job) == "waiting"]

    @property
    def paused(self) -> bool:
        """True while waiting jobs are held back."""
        return bool(self._read_queue().get("paused", False))

    def reorder(self, order: Iterable[str]) -> list[str]:
        """Change the order of the waiting jobs.

        Ids that do not wait are passed over, missing ones keep their place behind.
        """
        with self._lock:
            known = self.queue()
            wanted = [entry for entry in dict.fromkeys(order) if entry in known]
            self._write_queue([*wanted, *(entry for entry in known if entry not in wanted)])
            return self.queue()

    def pause(self, paused: bool) -> None:
        """Hold back, or let go, all waiting jobs. Running ones are not touched."""
        with self._lock:
            self._write_queue(self.queue(), paused=paused, called=[])
            self._advance()

    # -- stopping, removing ----------------------------------------------------------------------------------------

    def stop(self, job: Job) -> None:
        """Ask a running job to save and stop; after the patience is over its process tree is ended.

        A waiting job leaves the queue.
        """
        with self._lock:
            state = job.state()
            if state == "waiting":
                self._write_queue([entry for entry in self.queue() if entry != job.id])
            if state == "running" and job.id not in self._asked:
                job.request("stop")
                self._asked[job.id] = time.time()

    def end(self, job: Job) -> None:
        """End a running job's processes now, without waiting for it to save. Returns when they are gone."""
        process = job.process()
        if process is None or not process.alive():
            return
        with self._lock:
            if job.id in self._ending:
                return
            self._ending.add(job.id)
        try:
            end_tree(process.pid)
            self._reap(job.id)
            _write_forced_stop(job)
        finally:
            self._ending.discard(job.id)
            self._asked.pop(job.id, None)

    def asked_to_stop(self, job: Job) -> float | None:
        """Unix time at which a running job was asked to stop, by whomever, or None."""
        return self._asked.get(job.id) or job.stop_requested_at()

    def remove(self, job: Job) -> None:
        """Move a job that does not run into the trash folder; `restore` brings it back.

        Raises RuntimeError when it runs, or when the system keeps its folder where it is.
        """
        with self._lock:
            if job.state() == "running":
                raise RuntimeError("this job is running; stop it first")
            self._write_queue([entry for entry in self.queue() if entry != job.id])
            target = self.jobs_dir / TRASH / job.id
            try:
                target.parent.mkdir(exist_ok=True)
                if target.exists():
                    shutil.rmtree(target)
                job.path.rename(target)
            except OSError as error:
                reason = error.strerror or error
                raise RuntimeError(f"{job.path} cannot be moved ({reason}); close programs that use it") from error

    def restore(self, job_id: str) -> Job | None:
        """Bring a removed job back; None when the trash does not hold it."""
        with self._lock:
            trashed = find_job(self.jobs_dir / TRASH, job_id)
            if trashed is None or (self.jobs_dir / job_id).exists():
                return None
            trashed.path.rename(self.jobs_dir / job_id)
            return Job(self.jobs_dir / job_id)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """No job is started, removed or brought back by this page while this is held; keep it short."""
        with self._lock:
            yield

    # -- watching --------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Start the thread that advances the queue, ends stubborn jobs and repeats log lines on the console."""
        if self._watcher is None:
            self._find_again()
            self._watcher = threading.Thread(target=self._watch, name="jobs", daemon=True)
            self._watcher.start()

    def close(self) -> None:
        """Stop watching. Running jobs go on."""
        self._closed.set()
        if self._watcher is not None:
            self._watcher.join(timeout=5)
        if self._lock_file is not None:
            self._lock_file.release()
            self._lock_file = None

    def running(self) -> list[Job]:
        """The jobs that train now."""
        return [job for job in list_jobs(self.jobs_dir) if self.state(job) == "running"]

    def state(self, job: Job) -> str:
        """job.state(), remembered for jobs that are over until one of their files changes: many stay cheap."""
        stamp = (stamp_of(job.events_path), stamp_of(job.process_path))
        known = self._over.get(job.id)
        if known is not None and known[0] == stamp:
            return known[1]
        state = job.state()
        if state in ("running", "waiting"):
            self._over.pop(job.id, None)
        else:
            self._over[job.id] = (stamp, state)
        return state

    def _find_again(self) -> None:
        """After a restart of the page: which jobs run, from where to echo, who had been asked to stop."""
        for job in self.running():
            self._echoed[job.id] = _size(job.log_path)
            asked = job.stop_requested_at()
            if asked is not None:
                self._asked[job.id] = asked

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            with self._going_on():
                self._look()

    @contextlib.contextmanager
    def _going_on(self) -> Iterator[None]:
        """Whatever the files of one job hold, the others need their watcher. Each fault is printed once."""
        try:
            yield
        except Exception as error:
            if str(error) != self._fault:
                self._fault = str(error)
                self._echo(f"The jobs folder cannot be read: {error}")

    def _look(self) -> None:
        for job_id in list(self._children):
            self._reap(job_id)
        running = self.running()
        alive = {job.id for job in running}
        ended = [Job(self.jobs_dir / job_id) for job_id in self._echoed if job_id not in alive]
        for job in [*running, *ended]:
            with self._going_on():
                self._repeat_log(job, whole=job.id not in alive)
                self._follow(job)
        for job in ended:
            self._echoed.pop(job.id)
        for job_id, since in list(self._asked.items()):
            if job_id not in alive:
                self._asked.pop(job_id, None)
            elif time.time() - since > self._patience() and job_id not in self._ending:
                threading.Thread(target=self.end, args=(Job(self.jobs_dir / job_id),), daemon=True).start()
        with self._lock:
            self._advance(running)

    def _repeat_log(self, job: Job, whole: bool) -> None:
        """Print the log lines that came since the last look; very fast logs are shortened.

        whole: the job has ended, so a last line without an end is whole too.
        """
        start = self._echoed.get(job.id, 0)
        size = _size(job.log_path)
        if size <= start:
            self._echoed[job.id] = size if size < start else start
            return
        skipped = max(0, size - start - ECHO_BYTES)
        with job.log_path.open("rb") as stream:
            stream.seek(start + skipped)
            block = stream.read(ECHO_BYTES)
        if len(block) < ECHO_BYTES and not whole:
            block = block[: block.rfind(b"\n") + 1]
        self._echoed[job.id] = start + skipped + len(block)
        if skipped:
            self._echo(f"[{name_of_id(job)}] ... {skipped} bytes left out, see {job.log_path}")
        for line in block.decode("utf-8", "replace").splitlines():
            text = line.rsplit("\r", 1)[-1].rstrip()
            if text:
                self._echo(f"[{name_of_id(job)}] {text}")

    def _advance(self, running: Sequence[Job] | None = None) -> None:
        """Start waiting jobs while there is room. Called with the lock held."""
        paused, called = self.paused, self._called()
        if not self._order() or (paused and not called) or not self._leads():
            return
        running = list(self.running() if running is None else running)
        for job in [Job(self.jobs_dir / job_id) for job_id in self.queue() if not paused or job_id in called]:
            if len(running) >= self._at_once():
                return
            if any(output_of(job) == output_of(other) for other in running):
                continue  # both would write the same file
            self._launch(job)
            running.append(job)
            self._write_queue(self.queue())

    def _leads(self) -> bool:
        """True when this page is the one that starts jobs: of several pages over one folder it is the first.

        The lock is the operating system's, so it is free again the moment that page ends, however it ends.
        """
        if self._lock_file is None:
            self._lock_file = locks.take(self.jobs_dir / ".queue.lock")
        return self._lock_file is not None

    def _launch(self, job: Job) -> None:
        command = list(self._command(job))
        detached: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        job.prepare()
        with job.log_path.open("ab") as log:
            try:
                child = subprocess.Popen(
                    command, cwd=self.root, env=dict(self._environment()), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, close_fds=True, **detached,
                )  # fmt: skip
            except OSError as error:
                _write_failure(job, f"The trainer could not be started: {error}")
                return
        self._children[job.id] = child
        self._echoed[job.id] = 0
        job.write_process(child.pid, command)

    def _reap(self, job_id: str) -> None:
        """Collect an ended child: on POSIX it stays a zombie otherwise."""
        child = self._children.get(job_id)
        if child is not None and child.poll() is not None:
            self._children.pop(job_id, None)

    def _refuse_unless_waiting(self, job: Job) -> None:
        if job.state() != "waiting":
            raise RuntimeError("this job was started already; use 'Run again' to train it once more")

    # -- the queue's file ------------------------------------------------------------------------------------------

    def _read_queue(self) -> dict[str, Any]:
        try:
            content = jsontext.parse((self.jobs_dir / "queue.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _order(self) -> list[str]:
        order = self._read_queue().get("order")
        return [entry for entry in order if isinstance(entry, str)] if isinstance(order, list) else []

    def _called(self) -> list[str]:
        """Ids of the waiting jobs that a person started by hand: they start even while the queue is held back."""
        called = self._read_queue().get("called")
        return [entry for entry in called if isinstance(entry, str)] if isinstance(called, list) else []

    def _write_queue(self, order: list[str], paused: bool | None = None, called: list[str] | None = None) -> None:
        self.jobs_dir.mkdir(parents=True, exist_ok=True)
        called = [entry for entry in order if entry in (self._called() if called is None else called)]
        content = {"order": order, "paused": self.paused if paused is None else paused, "called": called}
        if content != self._read_queue():
            atomic_write(self.jobs_dir / "queue.json", json.dumps(content, indent=1))


def end_tree(pid: int) -> None:
    """End a process and all it started: first asked (terminate), after some seconds killed.

    The tree is taken down before anything is ended, since orphans are handed to another parent.
    """
    try:
        parent = psutil.Process(pid)
        tree = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=TERMINATE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=TERMINATE_SECONDS)


def _write_forced_stop(job: Job) -> None:
    """The trainer is gone and said nothing: its last event becomes `stopped`, so that the job does not look crashed."""
    last = job.last_event()
    if last is not None and last["event"] in TERMINAL:
        return
    append_event(job, "stopped", step=count((last or {}).get("step")) or 0, state=None, forced=True)


def _write_failure(job: Job, message: str) -> None:
    append_event(job, "failed", kind="bug", message=message, advice="See the log below.", traceback="")


def append_event(job: Job, event: str, **fields: Any) -> None:
    """Write an event in the place of a trainer that no longer runs; a line it had torn is closed first."""
    torn = False
    with contextlib.suppress(OSError), job.events_path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        torn = stream.read(1) != b"\n"
    if torn:
        with job.events_path.open("ab") as stream:
            stream.write(b"\n")
    log = EventLog(job.events_path)
    log.emit(event, **fields)
    log.close()


def _with_resume(config_toml: str, folder: str | None) -> str:
    """The configuration with save.resume set to a training state's folder, or without one: then it begins at the first
    step. Raises UnreadableConfig."""
    import tomlkit

    try:
        document = tomlkit.parse(config_toml)
        section = document.setdefault("save", tomlkit.table())
        section.pop("resume", None)
        if folder is not None:
            section["resume"] = folder
        return tomlkit.dumps(document)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableConfig(f"config.toml is not valid TOML: {error}") from error


def output_of(job: Job) -> tuple[str, str]:
    """Folder and name of the file that a job asks for; ("", its id) when its configuration cannot be read."""
    try:
        save = tomltext.parse(config_text(job)).get("save", {})
        return str(save.get("output_dir") or "output"), str(save.get("output_name") or UNNAMED["end"])
    except (ValueError, AttributeError, RecursionError):
        return "", job.id


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _print_line(text: str) -> None:
    """Print whatever the console can show of a line; a closed or narrow console is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
