"""From a configuration to a running loop: the checks before anything slow, the job directory, and how a run's end is
told. LIGHT.

torch is imported only after configuration and data set were found to be right.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata as packages
from pathlib import Path
from types import FrameType

from trainer import __version__, spawning
from trainer.atomic import atomic_write
from trainer.config import ConfigError, TrainConfig, to_toml
from trainer.config.log import Log
from trainer.config.problems import shown
from trainer.console import LOG, open_console
from trainer.events import EventLog, LastWord, NoEvents
from trainer.job import LOCK_NAME, LONGEST_ID_BYTES, Job
from trainer.locks import Lock, take, words_in
from trainer.saving import too_long
from trainer.signals import STOPPING, answered_by

FINISHED, FAILED, REFUSED, STOPPED = 0, 1, 2, 3
REPORTED_PACKAGES = (
    "torch", "diffusers", "transformers", "accelerate", "safetensors", "bitsandbytes", "numpy", "pillow",
)  # fmt: skip


def start(read_config: Callable[[], TrainConfig], job_path: Path | None) -> int:
    """Check, make or use the job directory, train. Returns the exit code; every end but a refusal without a job is an
    event.

    read_config: raises ConfigError when the file is wrong. A run without a job directory that is refused writes
    nothing.
    """
    # spinning threads make a step on a busy processor 10 times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    spawning.exit_with_parent()
    if not spawning.is_main():
        sys.stdout = _Silence()
    open_console(Log(), spawning.is_main())
    if job_path is None or not spawning.is_main() or spawning.spawned():
        return _checked(read_config, job_path)
    if foreign := Job(job_path).foreign():
        LOG.error(f"{job_path} is no job's folder but holds {shown(foreign)}; choose an empty or a new folder as --job")
        return REFUSED
    lock = _lock_of(job_path)
    if lock is None:
        who = words_in(job_path / LOCK_NAME) or "another process"
        LOG.error(f"{job_path}: this job is being trained now by {who}; wait for its end, or choose another --job")
        return REFUSED
    try:
        if Job(job_path).state() == "finished":
            LOG.error(f"{job_path}: this job has finished; leave --job out to train in a new one, or choose another")
            return REFUSED
        return _checked(read_config, job_path)
    finally:
        lock.release()


def _checked(read_config: Callable[[], TrainConfig], job_path: Path | None) -> int:
    """The same, when nobody else trains the job."""
    events = _events_of(job_path)
    try:
        with _ending_on_signals():
            config = _with_seed(read_config())
            spawning.refuse_lone_start(config.distributed)
            spawning.choose_cards(config.distributed)
            if config.log.wandb_api_key:
                os.environ["WANDB_API_KEY"] = config.log.wandb_api_key
            open_console(config.log, spawning.is_main())
            _refuse_long_names(config, job_path)
            _preflight(config)
    except KeyboardInterrupt:
        if events is not None:
            events.emit("stopped", step=None, state=None)
        return STOPPED
    except Exception as error:
        if not isinstance(error, ConfigError) and not _is_refusal(error):
            raise
        if events is not None:
            from trainer.failures import explain

            events.emit("failed", **explain(error).fields())
        if isinstance(error, ConfigError):
            raise
        LOG.error(str(error))
        return REFUSED
    if not spawning.is_main():
        job = Job(job_path or Path("jobs"))
        return _run(config, job, LastWord(job.events_path) if spawning.leads_machine() else NoEvents())
    if job_path is not None:
        return _train(config, Job(job_path), events)
    job = Job.create(Path("jobs"), config.save.output_name or "last", to_toml(config))
    lock = _lock_of(job.path)  # else a page that starts meanwhile takes a state that is being written for a left one
    try:
        return _train(config, job, events)
    finally:
        if lock is not None:
            lock.release()


def _lock_of(job_path: Path) -> Lock | None:
    """The lock of whoever trains a job, or None while another process has it."""
    return take(job_path / LOCK_NAME, f"process {os.getpid()} of {platform.node()}")


def _train(config: TrainConfig, job: Job, events: EventLog | None) -> int:
    """Write down what is trained, by whom and with which versions, then train. Returns the exit code."""
    job.prepare()
    former = job.write_config(to_toml(config))
    if former is not None:
        LOG.warning(f"{job.config_path} is written anew; the former file is {former.name} beside it")
    if not spawning.spawned():
        job.write_process(os.getpid(), [sys.executable, *map(_without_key, sys.orig_argv[1:])])
    atomic_write(job.environment_path, json.dumps(environment(), indent=1))
    events = events or EventLog(job.events_path)
    if spawning.process_count(config.distributed) > 1 and not spawning.placed():
        return spawning.run_all(config.distributed, job, events)
    return _run(config, job, events)


def _without_key(word: str) -> str:
    """A word of the command line as it may be written down."""
    return "wandb_api_key=…" if "wandb_api_key=" in word else word


class _Silence(io.TextIOBase):
    """The console of a process that leaves talking to another one."""

    def write(self, text: str) -> int:
        return len(text)


def _with_seed(config: TrainConfig) -> TrainConfig:
    """A run without a seed gets a random one, so that its config.toml repeats it; one that goes on has its state's."""
    if config.run.seed is not None or config.save.resume:
        return config
    return config.model_copy(update={"run": config.run.model_copy(update={"seed": secrets.randbits(32)})})


