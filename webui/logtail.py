"""Pieces of a growing log file by byte offset, as text. Folding of progress lines (\\r) is the reader's work. LIGHT."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

MOST_BYTES = 128 * 2**10
FIRST_BYTES = 64 * 2**10
LONGEST_REST_BYTES = 4 * 2**10
LONGEST_COLOUR_BYTES = 200
# Terminal colours and other control characters; tab, line feed and carriage return stay.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HALF_COLOUR = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?)?$")


def read(path: Path, offset: int) -> dict[str, Any]:
    """Text that stands after byte `offset`, and the offset to ask with next time.

    offset -1 = the last 64 KiB. At most 128 KiB are given; when more came, the older part is skipped and counted in
    `skipped`. Of a line that is cut there its end is given when it is long, else nothing. A character or a colour that
    is not whole at the end is held back. A file that shrank is read anew (`restarted`); one that cannot be read is
    empty.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            restarted = offset > size
            start = 0 if offset < 0 or restarted else offset
            most = FIRST_BYTES if offset < 0 or restarted else MOST_BYTES
            skipped = max(0, size - start - most)
            stream.seek(start + skipped)
            block = stream.read(most)
    except OSError:
        return {"text": "", "offset": 0, "skipped": 0, "restarted": offset > 0}
    if skipped:
        cut = _rest_of_line(block)
        skipped, block = skipped + cut, block[cut:]
    block = block[: len(block) - (incomplete(block) or _half_colour(block))]
    text = CONTROL.sub("", block.decode("utf-8", "replace"))
    return {"text": text, "offset": start + skipped + len(block), "skipped": skipped, "restarted": restarted}


def _rest_of_line(block: bytes) -> int:
    """How many bytes belong to the line or the character in whose middle a block begins."""
    for end in (b"\n", b"\r"):
        found = block.find(end, 0, LONGEST_REST_BYTES) + 1
        if found:
            return found
    return next((place for place in range(min(4, len(block))) if block[place] & 0xC0 != 0x80), 0)


def _half_colour(block: bytes) -> int:
    """How many bytes at the end of `block` begin a control sequence that is not whole yet."""
    found = HALF_COLOUR.search(block[-LONGEST_COLOUR_BYTES:])
    return len(found.group()) if found else 0


def incomplete(block: bytes) -> int:
    """How many bytes at the end of `block` begin a UTF-8 character that is not whole yet (0 to 3)."""
    for back in range(1, min(3, len(block)) + 1):
        byte = block[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0
