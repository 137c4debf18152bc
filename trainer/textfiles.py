"""Text files that people bring along: in which encoding they are, and TOML or JSON with what is wrong in it. LIGHT.

Unicode is read. Other encodings can only be guessed (encodings.py), so they are named, and read when somebody says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from trainer import jsontext, tomltext
from trainer.encodings import ENCODINGS, guesses, unicode_codec, words_for

Kind = Literal["TOML", "JSON", "YAML"]
LARGEST_BYTES = 2 * 2**20
DEEPEST = 32  # tables and lists in each other; settings have three


class TextFileError(ValueError):
    """A text file cannot be used. template and values make its sentence; values["codec"] is a guessed encoding."""

    def __init__(self, template: str, **values: Any) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


def read_text(path: Path) -> str:
    """The text of a file. Raises TextFileError when it is missing, too large, or not text in Unicode."""
    try:
        if path.exists() and not path.is_file():
            raise TextFileError("{path} is not a file; choose a file", path=path)
        if path.stat().st_size > LARGEST_BYTES:
            raise TextFileError("{path} is larger than 2 MB; this is not a training configuration", path=path)
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise TextFileError("{path} cannot be read: {reason}", path=path, reason=reason) from error
    except ValueError as error:
        if isinstance(error, TextFileError):
            raise
        raise TextFileError("{path} cannot be read: {reason}", path=path, reason=error) from error
    return decoded(data, str(path))


def decoded(data: bytes, path: str, codec: str | None = None) -> str:
    """The text of bytes. codec: what somebody says that they are in. Raises TextFileError naming the encoding."""
    if codec in ENCODINGS:
        return data.decode(codec, "replace")
    try:
        text = data.decode(unicode_codec(data) or "utf-8").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        likely = guesses(data)
        if not likely:
            said = "{path} is not UTF-8 text (byte {place}); save it as UTF-8"
            raise TextFileError(said, path=path, place=error.start) from error
        said = "{path} is not UTF-8 text but looks like {encoding}; save it as UTF-8"
        raise TextFileError(said, path=path, encoding=words_for(likely), codec=likely[0]) from error
    if "\0" in text:
        said = "{path} holds zero bytes, so it is no text file or was not written to its end; choose another"
        raise TextFileError(said, path=path)
    return text


def parse_document(text: str, path: str, kind: Kind) -> dict[str, Any]:
    """The tables of a TOML, JSON or YAML text. Raises TextFileError with the place and the cure."""
    if kind == "YAML":
        return _whole(_yaml(text, path), path)
    try:
        document = jsontext.parse_written(text) if kind == "JSON" else tomltext.parse(text)
    except (RecursionError, jsontext.TooDeepError) as error:
        raise _too_deep(path) from error
    except jsontext.NameTwiceError as error:
        said = "{path}: {name} stands there twice, as {first} and as {second}; remove one of them"
        raise TextFileError(said, path=path, name=error.name, first=error.first, second=error.second) from error
    except (jsontext.NotJsonError, tomltext.NotTomlError) as error:
        raise _invalid(text, path, kind, error) from error
    return _whole(document, path)


def _yaml(text: str, path: str) -> Any:
    """What a YAML text holds. Anchors are refused: a few of them, in each other, make a huge document."""
    import yaml

    said = "{path} is not valid YAML: {reason}"
    try:
        tokens = list(yaml.scan(text))
        if any(isinstance(token, (yaml.AnchorToken, yaml.AliasToken)) for token in tokens):
            raise TextFileError(said, path=path, reason="write each value out in place of & and *")
        return yaml.safe_load(text)
    except RecursionError as error:
        raise _too_deep(path) from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, TextFileError):
            raise
        raise TextFileError(said, path=path, reason=" ".join(str(error).split())) from error


def _whole(document: Any, path: str) -> dict[str, Any]:
    """A document that is a table, and not too deep. Raises TextFileError."""
    if not isinstance(document, dict):
        said = "{path} holds {what} in place of names with values; choose a settings file"
        raise TextFileError(said, path=path, what="a list" if isinstance(document, list) else "a single value")
    if jsontext.deeper(document, DEEPEST):
        raise _too_deep(path)
    return document


def _invalid(text: str, path: str, kind: Kind, error: jsontext.NotJsonError | tomltext.NotTomlError) -> TextFileError:
    long = re.search("[0-9]{1000,}", text)
    if long and str(error) == jsontext.TOO_MANY_DIGITS:
        said = "{path} holds a number of {count} digits in line {line}; no setting is that large"
        return TextFileError(said, path=path, count=len(long[0]), line=text.count("\n", 0, long.start()) + 1)
    lines = text.split("\n")
    # a string that \" does not end is wrong only where the next line begins
    places = [n for n in (error.line, error.line - 1) if 1 <= n <= len(lines)]
    near = next((n for n in places if _single_backslash(lines[n - 1])), None)
    if near is not None and kind == "TOML":
        return TextFileError(
            "{path} is not valid TOML in line {line}, where single \\ stand in double quotes: write / or \\\\ in place "
            "of each \\, or put the path into single quotes",
            path=path, line=near,
        )  # fmt: skip
    if near is not None:
        said = "{path} is not valid JSON in line {line}, where single \\ stand: write / or \\\\ in place of each \\"
        return TextFileError(said, path=path, line=near)
    said = "{path} is not valid JSON: {reason}" if kind == "JSON" else "{path} is not valid TOML: {reason}"
    return TextFileError(said, path=path, reason=error)


def _single_backslash(line: str) -> bool:
    return re.search(r'"[^"\\]*(?:\\\\[^"\\]*)*\\[^\\]', line) is not None


def _too_deep(path: str) -> TextFileError:
    return TextFileError("{path} has tables in tables without end; this is not a training configuration", path=path)
