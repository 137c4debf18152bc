"""The files that a job's events and settings name, and which of them the page reads, offers or continues from. LIGHT.

A job's folder may come from anybody: a path in it is looked at before it is used, and what it names by its content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.config import parse
from trainer.families.weights import describe
from trainer.job import Job
from webui.form_import import read_text
from webui.progress import Digest

LORA_FILES = (".safetensors", ".ckpt", ".pt")
LARGEST_CONFIG_BYTES = 4 * 2**20
LARGEST_MANIFEST_BYTES = 2**20


class UnreadableConfig(ValueError):
    """A job's config.toml cannot be read. The text says why."""


def stamp_of(path: Path) -> tuple[int, int]:
    """What changes with a file: its time in nanoseconds and its size in bytes; zeros when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def config_text(job: Job) -> str:
    """A job's settings as TOML. Raises UnreadableConfig."""
    try:
        with job.config_path.open("rb") as stream:
            data = stream.read(LARGEST_CONFIG_BYTES + 1)
    except OSError as error:
        raise UnreadableConfig(f"{job.config_path}: {error.strerror or error}") from error
    if len(data) > LARGEST_CONFIG_BYTES:
        raise UnreadableConfig(f"{job.config_path} is larger than {LARGEST_CONFIG_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableConfig(f"{job.config_path} is not UTF-8 text") from error


def place_of(root: Path, path: str | None) -> Path | None:
    """A path of an event as a place on this machine; None where there is none.

    On Windows a look at \\\\server\\share sends the user's name and a hash of the password there.
    """
    if not path or "\0" in path or path.startswith(("\\\\", "//", "\\/", "/\\")):
        return None
    return root / path  # the trainer's working folder is the root


def exists(path: Path | None) -> bool:
    """Whether something lies there; a name that no system takes has nothing."""
    try:
        return path is not None and path.exists()
    except (OSError, ValueError):
        return False


def inside(folders: Iterable[Path], path: Path) -> bool:
    """Whether a path, links followed, lies below one of the folders."""
    try:
        real = path.resolve()
        return any(real.is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, links in a circle
        return False


def below(folders: Sequence[Path], path: Path) -> str:
    """A path as people read it: relative to the first of these folders that holds it."""
    return next((str(path.relative_to(folder)) for folder in folders if path.is_relative_to(folder)), str(path))


def output_folders(root: Path, output_dir: Path, job: Job) -> list[Path]:
    """Where a job saves: the page's output folder, and the one that its settings name."""
    folders = [output_dir]
    try:
        named = parse(read_text(config_text(job), "config.toml")).config.save.output_dir
    except (ValueError, RecursionError):
        return folders
    place = place_of(root, named)
    return folders if place is None else [*folders, place]


def is_lora(path: Path) -> bool:
    """Whether a file's own header says that it is a LoRA; a name says nothing."""
    try:
        return path.suffix.lower() in LORA_FILES and os.access(path, os.R_OK) and describe(path).kind == "lora"
    except (OSError, ValueError):
        return False


def newest_state(root: Path, digest: Digest) -> Path | None:
    """The complete training state of the highest step among those of a job's run that still lie there."""
    named = [(state.get("step", 0), state.get("path")) for state in digest.states]
    if digest.end.get("state"):
        named.append((digest.end.get("step", 0), digest.end["state"]))
    for _, path in sorted(named, key=lambda entry: entry[0], reverse=True):
        folder = place_of(root, path)
        if folder is not None and is_complete_state(folder):
            return folder
    return None


def is_complete_state(folder: Path) -> bool:
    """Whether a state's folder holds every file that its manifest lists, at its size."""
    try:
        with (folder / "manifest.json").open("rb") as stream:
            manifest = json.loads(stream.read(LARGEST_MANIFEST_BYTES))
        return all((folder / name).stat().st_size == _bytes_of(entry) for name, entry in manifest.items())
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _bytes_of(entry: Any) -> Any:
    return entry.get("bytes") if isinstance(entry, Mapping) else None
