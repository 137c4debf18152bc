"""Disk space that only the user's hand gives back: removed jobs, and what training keeps to begin faster. LIGHT.

Nothing here happens by itself. What is emptied is first moved aside, which is done at once or not at all, and deleted
then; a deletion that was cut short is finished the next time.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from trainer.job import list_jobs
from webui.jobabout import shown_name
from webui.runner import TRASH

if TYPE_CHECKING:
    from webui.site import Site

ASIDE = ".emptied-"
CACHE = "cache"  # trainer.preparation.CACHE_FOLDER


class SpaceError(RuntimeError):
    """It cannot be emptied now. The text says why."""


@dataclass(frozen=True)
class Used:
    """How much a folder holds. jobs: removed ones, 0 for the cache."""

    bytes: int
    files: int
    jobs: int = 0


def used_by_trash(site: Site) -> Used:
    """The removed jobs, and what a deletion that was cut short left."""
    trash = site.jobs_dir / TRASH
    removed = list_jobs(trash)
    return _sum([*(job.path for job in removed), *_left(trash)], len(removed))


def used_by_cache(site: Site) -> Used:
    """Latents and text outputs that training kept."""
    return _sum([site.state_dir / CACHE, *_left(site.state_dir)])


def empty_trash(site: Site) -> Used:
    """Delete the removed jobs for good. Returns what is left, which is nothing unless files could not be deleted."""
    trash = site.jobs_dir / TRASH
    with site.runner.quiet():
        aside = _aside(trash)
        for job in list_jobs(trash):
            if job.state() != "running":
                _move(job.path, aside / job.id)
    _delete(_left(trash))
    return used_by_trash(site)


def empty_cache(site: Site) -> Used:
    """Delete the cache; the next training makes it anew. Raises SpaceError while something trains on it."""
    with site.runner.quiet():
        busy = in_use(site)
        if busy is not None:
            raise SpaceError(f"{busy} uses the cache now; wait for its end or stop it")
        cache = site.state_dir / CACHE
        if cache.is_dir():
            _move(cache, _aside(site.state_dir) / CACHE)
    _delete(_left(site.state_dir))
    return used_by_cache(site)


def in_use(site: Site) -> str | None:
    """Who trains in this folder now, from the page or from a command line; None when nobody does."""
    names = [shown_name(job, site.digests.glance(job).started) for job in site.runner.running()]
    return names[0] if names else next(_command_lines(site.root), None)


def _command_lines(root: Path) -> Iterator[str]:
    """`python -m trainer train ...` processes whose working folder, and with it their cache, is ours."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            words = process.cmdline()
            if "trainer" in words and "train" in words and Path(process.cwd()).resolve() == root:
                yield f"python -m trainer train (PID {process.pid})"


def _sum(folders: Iterable[Path], jobs: int = 0) -> Used:
    size = files = 0
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                with suppress(OSError):
                    size += Path(parent, name).lstat().st_size
                    files += 1
    return Used(size, files, jobs)


def _aside(parent: Path) -> Path:
    folder = parent / f"{ASIDE}{secrets.token_hex(6)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _left(parent: Path) -> list[Path]:
    return [path for path in parent.glob(f"{ASIDE}*") if path.is_dir() and not path.is_symlink()]


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        raise SpaceError(f"{path} cannot be moved ({error.strerror or error}); close programs that use it") from error


def _delete(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)  # what stays is counted, and tried again the next time
