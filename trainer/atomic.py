"""The one way a file that matters is written: beside its place, synced, then moved over it. LIGHT.

A crash, a kill or a full disk leaves either the old file or the new one, never half of each (SAFETY R13).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from trainer.locks import HELD_BY_ANOTHER, is_at, lock_open_file

TEMPORARY_SUFFIX = ".athanor-tmp"
TEMPORARY_NAME = re.compile(rf"\.(?:[0-9a-f]{{16}}|.+\.[0-9a-f]{{12}}){re.escape(TEMPORARY_SUFFIX)}", re.DOTALL)
TEMPORARY_NAME_LENGTH = 1 + 16 + len(TEMPORARY_SUFFIX)
REPLACE_PATIENCE_SECONDS = 2.0
FORGOTTEN_SECONDS = 3600.0  # nothing takes so long to write
MOVED_SECONDS = 60.0  # Windows: between closing a file and moving it lie at most some seconds
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTSUP)
HOPELESS = (
    errno.ENAMETOOLONG, errno.EROFS, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EFBIG,
    errno.ENOTSUP, errno.ENOSYS,
)  # fmt: skip
TOO_LONG_ON_WINDOWS = 206  # ERROR_FILENAME_EXCED_RANGE


class WriteError(OSError):
    """A file could not be written; the old one, if any, is untouched. The text names the file and the cure."""

    def __str__(self) -> str:
        """The sentence alone, without the number of the system's error."""
        return self.strerror or super().__str__()


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
    # short whatever the target's name: a file system counts bytes, 255 or fewer
    temporary = path.with_name(f".{_host()}{secrets.token_hex(5)}{TEMPORARY_SUFFIX}")
    moved = False
    try:
        stream = _open_new(temporary)
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if sys.platform == "win32":
                stream.close()  # an open file cannot be moved there
            if verify is not None:
                verify(temporary)
            if replace:
                _keep_mode(path, temporary)
                _replace(temporary, path)
            else:
                _place(temporary, path)
            moved = True
        finally:
            with contextlib.suppress(OSError):  # on a full disk closing fails as writing did; that one is to be heard
                stream.close()
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise _explained(error, path, moved) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone already, or the error that is under way says more
            temporary.unlink()


def heals(error: OSError) -> bool:
    """True when the same write may succeed later, as on a full disk; False for a name too long, a read-only disk."""
    return error.errno not in HOPELESS and getattr(error, "winerror", None) != TOO_LONG_ON_WINDOWS


def sweep(folder: Path) -> int:
    """Remove temporary files that a killed process left in `folder`; returns how many. Never touches anything else.

    A file that is being written is locked by its writer, and the system lets go of a lock with the process: what is
    free belongs to nobody. Where that cannot be known, because the folder is shared with another machine or has no
    locks, a file is removed an hour after its last change.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    removed += _remove_left(Path(entry.path))
    return removed


def _remove_left(path: Path) -> bool:
    """Remove a temporary file that nobody writes any more. Raises OSError where it may not be opened or removed."""
    known = path.name.startswith(f".{_host()}") and len(path.name) == TEMPORARY_NAME_LENGTH
    if sys.platform == "win32":  # a file that is being written cannot be removed there
        left = _unchanged(path, MOVED_SECONDS if known else FORGOTTEN_SECONDS)
        if left:
            path.unlink()
        return left
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        try:
            lock_open_file(descriptor)
        except OSError as error:
            left = error.errno not in HELD_BY_ANOTHER and _unchanged(path, FORGOTTEN_SECONDS)
        else:
            left = known or _unchanged(path, FORGOTTEN_SECONDS)
        if left:
            path.unlink()
        return left
    finally:
        os.close(descriptor)


def _unchanged(path: Path, seconds: float) -> bool:
    return time.time() - path.stat().st_mtime > seconds


@functools.cache
def _host() -> str:
    """6 digits that tell this machine from others that may write into the same folder."""
    return hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:6]


def _open_new(path: Path) -> BinaryIO:
    """A new file, locked while it is open so that `sweep` leaves it alone. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        descriptor = os.open(path, flags, 0o666)
        if sys.platform == "win32":
            break
        with contextlib.suppress(OSError):  # no locks on this file system, or a sweep has it: then it is gone below
            lock_open_file(descriptor)
        if is_at(path, descriptor):
            break
        os.close(descriptor)
    return os.fdopen(descriptor, "wb")


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


def sync_folder(folder: Path) -> None:
    """Make a new name in the folder outlast a power cut, where the file system can."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:  # some network drives refuse; a folder may be writable and not readable
        if error.errno not in UNSUPPORTED:
            raise


def _explained(error: OSError, path: Path, moved: bool = False) -> WriteError:
    """The same error in words. moved: it came after the file had got its name."""
    if isinstance(error, WriteError):
        return error
    too_long = "its name or its path is too long for this disk; shorten it, or choose a folder with a shorter path"
    reasons = {
        errno.ENOSPC: "the disk is full; free some space and try again",
        errno.EDQUOT: "your disk quota is used up; free some space and try again",
        errno.EACCES: "no permission to write there; choose another folder or change its rights",
        errno.EPERM: "no permission to write there; choose another folder or change its rights",
        errno.EROFS: "the folder is read-only; choose another one",
        errno.ENOENT: too_long if _is_too_long(error, path) else f"the folder {path.parent} does not exist",
        errno.ENAMETOOLONG: too_long,
        errno.EFBIG: "this disk takes no file of that size; choose a folder on another disk",
        errno.EISDIR: "a folder has that name; rename it or choose another name",
        errno.EILSEQ: "this disk takes no name of that kind; rename it",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    if moved:
        return WriteError(error.errno or 0, f"{path} was written, but the disk may lose it again: {reason}")
    return WriteError(
        error.errno or 0, f"{path} was not written: {reason}. The old file, if there was one, is untouched"
    )


def _is_too_long(error: OSError, path: Path) -> bool:
    """Windows calls a path of more than 260 letters one that does not exist, though its folder does."""
    if sys.platform != "win32":
        return False
    return error.winerror == TOO_LONG_ON_WINDOWS or path.parent.is_dir()
