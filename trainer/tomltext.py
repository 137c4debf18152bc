"""TOML as plain values. LIGHT.

tomlkit keeps comments and order for files that are written; to read one it takes seconds for each 100 KB, and for many
tables a time that grows with the square of their number.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from trainer.jsontext import TOO_MANY_DIGITS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACE = re.compile(r"\(at line (\d+), column \d+\)$")


class NotTomlError(ValueError):
    """A text is no TOML. The text says why and in which line and column, for the end of a sentence. line: of the
    mistake, counted from 1."""

    def __init__(self, reason: str, line: int) -> None:
        self.line = line
        super().__init__(reason)


def parse(text: str) -> dict[str, Any]:
    """The tables of the text. Raises NotTomlError, and RecursionError where lists or tables are nested too deep."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, lines = str(error), text.split("\n")
        place = PLACE.search(reason)
        line = int(place[1]) if place else len(lines)
        if reason.startswith("Cannot overwrite a value"):
            name = lines[line - 1].partition("=")[0].strip()
            reason = f'Key "{name[:80]}" already exists in its table (line {line})'
        raise NotTomlError(reason, line) from None
    except ValueError:  # Python's limit for whole numbers, in words for programmers
        raise NotTomlError(TOO_MANY_DIGITS, 0) from None
