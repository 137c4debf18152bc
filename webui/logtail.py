"""Pieces of a growing log file by byte offset, as text. Folding of progress lines (\\r) is the reader's work. LIGHT."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MOST_BYTES = 128 * 2**10
FIRST_BYTES = 64 * 2**10
# Terminal colours and other control characters; tab, line feed and carriage return stay.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read(path: Path, offset: int) -> dict[str, Any]:
    """Text that stands after byte `offset`, and the offset to ask with next time.

    offset -1 = the last 64 KiB. At most 128 KiB are given; when more came, the older part is skipped and counted in
    `skipped`. An incomplete UTF-8 character at the end is held back. A file that shrank is read anew (`restarted`).
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return {"text": "", "offset": 0, "skipped": 0, "restarted": offset > 0}
    restarted = offset > size
    first = offset < 0 or restarted
    start = max(0, size - FIRST_BYTES) if first else offset
    skipped = start if first else 0
    if size - start > MOST_BYTES:
        skipped, start = size - MOST_BYTES - start, size - MOST_BYTES
    with path.open("rb") as stream:
        stream.seek(start)
        block = stream.read(MOST_BYTES)
    if skipped:
        whole = block.find(b"\n") + 1
        skipped, start, block = skipped + whole, start + whole, block[whole:]
    held = incomplete(block)
    block = block[: len(block) - held]
    text = CONTROL.sub("", block.decode("utf-8", "replace"))
    return {"text": text, "offset": start + len(block), "skipped": skipped, "restarted": restarted}


def incomplete(block: bytes) -> int:
    """How many bytes at the end of `block` begin a UTF-8 character that is not whole yet (0 to 3)."""
    for back in range(1, min(3, len(block)) + 1):
        byte = block[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0
