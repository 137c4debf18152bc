"""What can be done to a caption: pure functions from text to text. LIGHT.

A caption file may hold several lines (each a caption of its own when wildcards are on), so every operation works line
by line, and a line whose tags do not change keeps its bytes. Which pictures are meant and undo are in tagstore.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from trainer.dataset import captions

Transform = Callable[[str, Sequence[str]], str]  # (text, its tags) -> text
Kind = Literal[
    "text", "tags", "add", "remove", "replace", "find", "dedupe", "sort", "trim", "spaces", "revert", "restore"
]

LONGEST_CAPTION = 60_000  # letters
_EMPTY_LINES = re.compile(r"\A(?:[^\S\r\n]*(?:\r\n|\n|\r))+")


class Edit(BaseModel):
    """One thing to do, as the page asks for it. Fields that a kind does not use are ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    tags: tuple[str, ...] = ()
    replacement: tuple[str, ...] = ()
    text: str = Field(default="", max_length=200_000)
    find: str = Field(default="", max_length=2_000)
    place: Literal["start", "end"] = "end"
    by: Literal["name", "frequency"] = "name"
    keep: int = Field(default=0, ge=0, le=255)
    merge: str = Field(default="", max_length=80)

    @field_validator("tags", "replacement", "text", "find")
    @classmethod
    def _storable(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """Half a surrogate pair or a zero byte would make a caption that cannot be written or read back."""
        whole = value if isinstance(value, str) else "".join(value)
        if "\0" in whole or any("\ud800" <= letter <= "\udfff" for letter in whole):
            raise ValueError("the text has a character that cannot be stored in a text file; type it again")
        return value


class EditError(ValueError):
    """The edit as asked makes no sense; the text says what to give."""


class TooLong(ValueError):
    """A caption would become longer than LONGEST_CAPTION."""


def tags_of(text: str) -> tuple[str, ...]:
    """All tags of a caption in order, those of every line; empty ones left out."""
    if "\n" not in text and "\r" not in text:
        return tuple(captions.split(text))
    return tuple(tag for line in captions.split_lines(text)[::2] for tag in captions.split(line))


def clean(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as typed: commas and line breaks part them, spaces around go, repetitions go."""
    parts = (part.strip() for tag in tags for part in re.split(r"[,\r\n]", tag))
    return tuple(dict.fromkeys(part for part in parts if part))


def each_line(text: str, tags: Sequence[str], change: Callable[[list[str]], list[str]], rewrite: bool = False) -> str:
    """`text` with the tags of each line that has any changed; a caption without tags counts as one empty line.

    tags: those of `text`, known already: splitting ten thousand captions again would double the time of a batch.
    rewrite: write every line anew even where its tags stay, which puts spacing in order.
    """
    if "\n" not in text and "\r" not in text:
        after = change(list(tags))
        return captions.join(after) if rewrite or after != list(tags) else text
    pieces = captions.split_lines(text)
    lines = {n: split for n in range(0, len(pieces), 2) if (split := captions.split(pieces[n]))}
    for n, before in (lines or {0: []}).items():
        after = change(before)
        if rewrite or after != before:
            pieces[n] = captions.join(after)
    return "".join(pieces)


def read_first(text: str, change: Callable[[str], str]) -> str:
    """`text` changed, without the empty lines at its top: training would read those in place of the tags below."""
    rest = _EMPTY_LINES.sub("", text) if text.strip() else text
    after = change(rest)
    return text if after == rest else after


def with_tags(text: str, tags: Sequence[str]) -> str:
    """`text` with the tags of its first line that has any replaced by `tags`, in this order."""
    wanted = [part for tag in tags for part in captions.split(tag.replace("\n", ",").replace("\r", ","))]
    pieces = captions.split_lines(text)
    first = next((n for n in range(0, len(pieces), 2) if captions.split(pieces[n])), 0)
    if wanted != captions.split(pieces[first]):
        pieces[first] = captions.join(wanted)
    return "".join(pieces)


def first_line_tags(text: str) -> tuple[str, ...]:
    """Tags of the first line that has any: the one that training uses, unless wildcards are on or it is not on top."""
    return next((tags for line in captions.split_lines(text)[::2] if (tags := tags_of(line))), ())


def with_text(text: str, wanted: str) -> str:
    """`wanted` as typed in a browser (line ends \\n), with the line ends that `text` uses."""
    wanted = wanted.replace("\r\n", "\n").replace("\r", "\n")
    return wanted.replace("\n", "\r\n") if "\r\n" in text else wanted


def transform(edit: Edit, frequency: Callable[[str], int]) -> Transform:
    """The function that does `edit` to one caption. frequency: how many pictures have a tag, for sorting by it.

    Raises EditError when the edit lacks what it needs. Does not know "revert" and "restore": these need the store.
    """
    tags, replacement = clean(edit.tags), clean(edit.replacement)
    if edit.kind in ("add", "remove", "replace") and not tags:
        raise EditError("No tag was given: type or select at least one tag")
    if edit.kind == "find" and not edit.find:
        raise EditError("Nothing to search for was given: type the text to be replaced")
    table: dict[str, Transform] = {
        "text": lambda text, known: with_text(text, edit.text),
        "tags": lambda text, known: read_first(text, lambda rest: with_tags(rest, edit.tags)),
        "add": lambda text, known: read_first(
            text, lambda rest: each_line(rest, known, lambda line: add(line, tags, edit.place))
        ),
        "remove": lambda text, known: each_line(text, known, lambda line: remove(line, tags)),
        "replace": lambda text, known: each_line(text, known, lambda line: replace(line, tags, replacement)),
        "find": lambda text, known: substitute(text, edit.find, edit.text),
        "dedupe": lambda text, known: each_line(text, known, lambda line: list(dict.fromkeys(line))),
        "sort": lambda text, known: each_line(text, known, lambda line: arrange(line, edit.by, edit.keep, frequency)),
        "trim": lambda text, known: each_line(text.strip("\r\n \t"), known, squeeze, rewrite=True),
        "spaces": lambda text, known: each_line(text, known, lambda line: [captions.spaced(tag) for tag in line]),
    }
    if edit.kind not in table:
        raise EditError(f"{edit.kind!r} is not something that can be done to a caption")
    return table[edit.kind]


def substitute(text: str, find: str, put: str) -> str:
    """`text` with `put` wherever `find` stands. Raises TooLong before a result of gigabytes is built."""
    if text.count(find) * (len(put) - len(find)) > LONGEST_CAPTION:
        raise TooLong
    return text.replace(find, put)


def add(line: list[str], tags: Sequence[str], place: str) -> list[str]:
    """At the start: `tags` come first, those already there move. At the end: only those missing are added."""
    if place == "start":
        return [*tags, *(tag for tag in line if tag not in tags)]
    return [*line, *(tag for tag in tags if tag not in line)]


def remove(line: list[str], tags: Sequence[str]) -> list[str]:
    """The line without `tags`; everything else stays, repeated tags too."""
    return [tag for tag in line if tag not in tags]


def replace(line: list[str], tags: Sequence[str], replacement: Sequence[str]) -> list[str]:
    """`replacement` where the first of `tags` stood; the others of `tags` go. What is there already is not doubled."""
    if not any(tag in tags for tag in line) or list(tags) == list(replacement):
        return line
    first = next(n for n, tag in enumerate(line) if tag in tags)
    others = [tag for tag in line if tag not in tags]
    new = [tag for tag in replacement if tag not in others]
    before = sum(tag not in tags for tag in line[:first])
    return [*others[:before], *new, *others[before:]]


def arrange(line: list[str], by: str, keep: int, frequency: Callable[[str], int]) -> list[str]:
    """Tags sorted by name or, commonest first, by how many pictures have them; the first `keep` stay where they are."""
    head, tail = line[:keep], line[keep:]
    if by == "frequency":
        return [*head, *sorted(tail, key=lambda tag: (-frequency(tag), tag.casefold()))]
    return [*head, *sorted(tail, key=str.casefold)]


def squeeze(line: list[str]) -> list[str]:
    """Runs of spaces inside a tag become one."""
    return [" ".join(tag.split()) for tag in line]
