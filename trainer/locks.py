"""Locks between programs: who trains a job, who saves under a name, who computes on a card. LIGHT.

A lock is the operating system's, on an open file: it is gone the moment its process is, however that ended, so none is
ever stale. What the file says is for people.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from pathlib import Path

HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
LOCKED_BYTE = 2**30  # Windows forbids others to read what is locked; nothing stands so far behind
LONGEST_WORDS_BYTES = 2000


class Lock:
    """A lock that this process holds, until `release` or its own end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let go, and remove the file. More than once does no harm."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if sys.platform == "win32":
            os.close(descriptor)  # an open file cannot be removed there
        with contextlib.suppress(OSError):
            self._path.unlink()  # while nobody else can have the lock: they look whether the file is still there
        if sys.platform != "win32":
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def take(path: Path, words: str = "") -> Lock | None:
    """The lock of that file, or None while another holds it. words: who has it now, for those who are refused.

    Where a file system has no locks (some network drives) everybody gets one. Raises OSError when the file cannot be
    made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o666)
        try:
            lock_open_file(descriptor)
        except OSError as error:
            if error.errno in HELD_BY_ANOTHER:
                os.close(descriptor)
                return None
        if is_at(path, descriptor):
            break
        os.close(descriptor)  # its holder ended and removed it just now
    with contextlib.suppress(OSError):  # a full disk is no reason to refuse
        os.ftruncate(descriptor, 0)
        os.write(descriptor, words.encode("utf-8", "replace")[:LONGEST_WORDS_BYTES])
    return Lock(path, descriptor)


def words_in(path: Path) -> str:
    """What the holder of a lock wrote about itself, fit for a console; "" when that cannot be read."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        text = stream.read(LONGEST_WORDS_BYTES).decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else " " for letter in text)
    return ""


def take_card(card: str, words: str) -> tuple[Lock | None, str | None]:
    """(the lock of a graphics card on this machine, None) or (None, who has it). card: an id that no other card has.

    (None, None) where there is no place for such locks, or another user of the machine has it.
    """
    path = Path(tempfile.gettempdir()) / f"athanor-card-{card}.lock"
    try:
        lock = take(path, words)
    except OSError:
        return None, None
    return (None, words_in(path) or "another run") if lock is None else (lock, None)


def lock_open_file(descriptor: int) -> None:
    """Lock an open file until it is closed.

    Raises OSError: one of HELD_BY_ANOTHER, or what a file system without locks says.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_at(path: Path, descriptor: int) -> bool:
    """True while the open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
