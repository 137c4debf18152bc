"""Captions: read, split into tags, and made into the text of one use of a picture. LIGHT.

The order of `process` is that of kohya-ss/sd-scripts (results of that program in tests/golden/captions.json).
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from trainer.encodings import guesses, unicode_codec, words_for
from trainer.families.emphasis import parse

if TYPE_CHECKING:
    from trainer.config.caption import Caption

MAX_CAPTION_BYTES = 1_000_000
BY_CHANCE = (
    "shuffle_caption", "caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate",
    "token_warmup_step",
)  # fmt: skip
_WD_FACES = "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_||"
_OTHER_FACES = (
    ";_; -_- t_t n_n v_v q_q w_w p_q d_b 0_o o_0 o_x x_o o_< ^_- -_^ -_o o_- >_> <_< >_@ @_< *_* $_$ ~_~ '_' #_#"
)
FACES = frozenset(f"{_WD_FACES} {_OTHER_FACES}".split())  # tags whose underscore is a mouth; WD: taggers know these
_SPACES = re.compile(r"(\s+)")
LINE_ENDS = re.compile(r"(\r\n|\n|\r)")
CHOICE = re.compile(r"\{([^}]+)\}")
OPEN_BRACE, CLOSE_BRACE = "\ue000", "\ue001"  # stand for {{ and }} meanwhile: private characters, in no caption


class CaptionError(ValueError):
    """A caption file cannot be used. The text names the file, the place in it and the cure."""


def read_caption(path: Path | str) -> str:
    """The whole text of a caption file as `read_text` gives it; line ends become "\\n"."""
    return read_text(path).replace("\r\n", "\n").replace("\r", "\n")


def read_text(path: Path | str) -> str:
    """The whole text of a caption file: UTF-8, with or without a byte order mark, with the line ends of the file.

    Raises CaptionError naming the file and the byte that is not UTF-8, with a guess at what the file is instead.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise CaptionError(f"{path} is not a file; put the caption into a plain text file")
        size = path.stat().st_size
        if size > MAX_CAPTION_BYTES:
            raise CaptionError(f"{path} holds {size} bytes, too many for a caption; keep it below {MAX_CAPTION_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise CaptionError(f"{path} cannot be read: {error.strerror or error}; check the file's rights") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + (len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
        line = data[:offset].count(b"\n") + 1
        raise CaptionError(
            f"{path}: byte {offset} (line {line}) is not UTF-8{_other(data)}; save the file again as UTF-8"
        ) from None
    if "\0" in text:
        raise CaptionError(
            f"{path}: byte {data.index(0)} is zero, so it is not UTF-8{_other(data)}; save the file again as UTF-8"
        )
    return text


def split_lines(text: str) -> list[str]:
    """Lines and line ends in turn: ["a, b", "\\r\\n", "c"]; joined they are the text again, byte for byte."""
    return LINE_ENDS.split(text)


def spaced(tag: str) -> str:
    """Underscores as spaces: `white_hair` -> `white hair`; faces such as `^_^` stay, escaped or weighed ones too."""
    if "_" not in tag:
        return tag
    return "".join(word if _is_face(word) else word.replace("_", " ") for word in _SPACES.split(tag)).strip()


def _is_face(word: str) -> bool:
    return "".join(piece for piece, _ in parse(word)).casefold() in FACES  # (o)_(o) reads as o_o, one of them too


def split(text: str, separator: str = ",") -> list[str]:
    """Tags of a caption, stripped, without empty ones."""
    return [tag for tag in (part.strip() for part in text.split(separator)) if tag]


def join(tags: Iterable[str], separator: str = ",") -> str:
    """Tags with the separator and a space between them, so that `split` finds the same tags again.

    sd-scripts always puts a comma: there "a; b; c" becomes "a, c, b" as soon as tags are shuffled.
    """
    return (separator if separator[-1:].isspace() else f"{separator} ").join(tags)


def stored(text: str, wildcards: bool = False) -> str:
    """What of a caption file is used: its first line; with wildcards all lines that are not blank."""
    lines = [line.strip() for line in text.split("\n")]
    return "\n".join(line for line in lines if line) if wildcards else lines[0]


def with_tags(caption: str | None, tags: str | None, separator: str, wildcards: bool = False) -> str:
    """Caption and tags of a metadata file in one text: "a cat" and "red, blue" -> "a cat,red, blue".

    With wildcards every line of the caption gets the tags. Tags alone are a caption too (sd-scripts loses them there).
    """
    if wildcards and tags:
        tags = tags.replace("\n", separator)
    if not caption or not caption.strip():
        return tags or ""
    if not tags:
        return caption
    lines = [line for line in caption.split("\n") if line.strip()] if wildcards else [caption]
    return "\n".join(f"{line}{separator}{tags}" for line in lines)


def process(caption: str, options: Caption, rng: Random, epoch: int, step: int, max_steps: int) -> str:
    """The text for one use of a picture whose stored caption is `caption`.

    rng decides all chances; epoch counts from 1, step from 0 of max_steps. In this order: prefix and suffix, dropout,
    choice of a line, wildcards, then (when anything acts on tags) kept tags, warm-up, shuffling, tag dropout, and last
    the secondary separator. Unlike sd-scripts the marker of keep_tokens_separator never stays in the text, and tags are
    joined by the separator that parts them in the file.
    """
    if options.caption_prefix:
        caption = f"{options.caption_prefix} {caption}"
    if options.caption_suffix:
        caption = f"{caption} {options.caption_suffix}"
    if _dropped(options, rng, epoch):
        return ""
    if options.enable_wildcard:
        lines = caption.split("\n")
        # As sd-scripts: a single line is no choice, and a number drawn for it would change all that is drawn after it.
        caption = _choose(rng.choice(lines) if len(lines) > 1 else caption, rng)
    else:
        caption = caption.split("\n")[0]
    marker = options.keep_tokens_separator
    acting = options.shuffle_caption or options.token_warmup_step > 0 or options.caption_tag_dropout_rate > 0
    if acting or (marker and marker in caption):
        caption = _arranged(caption, options, rng, step, max_steps)
    if options.secondary_separator:
        caption = caption.replace(options.secondary_separator, options.caption_separator)
    return caption


def measured(caption: str, options: Caption, rng: Random) -> str:
    """The text with which a held-out picture is measured: as `process` makes it, but nothing is dropped or shuffled.

    rng chooses among lines and wildcards; one that is made anew for each picture always gives the same text.
    """
    still = options.model_copy(update=dict.fromkeys(BY_CHANCE, 0))
    return process(caption, still, rng, 1, 0, 1)


def _dropped(options: Caption, rng: Random, epoch: int) -> bool:
    if options.caption_dropout_rate > 0 and rng.random() < options.caption_dropout_rate:
        return True
    every = options.caption_dropout_every_n_epochs
    return every > 0 and epoch % every == 0


def _choose(line: str, rng: Random) -> str:
    """{red|blue} becomes one of its parts, {{ and }} become single braces."""
    line = line.replace("{{", OPEN_BRACE).replace("}}", CLOSE_BRACE)
    line = CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), line)
    return line.replace(OPEN_BRACE, "{").replace(CLOSE_BRACE, "}")


def _arranged(caption: str, options: Caption, rng: Random, step: int, max_steps: int) -> str:
    """Shuffle and thin the tags that are not kept."""
    separator, marker = options.caption_separator, options.keep_tokens_separator
    tail: list[str] = []
    if marker and marker in caption:
        first, rest, *last = caption.split(marker)
        head, flexible = split(first, separator), split(rest, separator)
        tail = [tag for part in last for tag in split(part, separator)]
    else:
        tags = [tag.strip() for tag in caption.strip().split(separator)]  # empty tags stay, as in sd-scripts
        head, flexible = tags[: options.keep_tokens], tags[options.keep_tokens :]
    warmup = options.token_warmup_step
    if 0 < warmup < 1:
        warmup = math.floor(warmup * max_steps)
    if step < warmup:
        least = options.token_warmup_min
        flexible = flexible[: math.floor(step * ((len(flexible) - least) / warmup)) + least]
    if options.shuffle_caption:
        rng.shuffle(flexible)
    if options.caption_tag_dropout_rate > 0:
        flexible = [tag for tag in flexible if rng.random() >= options.caption_tag_dropout_rate]
    return join(head + flexible + tail, separator)


def _other(data: bytes) -> str:
    """What a file that is not UTF-8 is or looks like, as the end of a sentence."""
    wide = unicode_codec(data)
    if wide is not None:
        return " but UTF-32" if "32" in wide else " but UTF-16 (called Unicode in old Notepad)"
    likely = guesses(data)
    return f" but looks like {words_for(likely)}" if likely else ""
