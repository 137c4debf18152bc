"""Ctrl-C and SIGTERM, answered in our own way for as long as something lasts. LIGHT."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

STOPPING = "stopping after this step; the state will be saved (press Ctrl-C again to end at once)"


@contextlib.contextmanager
def answered_by(answer: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """`answer` gets the signal's number; what answered before does so again afterwards."""
    before = {number: signal.signal(number, answer) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
