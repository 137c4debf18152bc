"""JSON of files that anybody may have changed: whatever cannot be read, or sent on, is a ValueError. LIGHT."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

TOO_MANY_DIGITS = "a number in it has thousands of digits; write a shorter one"
DEEPEST = 100  # tables and lists in each other that can be sent
HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # half of a surrogate pair, which \ud800 in JSON stands for


class NotJsonError(ValueError):
    """A text is no JSON, or JSON that nobody can use. The text says why, for the end of a sentence. line: of the
    mistake, counted from 1; 0 where no single line is wrong."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.line = line
        super().__init__(reason)


class TooDeepError(NotJsonError):
    """Lists or tables lie in each other beyond what Python reads."""


class NameTwiceError(NotJsonError):
    """A table gives one name two values, of which the first would be lost."""

    def __init__(self, name: str, first: Any, second: Any) -> None:
        self.name, self.first, self.second = name, _short(first), _short(second)
        super().__init__(f"{name} stands there twice, as {self.first} and as {self.second}; remove one of them")


def parse(text: str | bytes) -> Any:
    """What the text holds. Raises NotJsonError, also where lists are nested so deep that json.loads gives up."""
    return _parsed(text)


def parse_written(text: str) -> Any:
    """As `parse`, for what people write by hand: a name with two values in one table is a NameTwiceError."""
    return _parsed(text, object_pairs_hook=_once)


def _parsed(text: str | bytes, **options: Any) -> Any:
    try:
        return json.loads(text, **options)
    except RecursionError:
        raise TooDeepError("lists or tables in it are nested too deep") from None
    except NotJsonError:
        raise
    except json.JSONDecodeError as error:
        raise NotJsonError(str(error), error.lineno) from None
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from None
    except ValueError:  # Python's limit for whole numbers, in words for programmers
        raise NotJsonError(TOO_MANY_DIGITS) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table and table[name] != value:
            raise NameTwiceError(name, table[name], value)
        table[name] = value
    return table


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]


def texts_in(content: object) -> Iterator[str]:
    """Every text of a value, names of tables among them, at any depth."""
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend([*one, *one.values()])
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif isinstance(one, str):
            yield one


def unwritable(content: object) -> str | None:
    """What makes a text in it one that no file and no picture can hold: "a zero byte" or "half a character" (\\ud800),
    at any depth; None where every text is sound."""
    for text in texts_in(content):
        if "\0" in text:
            return "a zero byte"
        if HALF_CHARACTER.search(text):
            return "half a character"
    return None


def deeper(content: object, limit: int) -> bool:
    """Whether more than `limit` tables and lists lie in each other."""
    level, depth = [content], 0
    while level and depth <= limit:
        inner = [one.values() if isinstance(one, Mapping) else one for one in level if isinstance(one, (Mapping, list))]
        level, depth = [value for values in inner for value in values], depth + bool(inner)
    return depth > limit


def presentable(content: object) -> bool:
    """Whether a browser can be sent this: infinite numbers and halves of surrogate pairs are no JSON and no UTF-8, and
    what makes answers of it gives up on lists that lie in each other without end."""
    if deeper(content, DEEPEST):
        return False
    try:
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, TypeError, RecursionError):
        return False
    return True
