"""How a number that a person wrote is read: one way for the form, files, the command line and prompts. LIGHT.

A point is the decimal sign. What Chinese keyboards write for the same characters (full-width digits, signs and points)
and the minus signs of Unicode count as the plain ones; `1_000` is 1000, as in TOML and Python. A comma, a space or an
apostrophe between digits means a decimal sign in one country and thousands in another, so it is refused with what to
write; infinity and "nan" are no numbers here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

# What stands for a plain character: the full-width forms, the signs that word processors put for a minus.
PLAIN = {
    **{0xFF01 + offset: 0x21 + offset for offset in range(94)},
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFE63), ord("-")),
    ord("\u3002"): ord("."), ord("\u3000"): ord(" "), 0xA0: ord(" "), 0x202F: ord(" "), 0x2009: ord(" "),
    ord("\u2019"): ord("'"),
}  # fmt: skip
LONGEST = 400  # digits; more than any float has
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)*", re.ASCII)
ADVICE = "numbers are written with a point, without commas or spaces"


class NumberError(ValueError):
    """A text is not a number. cure: the number that was meant, where that can be said."""

    def __init__(self, text: str, cure: str = "") -> None:
        super().__init__(f"{text!r} is not a number" + (f"; {ADVICE}: write {cure}" if cure else ""))
        self.cure = cure

    @property
    def whole_cure(self) -> str:
        """The cure where a whole number belongs: "1,000" -> "1000", "10,0" -> "10"; "" for "1,5", which is none."""
        return whole_cure(self.cure)


def plain(text: str) -> str:
    """The text in ASCII characters where they mean the same, without blanks around it."""
    return text.translate(PLAIN).strip()


def read_number(text: str) -> int | float:
    """A finite number; whole when it is written without a point and an exponent. Raises NumberError."""
    written = plain(text)
    if len(written) > LONGEST or not NUMBER.fullmatch(written):
        raise NumberError(text, cure_of(written) if len(written) <= LONGEST else "")
    if WHOLE.fullmatch(written):
        return int(written)
    number = float(written)
    vanished = number == 0 and re.search("[1-9]", re.split("[eE]", written)[0])
    if math.isinf(number) or vanished:
        raise NumberError(text)
    return number


def read_numbers(text: str) -> list[int | float]:
    """Numbers with commas or blanks between them, each as `read_number` reads it. Raises NumberError.

    "0,0001", "1,5e-4" and "1.000,5" are refused: what stands around one comma may be two numbers, or one with a
    decimal comma.
    """
    found: list[int | float] = []
    for part in re.split(r"\s*,\s+|\s+", plain(text).strip(",; ")):
        items = part.split(",")
        if any(_may_be_one(whole, rest) for whole, rest in zip(items, items[1:], strict=False)):
            raise NumberError(text, _cure_of_list(items))
        found += [read_number(item) for item in items]
    return found


def _may_be_one(whole: str, rest: str) -> bool:
    """Whether two texts around a comma may be one number: 1,5 and 1,5e-4, or 1.000,5 with points for thousands."""
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+", whole, re.ASCII):
        return rest.isdecimal()
    return whole.isdecimal() and re.fullmatch(r"[0-9]+(?:[eE][+-]?[0-9]+)?", rest, re.ASCII) is not None


def _cure_of_list(items: list[str]) -> str:
    """What to write for numbers with decimal commas, and for two numbers where that may be meant; "" if unknown."""
    if len(items) == 2:
        first, second = (f"{item}.0" if item.isdecimal() else item for item in items)
        one = f"{items[0]}.{items[1]}" if items[0].isdecimal() else cure_of(",".join(items))
        return one if _has_leading_zero(items) else f"{one}, or {first},{second} for two numbers"
    return decimal_commas(items, len(items) // 2)


def decimal_commas(items: Iterable[str], count: int) -> str:
    """What to write for a list of whole numbers that is really half as many with decimal commas; "" when it is none.

    count: how many numbers belong there. ["0", "5", "0", "25"] of 2 -> "0.5,0.25".
    """
    items = [item.strip() for item in items]
    if not items or not all(item.isdecimal() for item in items) or len(items) != 2 * count:
        return ""
    return ",".join(f"{whole}.{rest}" for whole, rest in zip(items[::2], items[1::2], strict=True))


def cure_of(written: str) -> str:
    """What somebody means who writes decimal commas or thousands: "0,5" -> "0.5", "1 000" -> "1000", else "" """
    joined = re.sub(r"(?<=[0-9eE+-])[ '](?=[0-9+-])", "", written)
    if joined != written and NUMBER.fullmatch(joined):
        return joined
    exponent = r"(?:[eE][+-]?[0-9]+)?%?"
    sides = re.fullmatch(rf"([+-]?)([0-9]*),([0-9]+)({exponent})", joined, re.ASCII)
    if sides:
        sign, whole, rest, end = sides.groups()
        point = f"{sign}{whole or 0}.{rest}{end}"
        thousands = len(rest) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0" and not end
        return f"{sign}{whole}{rest} or {point}" if thousands else point
    if re.fullmatch(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", joined, re.ASCII):
        return joined.replace(",", "")
    if re.fullmatch(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+", joined, re.ASCII):
        return joined.replace(".", "").replace(",", ".")
    return ""


def whole_cure(cure: str) -> str:
    """What of a cure is a whole number; "" when nothing is."""
    meant = cure.split(" or ")
    whole = [one for one in meant if WHOLE.fullmatch(one)]
    return whole[0] if whole else next((str(int(float(one))) for one in meant if _is_whole(one)), "")


def _is_whole(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and float(text).is_integer()


def cure_of_multipliers(items: Sequence[str]) -> str:
    """What to write for a list in which a whole number other than 0 and 1 follows a whole number, as 0,5 does; "" for
    none.

    0 and 1 are what such lists are made of, so 0,1,0,1 is four numbers. Where a decimal point stands, commas are none.
    """
    items = [item.strip() for item in items]
    doubtful = [rest for whole, rest in zip(items, items[1:], strict=False) if _may_be_one(whole, rest)]
    if any("." in item for item in items) or all(rest in ("0", "1") for rest in doubtful):
        return ""
    meant, rest = [], list(items)
    while rest:
        pair = len(rest) > 1 and rest[0].isdecimal() and rest[1].isdecimal()
        meant.append(f"{rest[0]}.{rest[1]}" if pair else rest[0])
        del rest[: 1 + pair]
    return f"{','.join(meant)}, or {','.join(f'{item}.0' for item in items)} for {len(items)} numbers"


def _has_leading_zero(items: Iterable[str]) -> bool:
    return any(len(item) > 1 and item[0] == "0" for item in items)
