"""Starts the processes of a run that has several, watches over them, and tells when one was lost. LIGHT.

The process that the user started stays as their parent and trains nothing. What they do together is in processes.py.
Started by torchrun or `accelerate launch`, a process finds its place in its environment and nothing is spawned.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from trainer.config import ConfigError, Problem
from trainer.events import TERMINAL, EventLog, last_event
from trainer.job import Job
from trainer.signals import STOPPING, answered_by, say

if TYPE_CHECKING:
    from trainer.config.distributed import Distributed

SPAWNED = "ATHANOR_SPAWNED"
USUAL_PORT = 29500
STOPPED = 3  # the exit code of a run that was asked to stop
GRACE_SECONDS = 15.0  # for the others to notice that one is gone, and to save
LOOK_SECONDS = 0.1


def process_count(section: Distributed) -> int:
    """How many processes train together, over all machines."""
    if "WORLD_SIZE" in os.environ:
        return int(os.environ["WORLD_SIZE"])
    if section.num_processes is not None:
        return section.num_processes
    if section.gpu_ids is not None:
        return len(section.gpu_ids.split(",")) * section.num_machines
    return _cards() * section.num_machines if section.multi_gpu else section.num_machines


def placed() -> bool:
    """True in a process that is already one of several, whoever started it."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def spawned() -> bool:
    """True in a process that another one of ours started and watches over."""
    return SPAWNED in os.environ


def leads_machine() -> bool:
    """True in the process that tells how the run ended on a machine where the main process is not."""
    return spawned() and not is_main() and os.environ.get("LOCAL_RANK") == "0"


def is_main() -> bool:
    """True in the process that writes files and talks to the user."""
    return int(os.environ.get("RANK", "0")) == 0


def choose_cards(section: Distributed) -> None:
    """Let this process and those it starts see only the cards that were asked for. Before torch is imported."""
    if section.gpu_ids is not None and not placed():
        os.environ["CUDA_VISIBLE_DEVICES"] = section.gpu_ids
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # numbers as nvidia-smi and the page show them


def refuse_lone_start(section: Distributed) -> None:
    """`accelerate launch --cpu` on several machines starts each alone, each with a LoRA of its own.

    Raises ConfigError with what to use instead.
    """
    alone = "WORLD_SIZE" not in os.environ and section.num_machines == 1 and section.num_processes is None
    if alone and "ACCELERATE_USE_CPU" in os.environ and "MASTER_ADDR" in os.environ:
        said = (
            "accelerate starts no group of processes on processors; use torchrun, or set num_machines and machine_rank"
        )
        raise ConfigError([Problem("distributed.num_machines", said)])


def run_all(section: Distributed, job: Job, events: EventLog) -> int:
    """Start this machine's processes on the job's config.toml, wait for them, and return the run's exit code.

    events: the job's, for an end that none of them could tell itself.
    """
    count, machines = process_count(section), section.num_machines
    here = count // machines
    port = section.main_process_port or (USUAL_PORT if machines > 1 else _free_port())
    children = []
    for local in range(here):
        place = {
            "RANK": section.machine_rank * here + local, "LOCAL_RANK": local, "WORLD_SIZE": count,
            "LOCAL_WORLD_SIZE": here, "MASTER_ADDR": section.main_process_ip or "127.0.0.1", "MASTER_PORT": port,
            SPAWNED: 1,
        }  # fmt: skip
        children.append(_start(job, {name: str(value) for name, value in place.items()}, quiet=local > 0))
    with _passing_on_signals(job, children):
        lost = _wait(children)
    codes = [child.returncode for child in children]
    job.obey("stop")
    if (last_event(job.events_path) or {}).get("event") not in TERMINAL:
        number = section.machine_rank * here + (codes.index(lost) if lost in codes else 0) + 1
        message = f"process {number} of {count} ended without a word (exit code {lost}); the others were ended too"
        events.emit("failed", kind="process", message=message, advice=LOST_ADVICE, traceback="")
        say(f"error: {message}\n{LOST_ADVICE}")
        return 1
    return codes[0] if codes[0] >= 0 else 1


LOST_ADVICE = (
    "It may have been ended for lack of memory: lower train_batch_size or num_processes; the log may tell more. "
    "A run that kept a state goes on from it"
)


def exit_with_parent() -> None:
    """End this process when the one that started it is gone: its standard input then closes."""
    if spawned():
        threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # not sys.stdin, whose lock a thread that waits would keep from the end of the process
            pass
    os._exit(1)


def _start(job: Job, place: dict[str, str], quiet: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "trainer", "train", str(job.config_path), "--job", str(job.path)]
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, **place, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL if quiet else None,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # only Windows has it
    )  # fmt: skip


def _wait(children: list[subprocess.Popen[bytes]]) -> int:
    """Wait for all; the others are ended some time after one has failed. Returns the first bad exit code, else 0."""
    first_bad, deadline = 0, float("inf")
    while any(child.poll() is None for child in children):
        bad = [child.returncode for child in children if child.returncode not in (None, 0, STOPPED)]
        if bad and not first_bad:
            first_bad, deadline = bad[0], time.monotonic() + GRACE_SECONDS
        if time.monotonic() > deadline:
            for child in children:
                child.kill()
        time.sleep(LOOK_SECONDS)
    return first_bad or next((child.returncode for child in children if child.returncode), 0)


def _passing_on_signals(job: Job, children: list[subprocess.Popen[bytes]]) -> contextlib.AbstractContextManager[None]:
    """What asks this program to end asks the run to stop and save; a second Ctrl-C ends all processes at once."""

    def ask(number: int, _: FrameType | None) -> None:
        if job.requested("stop") and number == signal.SIGINT:
            for child in children:
                child.kill()
        job.request("stop")
        say(STOPPING)

    return answered_by(ask)


def _cards() -> int:
    """How many graphics cards this machine has, without torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return max(1, len([entry for entry in visible.split(",") if entry.strip()]))
    try:
        told = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, encoding="utf-8", errors="replace", timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return 1
    return max(1, len([line for line in told.stdout.splitlines() if line.startswith("GPU")]))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
