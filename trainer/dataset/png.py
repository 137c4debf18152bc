"""A PNG file as far as it is seen: the chunks that make its pixels, without text, profiles and animation. LIGHT.

PIL reads text and colour profiles while it opens a picture, and takes one of more than 1 MB for an attack, as it does a
checksum that does not fit, so that sound pictures of drawing programs count as damaged. `Visible` is the same file
without those chunks; none of PIL's own limits is touched. It also tells what PIL loses: the shade that a picture
without an alpha channel shows as transparent.
PNG specification, third edition, W3C 2025, sections 5.3 (layout of chunks), 11.3.1.1 (tRNS).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import IO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
GREY, COLOURS, PALETTE = 0, 2, 3  # colour types that can have a tRNS chunk
LARGEST_EXIF_BYTES = 2**24


@dataclass(frozen=True)
class Shade:
    """The one shade that is transparent: grey, or red, green and blue, as numbers of `depth` bits."""

    values: tuple[int, ...]
    depth: int


class Visible:
    """A PNG as a file to read, made of the chunks that make its pixels and its EXIF.

    animated, shade: known once the header was read. shade: None without a transparent shade; a palette's transparency
    stays in the file.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._length = stream.seek(0, 2)
        self._parts: list[tuple[int, int, int]] = [(0, 0, len(SIGNATURE))]  # place here, place in the file, bytes
        self._next = self._end = len(SIGNATURE)  # of the next chunk in the file, of what is known here
        self._place = 0
        self._depth = self._colour_type = 0
        self.animated = False
        self.shade: Shade | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer than `size` only at the end."""
        wanted = self._length if size < 0 else size
        while self._end < self._place + wanted and self._add_chunk():
            pass
        found = []
        for start, place, length in self._parts:
            if wanted and start <= self._place < start + length:
                skipped = self._place - start
                self._stream.seek(place + skipped)
                data = self._stream.read(min(wanted, length - skipped))
                found.append(data)
                self._place += len(data)
                wanted -= len(data)
        return b"".join(found)

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of any file."""
        if whence == 2:
            while self._add_chunk():
                pass
        self._place = max(0, offset + {0: 0, 1: self._place, 2: self._end}[whence])
        return self._place

    def tell(self) -> int:
        """As of any file."""
        return self._place

    def _add_chunk(self) -> bool:
        """Look at one more chunk of the file; False at its end."""
        self._stream.seek(self._next)
        head = self._stream.read(8)
        if not head:
            return False
        if len(head) < 8:
            self._take(len(head))
            return True
        length, kind = struct.unpack(">I4s", head)
        whole = min(length + 12, self._length - self._next)
        if kind in PIXELS or self._is_wanted(kind, length):
            self._take(whole)
        else:
            self._next += whole
        return True

    def _take(self, length: int) -> None:
        """Let the next bytes of the file be read here."""
        start, place, known = self._parts[-1]
        if place + known == self._next:
            self._parts[-1] = (start, place, known + length)
        else:
            self._parts.append((self._end, self._next, length))
        self._next += length
        self._end += length
        if self._depth == 0:
            self._stream.seek(len(SIGNATURE) + 8)
            self._depth, self._colour_type = struct.unpack(">8xBB", self._stream.read(10).ljust(10, b"\0"))

    def _is_wanted(self, kind: bytes, length: int) -> bool:
        """Whether PIL is to see a chunk that is not made of pixels. One whose checksum is wrong is passed over."""
        if kind not in (b"tRNS", b"eXIf", b"acTL") or length > LARGEST_EXIF_BYTES:
            return False
        data = self._stream.read(length)
        checksum = self._stream.read(4)
        if checksum != zlib.crc32(kind + data).to_bytes(4, "big"):
            return False
        if kind == b"acTL":
            self.animated = len(data) == 8 and int.from_bytes(data[:4], "big") > 1
            return False
        if kind == b"eXIf" or self._colour_type == PALETTE:
            return len(data) > 0
        count = {GREY: 1, COLOURS: 3}.get(self._colour_type, 0)
        if count and len(data) >= 2 * count:
            values = struct.unpack(f">{count}H", data[: 2 * count])
            self.shade = Shade(tuple(value % 2**self._depth for value in values), self._depth)
        return False
