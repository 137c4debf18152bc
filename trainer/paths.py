"""Paths as people paste them, read one way in every field, file and command line. LIGHT.

What a file manager, a chat or a browser puts around a path is taken off: blanks and invisible marks, quotes of any
kind, `file://`, the slash at the end; `~` is the home folder. What cannot be a path is refused before a disk is asked.
"""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

QUOTES = ('""', "''", "“”", "”“", "„“", "„”", "‘’", "«»", "»«", "``", "＂＂", "＇＇")
LONGEST_PATH, LONGEST_NAME = 4096, 255  # bytes, on Windows letters
ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\b": r"\b", "\f": r"\f", "\x1b": r"\e", "\0": r"\0"}
FAULTS = {
    "control": (
        "{value} holds characters that no path has; in a TOML or JSON file write / or \\\\ in place of each single \\, "
        "in TOML single quotes around the path do as well"
    ),
    "zero": "{value} holds a zero byte, which no path has; type it again",
    "user": "{value}: there is no user {user} on this machine; write the whole path",
    "long": "{value} is too long for a path: {limit} {unit} at most, {name_limit} for each name in it",
    "text": "{value} holds characters that are no text, so no file can have that name; type the path anew",
}


class PathError(ValueError):
    """A text cannot be a path. kind: a key of FAULTS; values: what its sentence names."""

    def __init__(self, kind: str, values: Mapping[str, Any]) -> None:
        super().__init__(FAULTS[kind].format(**values))
        self.kind = kind
        self.values = dict(values)


def pasted(text: str) -> str:
    """The path that a person means. Raises PathError for what no path can be.

    "" stays "". Relative paths stay relative, and nothing is looked up on the disk. A path of another machine
    (`\\\\host\\share`, `file://host/share`) stays one, for the caller to refuse.
    """
    path = _unquoted(_bare(text))
    path = _from_url(path) if path[:5].lower() == "file:" else path
    if os.name != "nt":
        path = path.replace("\\ ", " ")  # as a terminal writes a blank
    if "\0" in path:
        raise PathError("zero", {"value": shown(path)})
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        raise PathError("control", {"value": shown(path)})
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise PathError("text", {"value": shown(path)}) from None
    path = _at_home(_without_end(path))
    in_bytes = os.name != "nt"
    sizes = [
        len(os.fsencode(part)) if in_bytes else len(part)
        for part in re.split(r"[/\\]" if os.name == "nt" else "/", path)
    ]
    if sum(sizes) + len(sizes) > LONGEST_PATH or max(sizes) > LONGEST_NAME:
        unit = "bytes" if in_bytes else "letters"
        raise PathError("long", {"value": shown(path), "limit": LONGEST_PATH, "unit": unit, "name_limit": LONGEST_NAME})
    return path


def readings(text: str) -> list[str]:
    """What a path in a file that a program wrote, or a person, may mean, the likeliest first: the text as it is, as a
    pasted path, and with the backslashes of Windows as slashes where they are none."""
    found = [text]
    with contextlib.suppress(PathError):
        found.append(pasted(text))
    if os.name != "nt":
        found += [one.replace("\\", "/") for one in found if "\\" in one]
    return list(dict.fromkeys(found))


def pasted_path(text: str) -> Path:
    """As `pasted`, for a command line's arguments: argparse prints the sentence of a PathError."""
    import argparse

    try:
        return Path(pasted(text))
    except PathError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def looks_like_path(text: str) -> bool:
    """Whether a text that may be something else, such as a prompt, is the path of a prompt file."""
    bare = _unquoted(_bare(text))
    if re.match(r"[A-Za-z]:[\t\n\r\b\f]", bare):
        return True
    return "\n" not in bare and bare.lower().endswith((".txt", ".toml", ".json"))


def shown(path: str) -> str:
    """A path for a sentence: quoted, with the backslashes that a file turned into control characters, cut when long."""
    text = "".join(ESCAPES.get(letter, letter) for letter in path)
    text = text.encode("utf-8", "replace").decode("utf-8")
    return f'"{text}"' if len(text) <= 120 else f'"{text[:117]}…"'


def _bare(text: str) -> str:
    """Without blanks, byte order marks and the marks of direction that Windows puts before a copied path."""
    start, end = 0, len(text)
    while start < end and _is_nothing(text[start]):
        start += 1
    while end > start and _is_nothing(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_nothing(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) == "Cf"


def _unquoted(text: str) -> str:
    for _ in range(2):  # a quoted path inside a quoted text
        if len(text) >= 2 and text[0] + text[-1] in QUOTES:
            text = _bare(text[1:-1])
    return _bare(text.strip('"'))  # a lone one: no path of Windows has it


def _from_url(url: str) -> str:
    """file:///a%20b -> /a b, file:///C:/x -> C:/x, file://host/share -> //host/share."""
    rest = url[5:].replace("\\", "/")
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    path = os.fsdecode(unquote_to_bytes(path)) if "%" in path else path
    if re.match(r"/+[A-Za-z]:", path):
        path = path.lstrip("/")
    return path if host.lower() in ("", "localhost", "127.0.0.1") else f"//{host}{path}"


def _without_end(path: str) -> str:
    """Without the slash at the end, unless it is the whole of a root."""
    ends = "/\\" if os.name == "nt" or re.match(r"[A-Za-z]:\\|\\\\", path) else "/"
    short = path.rstrip(ends)
    return path if not short or re.fullmatch(r"[A-Za-z]:", short) else short


def _at_home(path: str) -> str:
    if not path.startswith("~"):
        return path
    user = re.split(r"[/\\]", path)[0]
    try:
        return str(Path(user).expanduser()) + path[len(user) :]
    except RuntimeError:
        if path == user and user != "~":  # a file whose name begins so
            return path
        raise PathError("user", {"value": shown(path), "user": user[1:] or "~"}) from None
