"""What a training state's folder says without its weights: whether it is complete, where it stands. LIGHT.

The folder is written, and read with its weights, in checkpoint.py. What a run that goes on takes from it: resuming.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer import jsontext
from trainer.config.file_names import fault_of
from trainer.saving import BUILDING, REMOVING, STATE_SUFFIX

STATE_VERSION = 1
MANIFEST = "manifest.json"  # written last, it makes a state complete
STATE_FILES = ("network.safetensors", "optimizer.safetensors", "optimizer.json", "progress.json")


class StateError(ValueError):
    """A training state is missing, damaged or of another run. The text names the folder and the cure."""


def read_progress(folder: Path) -> dict[str, Any]:
    """Where a state stands: step, epoch, batch, seed and the rest. Raises StateError, OSError or ValueError."""
    progress = jsontext.parse((folder / "progress.json").read_text(encoding="utf-8"))
    if progress.get("version") != STATE_VERSION:
        raise StateError(
            f"{folder}: it was written by another version of this program (state version {progress.get('version')})"
        )
    _check_progress(progress)
    return dict(progress)


def _check_progress(progress: Mapping[str, Any]) -> None:
    """A state may come from anybody: what becomes a file name or a number of the run is looked at.

    Raises ValueError.
    """
    for name in ("step", "epoch", "batch", "seed"):
        if type(progress.get(name, 0)) is not int or not 0 <= progress.get(name, 0) < 2**63:
            raise ValueError(f"{name} is {progress[name]!r}")
    fault = fault_of(progress.get("output_name", "last"))
    if fault:
        raise ValueError(f"the name {progress['output_name']!r} cannot be used: {fault}")


def position(resume: str) -> tuple[Path, dict[str, Any]] | None:
    """The state that `resume` means and where it stands, without a look at its weights; None when none can be found.

    Quick, for a form: whether the state is whole is seen when it is loaded.
    """
    folder = Path(resume)
    try:
        found = [path.parent for path in folder.glob("*-state*/manifest.json")]
        newest = max(found, key=lambda path: (path.stat().st_mtime_ns, path.name), default=folder)
        return newest, read_progress(newest)
    except (OSError, ValueError, RuntimeError, AttributeError):
        return None


def incomplete(folder: Path) -> str | None:
    """What is wrong with a state folder, or None when it is complete and unchanged."""
    try:
        manifest = jsontext.parse((folder / "manifest.json").read_text(encoding="utf-8"))
        for name in STATE_FILES:
            told = manifest[name]
            data = (folder / name).read_bytes()
            if len(data) != told["bytes"] or hashlib.sha256(data).hexdigest() != told["sha256"]:
                return f"{name} is damaged"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing, it was not written to its end"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"it cannot be read ({error})"
    return None


def newest_state(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest complete state below a folder, and a sentence for each newer one that was passed over."""
    passed: list[str] = []
    unfinished = (BUILDING, REMOVING)
    found = [path for path in folder.glob(f"*{STATE_SUFFIX}*") if path.is_dir() and not path.name.endswith(unfinished)]
    # file systems tell times in steps of some milliseconds: the name decides between neighbours
    for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True):
        fault = incomplete(path)
        if fault is None:
            return path, passed
        passed.append(f"{path}: {fault}")
    return None, passed
