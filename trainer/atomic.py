"""The one way a file that matters is written: beside its place, synced, then moved over it. LIGHT.

A crash, a kill or a full disk leaves either the old file or the new one, never half of each (SAFETY R13).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

TEMPORARY_SUFFIX = ".athanor-tmp"
REPLACE_PATIENCE_SECONDS = 2.0


class WriteError(OSError):
    """A file could not be written; the old one, if any, is untouched. The text names the file and the cure."""


def atomic_write(path: Path | str, data: bytes | str) -> None:
    """Replace the content of `path` with `data` (text as UTF-8) in one step.

    Raises WriteError naming the file when the disk is full or the folder is not writable; the old file stays whole.
    """
    with atomic_writer(path) as stream:
        stream.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextlib.contextmanager
def atomic_writer(
    path: Path | str, verify: Callable[[Path], None] | None = None, replace: bool = True
) -> Iterator[BinaryIO]:
    """Give a binary stream whose content becomes `path` when the block ends without an error.

    verify: called with the finished temporary file before it is moved; what it raises keeps the old file in place.
    replace: False raises FileExistsError where the name is taken by then, whoever took it.
    The mode of an existing file is kept; a new file gets the usual one (0666 less the umask).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    try:
        with _open_new(temporary) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if verify is not None:
            verify(temporary)
        if replace:
            _keep_mode(path, temporary)
            _replace(temporary, path)
        else:
            _place(temporary, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def sweep(folder: Path, older_than_seconds: float = 3600) -> int:
    """Remove temporary files that a killed process left in `folder`; returns how many. Never touches anything else."""
    removed = 0
    if not folder.is_dir():
        return 0
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > older_than_seconds:
                path.unlink()
                removed += 1
    return removed


def _open_new(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def _keep_mode(path: Path, temporary: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))


def _replace(temporary: Path, path: Path) -> None:
    """os.replace; on Windows a virus scanner or Explorer may hold the target for a moment, so try for two seconds."""
    deadline = time.monotonic() + REPLACE_PATIENCE_SECONDS
    while True:
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _place(temporary: Path, path: Path) -> None:
    """Give a file its name where nothing has that name. Raises FileExistsError."""
    try:
        os.link(temporary, path)  # unlike a move it never replaces; the first name goes in the end
    except FileExistsError:
        raise
    except OSError:  # a file system without second names, such as exFAT
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        _replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explained(error: OSError, path: Path) -> WriteError:
    if isinstance(error, WriteError):
        return error
    reasons = {
        errno.ENOSPC: "the disk is full; free some space and try again",
        errno.EDQUOT: "your disk quota is used up; free some space and try again",
        errno.EACCES: "no permission to write there; choose another folder or change its rights",
        errno.EPERM: "no permission to write there; choose another folder or change its rights",
        errno.EROFS: "the folder is read-only; choose another one",
        errno.ENOENT: f"the folder {path.parent} does not exist",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return WriteError(
        error.errno or 0, f"{path} was not written: {reason}. The old file, if there was one, is untouched"
    )
