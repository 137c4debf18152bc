"""What a killed process left, found and removed at the next start: temporary files, and states that are not whole.
LIGHT.

Only names that the program gives, never a link, never a file of a process that lives: see `trainer.atomic.sweep`. A
state that is being written or removed belongs to the run that holds its job's lock.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from trainer.atomic import TEMPORARY_NAME, sweep
from trainer.job import LOCK_NAME, Job, list_jobs
from trainer.locks import take
from trainer.saving import BUILDING, REMOVING, STATE_SUFFIX
from trainer.states import MANIFEST, STATE_FILES

HALF_A_STATE = re.compile(
    rf".+{re.escape(STATE_SUFFIX)}(-[0-9]+)?({re.escape(BUILDING)}|{re.escape(REMOVING)})", re.DOTALL
)


def sweep_run(job: Job, folders: Iterable[Path]) -> None:
    """At the start of a run that holds its job: its own folders, and others into which it will write."""
    for folder in (job.path, job.samples, job.states, *folders):
        sweep(folder)
    sweep_states(job.states)


def sweep_page(jobs_dir: Path, state_dir: Path, folders: Iterable[Path]) -> None:
    """At the start of the page: everything below `state_dir`, other `folders`, and jobs that nobody trains."""
    for folder in folders:
        sweep(folder)
    sweep_tree(state_dir)
    sweep(jobs_dir)
    jobs: list[Job] = []
    with contextlib.suppress(OSError):  # a folder that may not be listed is told when it is shown
        jobs = list_jobs(jobs_dir)
    for job in jobs:
        for folder in (job.path, job.samples, job.states):
            sweep(folder)
        if _halves(job.states):
            with contextlib.suppress(OSError):
                lock = take(job.path / LOCK_NAME)
                if lock is not None:  # else it is trained now
                    sweep_states(job.states)
                    lock.release()


def sweep_tree(folder: Path) -> None:
    """Sweep a folder of the program's own and all below it; links are not followed."""
    for place, _, names in os.walk(folder):
        if any(TEMPORARY_NAME.fullmatch(name) for name in names):
            sweep(Path(place))


def sweep_states(folder: Path) -> int:
    """Remove states that are not whole, when nobody writes into `folder`; returns how many are gone."""
    return sum(remove_parts(path) for path in _halves(folder))


def remove_parts(folder: Path) -> bool:
    """Remove a state's folder with the files that a state has; False where it holds anything else, which stays."""
    sweep(folder)
    with contextlib.suppress(OSError):
        for name in (MANIFEST, *STATE_FILES):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
        return True
    return False


def _halves(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if HALF_A_STATE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    return []
