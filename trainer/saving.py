"""When a run saves, under which names, and which of its own files it removes again (KOHYA_COMPAT 8.1). LIGHT."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.atomic import TEMPORARY_NAME_LENGTH

if TYPE_CHECKING:
    from trainer.config.problems import Problem
    from trainer.config.save import Save


FILE_SUFFIXES = (".safetensors", ".ckpt", ".pt")
STATE_SUFFIX = "-state"
BUILDING, REMOVING = ".building", ".removing"  # behind the name of a state folder that is not whole
LOCK_SUFFIX = ".athanor-lock"
LONGEST_NAME_BYTES = 255  # of ext4, APFS and most others; NTFS counts 255 UTF-16 units, which are never more
LONGEST_PATH_ON_WINDOWS = 259
MOST_COPIES, MOST_STEPS, MOST_PROMPTS, LARGEST_SEED = 9999, 99_999_999, 9999, 2**64 - 1
UNNAMED = {"epoch": "epoch", "step": "at", "end": "last"}  # what files of a run without output_name are called


@dataclass(frozen=True)
class Moment:
    """A point at which something is saved: the end of an epoch, a step, or the end of the run."""

    kind: str  # "epoch", "step", "end"
    number: int = 0  # epoch from 1, or optimizer step

    def suffix(self) -> str:
        """What stands behind the output name: -000002, -step00000500 or nothing."""
        return {"epoch": f"-{self.number:06d}", "step": f"-step{self.number:08d}", "end": ""}[self.kind]

    def file_name(self, name: str, named: bool = True) -> str:
        """What is saved at this moment by the run `name`, without extension: cat-000002.

        named: False for a run without output_name, called last or last-2: epoch-000002, at-step00000500, last.
        """
        own = name if named else name.replace(UNNAMED["end"], UNNAMED[self.kind], 1)
        return f"{own}{self.suffix()}"


def epoch_interval(section: Save, num_epochs: int) -> int | None:
    """Every how many epochs a file is written; save_n_epoch_ratio overrides save_every_n_epochs."""
    if section.save_n_epoch_ratio:
        return max(1, num_epochs // section.save_n_epoch_ratio)
    return section.save_every_n_epochs


def due_after_epoch(section: Save, epoch: int, num_epochs: int) -> bool:
    """An epoch file is due; the last epoch has none, it is the final file."""
    every = epoch_interval(section, num_epochs)
    return bool(every) and epoch % every == 0 and epoch < num_epochs  # type: ignore[operator]


def due_after_step(section: Save, step: int) -> bool:
    """A step file is due; it may fall on the last step and stand beside the final file."""
    return bool(section.save_every_n_steps) and step % section.save_every_n_steps == 0  # type: ignore[operator]


def outdated(section: Save, moment: Moment, num_epochs: int, state: bool = False) -> Moment | None:
    """The file (or state) of this run that the save at `moment` makes superfluous, or None.

    sd-scripts removes exactly one at a time; a state follows its own limit, or the file's where it has none.
    """
    if moment.kind == "epoch":
        keep = section.save_last_n_epochs
        keep = section.save_last_n_epochs_state or keep if state else keep
        every = epoch_interval(section, num_epochs)
        number = moment.number - every * keep if keep and every else 0
    elif moment.kind == "step":
        keep = section.save_last_n_steps
        keep = section.save_last_n_steps_state or keep if state else keep
        every = section.save_every_n_steps
        number = (moment.number - keep - 1) // every * every if keep and every else 0
    else:
        return None
    return Moment(moment.kind, number) if number > 0 else None


def holds_files_of(folder: Path, name: str) -> bool:
    """Whether a folder holds files of a run called `name`, which the next one of that name must not write over."""
    if not folder.is_dir():
        return False
    stems = [path.stem for path in folder.iterdir() if path.suffix in FILE_SUFFIXES]
    unnamed = name.partition("-")[0] == UNNAMED["end"]
    names = [name, *(name.replace(UNNAMED["end"], word, 1) for word in UNNAMED.values() if unnamed)]
    tails = [stem.removeprefix(f"{one}-") for stem in stems for one in names if stem.startswith(f"{one}-")]
    return name in stems or any(
        tail.removeprefix("step").isdecimal() and len(tail.removeprefix("step")) >= 6 for tail in tails
    )


def free_name(folder: Path, wanted: str, others: Container[str] = ()) -> str:
    """The name that a run started now would save under: the wanted one, or `wanted-2`, `wanted-3` …

    others: names under which other runs save, or will, into the same folder.
    """
    name, number = wanted, 1
    while name in others or holds_files_of(folder, name):
        number += 1
        name = f"{wanted}-{number}"
    return name


def sample_name(output_name: str, number: int, seed: int, epoch: int | None, step: int) -> str:
    """sd-scripts' name of a sample file: `name_e000002_00_20261120114200_42.png`; without an epoch the step counts."""
    moment = f"e{epoch:06d}" if epoch is not None else f"{step:06d}" if step else "e000000"
    prefix = f"{output_name}_" if output_name else ""
    return f"{prefix}{moment}_{number:02d}_{time.strftime('%Y%m%d%H%M%S')}_{seed}.png"


