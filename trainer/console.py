"""What a run prints: from which level on, in which form, and where to (console_log_*). LIGHT.

Everybody says through LOG; a step says with PROGRESS, so that its line rewrites itself on a console and is a line of
its own elsewhere. For programs there are the events; what is printed is never parsed.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.config import ConfigError, Problem
from trainer.config.problems import printable

if TYPE_CHECKING:
    from trainer.config.log import Log

LOG = logging.getLogger("athanor")
PROGRESS = {"progress": True}
PREFIXES = {logging.WARNING: "warning: ", logging.ERROR: "error: "}  # CRITICAL is a traceback and needs none


def open_console(section: Log, main: bool = True) -> None:
    """Print from now on as `section` asks; what an earlier run of this process opened is closed.

    main: of the process that talks to the user; the others tell errors only. Raises ConfigError when the log file
    cannot be opened.
    """
    close_console()
    LOG.propagate = False
    LOG.setLevel(section.console_log_level or "INFO")
    console = _Console(section.console_log_simple)
    LOG.addHandler(console)
    if not main:
        console.setLevel(logging.ERROR)
    elif section.console_log_file:
        console.setLevel(logging.ERROR)  # the end of a run is never silent
        LOG.addHandler(_file(Path(section.console_log_file)))


def close_console() -> None:
    """Close the log file, if there is one."""
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
        handler.close()


class _Console(logging.Handler):
    """Standard output up to INFO, standard error above, whatever they are at that moment."""

    def __init__(self, simple: bool) -> None:
        super().__init__()
        self._simple = simple
        self._unfinished = False  # the cursor stands behind a line that rewrites itself

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line. A console that was closed or filled its disk is no reason to end a run."""
        text = PREFIXES.get(record.levelno, "") + printable(record.getMessage())
        rewrites = getattr(record, "progress", False) and not self._simple
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # the last: a signal came while printing
            if rewrites:
                print(f"\r{text}", end="", flush=True)
            else:
                if self._unfinished:
                    print(flush=True)
                print(text, file=sys.stderr if record.levelno > logging.INFO else sys.stdout, flush=True)
            self._unfinished = rewrites


def _file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="a", encoding="utf-8", errors="replace")
    except OSError as error:
        said = "{path} cannot be written: {reason}; choose another console_log_file"
        told = {"path": path, "reason": error.strerror or str(error)}
        raise ConfigError([Problem("log.console_log_file", said, told)]) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler
