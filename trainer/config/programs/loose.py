"""How loosely other programs write values: switches as words, numbers as text, nothing as 0. LIGHT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainer.arguments import split_arguments
from trainer.numbers import read_number

ZERO_IN_LYCORIS = ("conv_dim", "conv_alpha")


def says_something(name: str, value: Any, lycoris: bool = False) -> bool:
    """Whether a form field for a network argument holds more than "as usual".

    lycoris: what is not said about convolutions is there as for the other layers, so a 0 says something.
    """
    if value is None or value is False or value in ("", "False", "false"):
        return False
    return not is_zero(value) or (lycoris and name in ZERO_IN_LYCORIS)


def texts(value: Any) -> Iterable[str]:
    """Arguments of a text or of a list, one each."""
    lines = value.splitlines() if isinstance(value, str) else value if isinstance(value, list) else []
    return [argument for line in lines for argument in split_arguments(str(line))]


def is_on(value: Any) -> bool:
    """Whether a switch is on, however it is written."""
    return value is True or str(value).strip().lower() in ("true", "1")


def is_zero(value: Any) -> bool:
    """Whether a value is 0, as a number or text, or an empty text."""
    return not isinstance(value, bool) and number(value) == 0 or str(value).strip() == ""


def number(value: Any) -> float | None:
    """The finite number that a value is or holds as text; None for none."""
    try:
        found = float(read_number(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None
