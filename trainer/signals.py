"""Requests to end: Ctrl-C, SIGTERM, a terminal or console that is closed; answered in our own way for as long as
something lasts. And `say`, for programs whose terminal may be gone. LIGHT.

SIGQUIT and SIGKILL, and Task Manager on Windows, are left as they are: an end at once, for programs that hang.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO

Answer = Callable[[int, FrameType | None], None]
STOPPING = "stopping after this step; the state will be saved (press Ctrl-C again to end at once)"
# SIGHUP: the terminal or the connection to it is gone. SIGBREAK: Ctrl-Break, or a closed console of Windows
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
CLOSED, LOGGED_OFF, SHUT_DOWN = 2, 5, 6  # events of a Windows console after which the system ends the process


def ending_signals() -> list[signal.Signals]:
    """What asks this program to end. Without SIGHUP where it was started with nohup, which ignores it on purpose."""
    known = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [one for one in known if one.name != "SIGHUP" or signal.getsignal(one) is not signal.SIG_IGN]


@contextlib.contextmanager
def answered_by(answer: Answer) -> Iterator[None]:
    """`answer` gets the signal's number; what answered before does so again afterwards.

    A closed terminal may be reported several times, by the shell and by the system: once it was heard, it is ignored
    for good, so that a late report does not end a program that saves and leaves with its own exit code.
    """
    hung_up = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal hung_up
        hung_up = hung_up or signal.Signals(number).name == "SIGHUP"
        leave_closed_terminal()
        answer(number, frame)

    before = {number: signal.signal(number, hear) for number in ending_signals()}
    try:
        with _closing_console_waits():
            yield
    finally:
        for number, handler in before.items():
            gone = number.name == "SIGHUP" and (hung_up or signal.getsignal(number) is signal.SIG_IGN)
            signal.signal(number, signal.SIG_IGN if gone else handler)


def closed_terminal_is_sigterm() -> None:
    """From now on a closed terminal is answered as SIGTERM is, by whoever answers that. In the main thread."""
    if hasattr(signal, "SIGHUP") and signal.SIGHUP in ending_signals():

        def pass_on(_: int, __: FrameType | None) -> None:
            leave_closed_terminal()
            signal.raise_signal(signal.SIGTERM)

        signal.signal(signal.SIGHUP, pass_on)


def leave_closed_terminal() -> None:
    """Let what is printed from now on go nowhere if the terminal is gone; writing to it would be an error."""
    if sys.platform == "win32":
        return
    import termios

    for descriptor in (1, 2):
        try:
            os.fstat(descriptor)
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:  # a file or a pipe has another one
                _to_nowhere(descriptor)
        except OSError:
            continue


def say(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print a line on standard error, or on `stream`. A console that is gone is no reason to end."""
    stream = sys.stderr if stream is None else stream
    try:
        print(text, end=end, file=stream, flush=True)
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            _to_nowhere(stream.fileno())  # what it still holds is written when the program ends


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextlib.contextmanager
def _closing_console_waits() -> Iterator[None]:
    """On Windows: a console that is closed, a log-off and a shutdown count as SIGBREAK.

    The system ends the process when the handler returns, so it never does: some seconds are left to save in, as many
    as the system gives.
    """
    if sys.platform != "win32":
        yield
        return
    import ctypes

    @ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_ulong)
    def closing(event: int) -> int:
        if event not in (CLOSED, LOGGED_OFF, SHUT_DOWN):
            return 0
        signal.raise_signal(signal.SIGBREAK)
        threading.Event().wait()
        return 1

    ctypes.windll.kernel32.SetConsoleCtrlHandler(closing, 1)
    try:
        yield
    finally:
        ctypes.windll.kernel32.SetConsoleCtrlHandler(closing, 0)
