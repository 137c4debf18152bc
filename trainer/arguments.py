"""`name=value` arguments, as in optimizer_args and lr_scheduler_args: read, checked, converted. LIGHT.

Values are numbers, True, False, None, quoted text and comma-separated tuples; nothing is ever evaluated.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from trainer.numbers import ADVICE, NumberError, cure_of, decimal_commas, plain, read_number, whole_cure

Value = bool | int | float | str | None | tuple["Value", ...]
Kind = Literal["float", "int", "bool", "switch", "floats", "ints", "text"]

WORDS: dict[str, Value] = {"true": True, "false": False, "none": None}
KIND_WORDS = {
    "float": "a number", "int": "a whole number", "bool": "True or False", "switch": "True or False",
    "floats": "numbers such as 0.9,0.99", "ints": "whole numbers such as 100,200", "text": "text",
}  # fmt: skip


class ArgumentError(ValueError):
    """A name=value argument cannot be used. The text names it and the cure."""


@dataclass(frozen=True)
class Argument:
    """One argument that something takes. default: what it is when not given. optional: None is allowed too.

    low, high: the smallest and largest number that is allowed; below: one that is already too large. choices: the
    texts that are allowed. brings: what the form writes beside it when it is switched on, name=value.
    """

    name: str
    kind: Kind
    default: Value
    help: str
    optional: bool = False
    low: float | None = None
    high: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()

    def limit_words(self) -> str | None:
        """What is allowed, in words: "at least 0"; None without limits."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        limits = (("at least", self.low), ("at most", self.high), ("below", self.below))
        return " and ".join(f"{word} {number:g}" for word, number in limits if number is not None) or None

    def allows(self, value: Value) -> bool:
        """Whether a value of the right kind lies within the limits."""
        if isinstance(value, tuple):
            return all(self.allows(item) for item in value)
        if isinstance(value, str):
            return not self.choices or value.lower() in self.choices
        if isinstance(value, bool) or value is None:
            return True
        return not (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.below is not None and value >= self.below)
        )


def split_words(text: str) -> list[str]:
    """Words between blanks and line ends, as a command line has them; quotes hold a word together and are taken off.

    A backslash is a plain character, as in paths of Windows, and brackets hold together what is in them. A quote that
    is never closed is a plain character too.
    """
    words, word, quote, depth, started = [], "", "", 0, False
    for place, letter in enumerate(text):
        if quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "\"'" and (not word or word[-1] in "=,([") and text.find(letter, place + 1) >= 0:
            quote, started = letter, True
        elif letter.isspace() and (depth <= 0 or letter == "\n"):
            words += [word] if word or started else []
            word, started, depth = "", False, 0
        else:
            depth += (letter in "([") - (letter in ")]")
            word += letter
    return [*words, word] if word or started else words


def split_arguments(text: str) -> list[str]:
    """A line of arguments, with or without quotes, as single ones.

    'decouple=True weight_decay=0.01' and '"betas=0.9, 0.99", d_coef = 2' -> one `name=value` each. A line with one
    name keeps its blanks, which may be those of a path; a word without a name stays a word of its own, to be refused.
    """
    pieces: list[str] = []
    for word in split_words(re.sub(r"(?<![ \t])[ \t]*=[ \t]*", "=", text)):
        parts = re.split(r",(?=\s*[A-Za-z_]\w*=)", word)
        for part in filter(None, (part.strip().strip(";") for part in parts)):
            follows = pieces and "=" not in part and (pieces[-1].endswith(",") or part.startswith(","))
            if follows:
                pieces[-1] += part
            else:
                pieces.append(part)
    pieces = [piece.rstrip(",") for piece in pieces]
    if sum("=" in piece for piece in pieces) == 1 and len(pieces) > 1 and "=" in pieces[0]:
        return [" ".join(pieces)]
    return [re.sub(r"(?<!\s)\s*,\s*", ",", piece) if not _is_long(piece) else piece for piece in pieces]


def _is_long(piece: str) -> bool:
    """Whether blanks belong to a value, as in a path."""
    return bool(re.search(r"[/\\]", piece))


def parse_arguments(
    texts: Iterable[str], known: Mapping[str, Argument], what: str, example: str = "weight_decay=0.01"
) -> dict[str, Value]:
    """["betas=0.9,0.99", "weight_decay=0.1"] -> {"betas": (0.9, 0.99), "weight_decay": 0.1}, in the given order.

    what: whose arguments these are, for messages ("optimizer AdamW"). A whole number passes for a number.
    Raises ArgumentError for a text without "=", an unknown name (with the nearest known one) and a wrong kind.
    """
    arguments: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or "=" in value:
            raise ArgumentError(f"{what}: {text!r} is not of the form name=value, such as {example}")
        if name not in known:
            raise ArgumentError(f"{what} has no argument {name!r}; {suggestion(name, known)}")
        arguments[name] = _converted(known[name], value.strip(), what)
        if not known[name].allows(arguments[name]):
            raise ArgumentError(f"{what}: {name}={value.strip()} must be {known[name].limit_words()}")
    return arguments


def suggestion(name: str, known: Iterable[str]) -> str:
    """'did you mean X?' where something is near, else the list of what there is."""
    known = list(known)
    folded = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"it takes {', '.join(known)}" if known else "it takes none"


def parse_value(text: str) -> Value:
    """One value as Python would write it: 1, 1e-3, True, None, 'text', (0.9, 0.99). Other text stays text."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text[:1] + text[-1:] in ("()", "[]"):
        return _tuple(text[1:-1])
    if "," in text:
        return _tuple(text)
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return read_number(text)
    except NumberError:
        return text


def _tuple(text: str) -> tuple[Value, ...]:
    return tuple(parse_value(part) for part in text.split(",") if part.strip())


def _converted(argument: Argument, text: str, what: str) -> Value:
    if argument.kind in ("float", "int", "floats", "ints"):
        text = plain(text)
    value = text.strip("'\"") if argument.kind == "text" and text.lower() != "none" else parse_value(text)
    if value is None and argument.optional:
        return None
    if argument.kind == "float" and _is_number(value):
        return value
    if argument.kind == "int" and isinstance(value, (int, float)) and _is_number(value) and value == int(value):
        return int(value)
    if argument.kind == "bool" and isinstance(value, bool):
        return value
    if argument.kind == "switch":
        return text.strip("'\"").lower() != "false"  # LyCORIS takes every other word for true
    if argument.kind == "text" and isinstance(value, str):
        return value
    if argument.kind in ("floats", "ints"):
        values = value if isinstance(value, tuple) else (value,)
        whole = argument.kind == "ints"
        count = len(argument.default) if isinstance(argument.default, tuple) else len(values)
        numbers = all(_is_number(item) and not (whole and not isinstance(item, int)) for item in values)
        if values and numbers and len(values) == count:
            return values
        cure = "" if whole else decimal_commas(text.strip("()[]").split(","), count)
        if cure:
            raise ArgumentError(f"{what}: {argument.name}={text}: {ADVICE}: write {cure}")
    elif argument.kind in ("float", "int"):
        cure = whole_cure(cure_of(text)) if argument.kind == "int" else cure_of(text)
        if cure:
            raise ArgumentError(f"{what}: {argument.name}={text}: {ADVICE}: write {cure}")
    raise ArgumentError(f"{what}: {argument.name}={text} is not {KIND_WORDS[argument.kind]}; {argument.help}")


def _is_number(value: Value) -> bool:
    """A finite number that is not True or False."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