def longest_names(name: str) -> tuple[str, str]:
    """The longest names that a run called `name` gives: in its output folder, among its states."""
    copy = f"{name}-{MOST_COPIES}"
    saved = Moment("step", MOST_STEPS).file_name(copy)
    files = [
        f"{saved}-{MOST_COPIES}{max(FILE_SUFFIXES, key=len)}",
        sample_name(copy, MOST_PROMPTS, LARGEST_SEED, None, MOST_STEPS),
        f".{copy}{LOCK_SUFFIX}",
    ]
    state = f"{saved}{STATE_SUFFIX}-{MOST_COPIES}{max(BUILDING, REMOVING, key=len)}"
    return max(files, key=len), state


def name_limit(folder: Path) -> int:
    """How many bytes a name may have on the disk that holds a folder, or will hold it: 255, or 143 where it encrypts
    names."""
    if hasattr(os, "pathconf"):
        with contextlib.suppress(OSError, ValueError):
            return min(os.pathconf(_existing(folder), "PC_NAME_MAX"), LONGEST_NAME_BYTES)
    return LONGEST_NAME_BYTES


def path_limit(folder: Path) -> int:
    """How long a whole path below a folder may be: in UTF-16 units on Windows, where only a setting of the system
    allows more than 259, else in bytes."""
    if sys.platform == "win32":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):  # before Windows 10
            return 32_000 if ctypes.windll.ntdll.RtlAreLongPathsEnabled() else LONGEST_PATH_ON_WINDOWS
        return LONGEST_PATH_ON_WINDOWS
    with contextlib.suppress(OSError, ValueError):
        return os.pathconf(_existing(folder), "PC_PATH_MAX") - 1
    return 4095


def too_long(folder: Path, name: str | None, states: bool = False) -> Problem | None:
    """What to say where the disk would not take the files, or the states, of a run called `name`; else None.

    folder: where they would lie; it need not exist yet.
    """
    from trainer.config.problems import Problem  # trainer.config takes names from here

    name = name or max(UNNAMED.values(), key=len)
    longest = longest_names(name)[states]
    limit, length = name_limit(folder), name_length(longest)
    if length > limit:
        said = (
            'output_name "{name}" is too long for {folder}: with what is added to it a name would have {length} bytes, '
            "and this disk takes {limit}; shorten it by {over} bytes (a Chinese character has 3)"
        )
        return Problem("save.output_name", said, {"name": name, "folder": folder, "length": length, "limit": limit,
                                                  "over": length - limit})  # fmt: skip
    temporary = "x" * TEMPORARY_NAME_LENGTH
    inside = f"{longest}{os.sep}{temporary}" if states else max(longest, temporary, key=_path_length)
    limit, length = path_limit(folder), _path_length(os.path.abspath(folder / inside))
    if length > limit:
        said = (
            'a path in {folder} would have {length} letters with output_name "{name}", and this system takes {limit}; '
            "choose a folder with a shorter path or shorten the name"
        )
        return Problem("save.output_dir", said, {"folder": folder, "length": length, "name": name, "limit": limit})
    return None


def name_length(text: str) -> int:
    """The length of a name in bytes, as a disk counts it."""
    return len(text.encode("utf-8", "surrogatepass"))


def _path_length(text: str) -> int:
    """The length of a path as this system counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if sys.platform == "win32" else name_length(text)


def new_device(folder: Path) -> str | None:
    """The name of a Windows device among the folders that would have to be made for `folder`, or None."""
    from trainer.config.file_names import is_device

    place = Path("/") if sys.platform == "win32" else _existing(folder)  # there even a device seems to exist
    parts = Path(os.path.abspath(folder)).parts[len(place.parts) :]
    return next(filter(is_device, parts), None)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists. Raises OSError."""
    whole = Path(os.path.abspath(folder))
    for place in (whole, *whole.parents):
        with contextlib.suppress(OSError):
            if place.exists():
                return place
    return whole


def output_folder(section: Save) -> Path:
    """Where LoRA files go."""
    return Path(section.output_dir or "output")
