"""What a person writes about a job: another name, a note, a star; and under which name a job is shown. LIGHT.

They lie in the job's folder (about.json), so that they move and survive with it. A job's folder may come from anybody:
what is not a short text is as if it were not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from trainer import jsontext, tomltext
from trainer.atomic import atomic_write
from trainer.config.problems import printable
from trainer.job import Job
from webui.jobfiles import config_text, stamp_of

LONGEST_NAME = 100
LONGEST_NOTE = 2000
LARGEST_FILE_BYTES = 64 * 2**10
REMEMBERED = 1000
LINES = frozenset("\n\t")  # what a note may hold and a name may not
# separators of lines and letters that turn the direction of what follows them, so that a text shows as another
HIDDEN = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class AboutError(ValueError):
    """A name or a note that cannot be kept. The text says why."""


@dataclass(frozen=True)
class About:
    """name: "" for the one that the run saves under."""

    name: str = ""
    note: str = ""
    star: bool = False


def about(job: Job) -> About:
    """What was written about a job; nothing where its file is missing or damaged."""
    return _about(job.about_path, *stamp_of(job.about_path))


def change(job: Job, name: str | None = None, note: str | None = None, star: bool | None = None) -> About:
    """Keep another name, note or star; None leaves one as it is. Raises AboutError, trainer.atomic.WriteError."""
    before = about(job)
    made = About(
        before.name if name is None else _checked(name, "name", LONGEST_NAME),
        before.note if note is None else _checked(note.replace("\r\n", "\n"), "note", LONGEST_NOTE, LINES),
        before.star if star is None else star,
    )
    if made != before:
        atomic_write(job.about_path, json.dumps(asdict(made), indent=1, ensure_ascii=False))
    return made


def shown_name(job: Job, started: Mapping[str, Any]) -> str:
    """The name that a job has on the page: the person's; else the one that its run saves under; before the first run
    the one that was asked for.

    started: the event of that name, or an empty one.
    """
    return about(job).name or _clean(started.get("name") or "")[:LONGEST_NAME] or asked_name(job) or name_of_id(job)


def asked_name(job: Job) -> str:
    """The output_name of a job's settings; "" without one."""
    return _asked(job, *stamp_of(job.config_path))


def name_of_id(job: Job) -> str:
    """The part of a job's id that the person chose."""
    return job.id.split("-", 2)[2].split("~")[0]


def _checked(text: str, what: str, longest: int, allowed: frozenset[str] = frozenset()) -> str:
    text = text.strip()
    if len(text) > longest:
        raise AboutError(f"The {what} has {len(text)} letters, {longest} at most; shorten it.")
    if _clean(text, allowed) != text:
        raise AboutError(f"The {what} holds characters that cannot be shown, such as a line break; type it again.")
    return text


def _clean(text: str, allowed: frozenset[str] = frozenset()) -> str:
    """The text without letters that cannot be shown."""
    shown = printable(text)
    return "".join("\ufffd" if letter in HIDDEN or (letter in LINES - allowed) else letter for letter in shown)


@lru_cache(maxsize=REMEMBERED)
def _about(path: Path, *stamp: int) -> About:
    try:
        with path.open("rb") as stream:
            content = jsontext.parse(stream.read(LARGEST_FILE_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return About()
    values = content if isinstance(content, dict) else {}
    name, note, star = (values.get(key) for key in ("name", "note", "star"))
    return About(
        _clean(name[:LONGEST_NAME]).strip() if isinstance(name, str) else "",
        _clean(note[:LONGEST_NOTE], LINES) if isinstance(note, str) else "",
        star is True,
    )


@lru_cache(maxsize=REMEMBERED)
def _asked(job: Job, *stamp: int) -> str:
    try:
        save = tomltext.parse(config_text(job)).get("save", {})
        return _clean(str(save.get("output_name") or ""))[:LONGEST_NAME] if isinstance(save, dict) else ""
    except (ValueError, RecursionError):
        return ""