def _run(config: TrainConfig, job: Job, events: EventLog) -> int:
    """Train, and tell how it ended."""
    from trainer.failures import explain

    with _stopping_on_signals(job, events):
        try:
            from trainer.train import Stopped, train

            outcome = train(config, job, events)
        except KeyboardInterrupt:
            job.obey("stop")  # it is over: the next training of this job would end at once
            events.emit("stopped", step=None, state=None)
            return STOPPED
        except Exception as error:
            failure = explain(error, config)
            kept = f"the state of step {failure.step} was kept; to go on: resume = {failure.state}"
            advice = [failure.advice] if failure.state is None else [failure.advice, kept]
            if failure.kind == "bug":
                LOG.critical("\n".join([failure.traceback, *advice]))
            else:
                LOG.error("\n".join([failure.message, *advice]))
            events.emit("failed", **failure.fields())
            return failure.exit_code
    if isinstance(outcome, Stopped):
        events.emit("stopped", step=outcome.step, state=outcome.state)
        if outcome.state is not None:
            LOG.info(f"stopped at step {outcome.step}; to go on: resume = {outcome.state}")
        return STOPPED
    events.emit("finished", path=outcome.path, steps=outcome.steps, seconds=outcome.seconds)
    LOG.info(f"finished: {outcome.path}")
    return FINISHED


def _refuse_long_names(config: TrainConfig, job_path: Path | None) -> None:
    """A state must fit into the job's folder, which may lie on another disk than the LoRA. Raises ConfigError."""
    job = job_path or Path("jobs") / ("x" * LONGEST_ID_BYTES)
    unfit = too_long(Job(job).states, config.save.output_name, states=True)
    if unfit is not None:
        raise ConfigError([unfit])


def _preflight(config: TrainConfig) -> None:
    """Everything that can be known without torch: the base model's kind, the pictures, the folders.

    Raises ConfigError, DatasetError or WeightsError.
    """
    from trainer import curves, metadata
    from trainer.dataset.report import report

    if spawning.is_main():
        curves.check(config.log)
    metadata.thumbnail(config.save.metadata_thumbnail)
    errors = [problem for problem in report(config).problems if problem.severity == "error"]
    if errors:
        from trainer.dataset.problems import RefusedError

        raise RefusedError(errors)


def _events_of(job_path: Path | None) -> EventLog | None:
    if job_path is None or not spawning.is_main():
        return None
    Job(job_path).prepare()
    return EventLog(Job(job_path).events_path)


def _is_refusal(error: Exception) -> bool:
    from trainer.failures import explain

    return explain(error).exit_code == REFUSED


def _stopping_on_signals(job: Job, events: EventLog) -> contextlib.AbstractContextManager[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask the run to stop and save; a second Ctrl-C ends it at once, as the first
    one does as long as nothing is trained that could be saved."""

    def ask(number: int, _: FrameType | None) -> None:
        trains = spawning.placed() or "started" in events.told
        if not trains or (job.requested("stop") and number == signal.SIGINT):
            raise KeyboardInterrupt
        job.request("stop")
        LOG.warning(STOPPING)

    return answered_by(ask)


def _ending_on_signals() -> contextlib.AbstractContextManager[None]:
    """SIGTERM and a closed terminal end the checks as Ctrl-C does."""

    def end(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    return answered_by(end)


def environment() -> dict[str, object]:
    """What a run depends on beside its settings: versions, commit, graphics card and driver. For environment.json."""
    versions = {}
    for name in REPORTED_PACKAGES:
        with contextlib.suppress(packages.PackageNotFoundError):
            versions[name] = packages.version(name)
    return {
        "athanor": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": versions,
        "commit": _answer(["git", "rev-parse", "HEAD"], Path(__file__).parents[1]),
        "gpu": _answer(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]),
    }


def _answer(command: list[str], folder: Path | None = None) -> str | None:
    """The first line that a command prints, or None where it is missing or fails."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=True
        )
        return done.stdout.strip().partition("\n")[0] or None
    return None
