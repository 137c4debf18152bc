"""CLIP's byte-pair encoding and the 75-token chunks of the trainers. LIGHT: counts tokens without torch.

The vocabulary is OpenAI's `bpe_simple_vocab_16e6.txt.gz` (MIT) out of the openai-clip package, which is located and
never imported. Padding is written by hand, since SD 1 pads with the end token and SD 2 with 0.
"""

from __future__ import annotations

import gzip
import heapq
import importlib.metadata
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

BOS, EOS = 49406, 49407
CHUNK = 75  # tokens of text in a chunk of 77
VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"
_NUM_MERGES = 49152 - 256 - 2


class Tokenizer:
    """Text to CLIP token ids, equal to OpenAI's own tokenizer."""

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        """merges: the pairs in order of rank; the vocabulary follows from them."""
        import regex

        letters = list(_byte_letters().values())
        words = letters + [letter + "</w>" for letter in letters] + [first + second for first, second in merges]
        self._ids = {word: number for number, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._known: dict[str, list[int]] = {}
        self._pieces = regex.compile(
            r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
            regex.IGNORECASE,
        )

    def ids(self, text: str) -> list[int]:
        """Token ids of a text, without begin and end."""
        import ftfy

        text = re.sub(r"\s+", " ", ftfy.fix_text(text)).strip().lower()
        return [number for piece in self._pieces.findall(text) for number in self._piece_ids(piece)]

    def count(self, text: str) -> int:
        """Tokens that a caption takes, without begin and end."""
        return len(self.ids(text))

    def chunks(self, text: str, max_token_length: int | None = None, pad: int = EOS) -> list[list[int]]:
        """Padded chunks of 77 ids: one, or two or three for max_token_length 150 or 225. Text beyond is cut.

        pad: EOS for SD 1 and SDXL's first encoder, 0 for SD 2 and SDXL's second. As sd-scripts: chunks break every 75
        tokens, not at commas (KOHYA_COMPAT 4.2).
        """
        return self._chunked(self.ids(text), max_token_length, pad)

    def weighted(
        self, pieces: Sequence[tuple[str, float]], max_token_length: int | None = None, pad: int = EOS
    ) -> tuple[list[list[int]], list[float]]:
        """The chunks of a text in pieces (see emphasis.parse) and a weight for each of the 77, 152 or 227 positions.

        Each piece is tokenized alone, as sd-scripts does; begin, end and padding weigh 1.
        """
        length = 77 if max_token_length is None else max_token_length + 2
        ids: list[int] = []
        weights: list[float] = []
        for text, weight in pieces:
            found = self.ids(text)
            ids += found
            weights += [weight] * len(found)
        weights = [1.0, *weights[: length - 2]]
        return self._chunked(ids, max_token_length, pad), weights + [1.0] * (length - len(weights))

    def _chunked(self, text_ids: Sequence[int], max_token_length: int | None, pad: int) -> list[list[int]]:
        length = 77 if max_token_length is None else max_token_length + 2
        ids = [BOS, *text_ids[: length - 2], EOS]
        ids += [pad] * (length - len(ids))
        if max_token_length is None:
            return [ids]
        chunks = []
        for start in range(1, length - 1, CHUNK):
            chunk = [BOS, *ids[start : start + CHUNK], ids[-1]]
            if pad != EOS:
                if chunk[-2] not in (EOS, pad):
                    chunk[-1] = EOS
                if chunk[1] == pad:
                    chunk[1] = EOS
            chunks.append(chunk)
        return chunks

    def _piece_ids(self, piece: str) -> list[int]:
        if piece not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[piece] = [self._ids[word] for word in self._merged(piece)]
        return self._known[piece]

    def _merged(self, piece: str) -> list[str]:
        """Join the letters of a piece pair by pair, the best-ranked pair first, until none is known.

        Known pairs wait in a heap: looking at the whole word for every pair takes minutes for 10,000 letters. A pair
        with a joined part always ranks behind the pair that the part was made of, so the order is the same.
        """
        if piece in ("<|startoftext|>", "<|endoftext|>"):
            return [piece]
        word = [self._letters[byte] for byte in piece.encode("utf-8")]
        word[-1] += "</w>"
        end = len(word)
        before, after = list(range(-1, end - 1)), list(range(1, end + 1))
        waiting = [
            (self._ranks[pair], place, pair) for place, pair in enumerate(zip(word, word[1:], strict=False))
            if pair in self._ranks
        ]  # fmt: skip
        heapq.heapify(waiting)
        while waiting:
            _, place, (first, second) = heapq.heappop(waiting)
            follower = after[place]
            if word[place] != first or follower == end or word[follower] != second:
                continue  # one of the two was joined with another neighbour meanwhile
            word[place], word[follower] = first + second, ""
            after[place] = after[follower]
            if after[place] != end:
                before[after[place]] = place
            for start in (before[place], place):
                if start >= 0 and after[start] != end:
                    pair = (word[start], word[after[start]])
                    if pair in self._ranks:
                        heapq.heappush(waiting, (self._ranks[pair], start, pair))
        return [part for part in word if part]


@lru_cache(maxsize=1)
def clip_tokenizer() -> Tokenizer:
    """The tokenizer of every Stable Diffusion model. Raises FileNotFoundError when the vocabulary is not installed."""
    text = gzip.decompress(_vocabulary().read_bytes()).decode("utf-8")
    lines = text.split("\n")[1 : _NUM_MERGES + 1]
    return Tokenizer([(first, second) for first, second in (line.split() for line in lines)])


def _vocabulary() -> Path:
    try:
        files = importlib.metadata.files("openai-clip") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == VOCABULARY_FILE:
            return Path(str(file.locate()))
    raise FileNotFoundError(
        f"{VOCABULARY_FILE} was not found; install the package openai-clip (pip install openai-clip)"
    )


def _byte_letters() -> dict[int, str]:
    """A printable letter for every byte, in the order of CLIP's vocabulary: printable bytes stand for themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + index) for index, byte in enumerate(others)}
