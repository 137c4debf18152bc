"""What is wrong with a value, in a form that can be shown at its field and in another language. LIGHT."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from trainer.jsontext import texts_in
from trainer.paths import FAULTS
from trainer.plurals import filled

# what steers a terminal when it is printed: escape sequences in a file's name or metadata could hide or fake lines
CONTROL = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
HALF_CHARACTERS = re.compile("[\ud800-\udfff]")  # how Python reads the bytes of a name that is not UTF-8


def printable(text: str) -> str:
    """A text of somebody else's making, safe to print and to write."""
    return HALF_CHARACTERS.sub("\ufffd", text.translate(CONTROL))


@dataclass(frozen=True)
class Problem:
    """One mistake: the parameter's address (None when it concerns no single one) and a sentence with placeholders.

    The template is the key for translations; `message` is the English text with the values filled in.
    """

    address: str | None
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence with its values."""
        return printable(filled(self.template, self.values))


@dataclass(frozen=True)
class Note(Problem):
    """Something the user should know that stops nothing: a value was translated, ignored or has no effect."""


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` holds every mistake that was found, not only the first; `notes` what
    is to be said of it besides."""

    def __init__(self, problems: Sequence[Problem], notes: Sequence[Note] = ()) -> None:
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        super().__init__("\n".join(f"{p.address}: {p.message}" if p.address else p.message for p in self.problems))


def no_text(address: str, value: Any, is_path: bool = True) -> Problem | None:
    """What is wrong with texts, at any depth of a value, that no file, file name or process can take."""
    name = address.rpartition(".")[2]
    for text in texts_in(value):
        if "\0" in text:
            return Problem(address, "{name} holds a zero byte; type it again", {"name": name})
        if HALF_CHARACTERS.search(text):
            said = "{name} is {value}, which holds half a character; type it again"
            if is_path:
                said = "{name} is {value}, a name that is not UTF-8; rename the file or folder, then choose it again"
            return Problem(address, said, {"name": name, "value": printable(text[:200])})
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" when something close is known, else "" """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""


def from_validation(error: ValidationError, choices: Mapping[str, Sequence[str]]) -> list[Problem]:
    """pydantic's error as sentences. choices: address -> allowed words, for the hint."""
    problems: list[Problem] = []
    entries = error.errors()
    for entry in entries:
        place = entry["loc"]
        if entry["type"] == "too_short" and any(one["loc"][: len(place)] == place != one["loc"] for one in entries):
            continue  # pydantic leaves wrong members out and then misses them
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, ConfigError):
            problems.extend(cause.problems)
            continue
        problems.append(_sentence(entry, choices))
    unique = {
        (problem.address, problem.message): problem for problem in problems
    }  # a union reports each of its members
    first = {problem.address: problem for problem in reversed(unique.values())}
    return [
        problem
        for problem in unique.values()
        if problem.address is None or first[problem.address] is problem or "{reason}" not in problem.template
    ]


def _sentence(entry: Any, choices: Mapping[str, Sequence[str]]) -> Problem:
    """One pydantic error entry -> Problem, with the value, what is allowed and the cure."""
    place = [
        str(part) for part in entry["loc"] if not str(part).startswith(("function-", "constrained-", "int", "float"))
    ]
    address = ".".join(place[:2])
    name = place[-1] if place and not place[-1].isdecimal() else place[1] if len(place) > 1 else address
    if place[1:2] in (["subsets"], ["datasets"]):
        name = _listed(place[1:])
    kind, context = entry["type"], entry.get("ctx", {})
    values: dict[str, Any] = {"name": name, "value": shown(entry["input"])}
    limits = {
        "greater_than_equal": ("{name} is {value}; it must be {limit} or more", "ge"),
        "greater_than": ("{name} is {value}; it must be more than {limit}", "gt"),
        "less_than_equal": ("{name} is {value}; it must be {limit} or less", "le"),
        "less_than": ("{name} is {value}; it must be less than {limit}", "lt"),
        "string_too_long": ("{name} is longer than {limit} characters; shorten it", "max_length"),
    }
    if kind in limits:
        template, key = limits[kind]
        return Problem(address, template, {**values, "limit": context[key]})
    if kind in ("no_pictures", "no_reg"):
        return Problem(address, "{name}: {reason}", {**values, "reason": entry["msg"]})
    if kind == "literal_error" and address not in choices:
        return Problem(address, "{name} is {value}; choose {choices}", {**values, "choices": context["expected"]})
    if kind == "literal_error":
        known = [str(choice) for choice in choices.get(address, ())]
        hint = did_you_mean(str(entry["input"]), known)
        return Problem(
            address,
            "{name} is {value}; choose one of {choices}{hint}",
            {**values, "choices": ", ".join(known), "hint": hint},
        )
    if kind == "path":
        return Problem(address, "{name}: " + FAULTS[context["kind"]], {**context, "name": name})
    if kind == "number":
        template = "{name} is {value}; numbers are written with a point, without commas or spaces: write {cure}"
        return Problem(address, template, {**values, "cure": context["cure"]})
    if kind.startswith("int"):
        return Problem(address, "{name} is {value}; a whole number is needed", values)
    if kind.startswith("float") or kind == "finite_number":
        return Problem(address, "{name} is {value}; a number is needed, such as 0.0001 or 1e-4", values)
    if kind.startswith("bool"):
        return Problem(address, "{name} is {value}; true or false is needed", values)
    if kind.startswith("string"):
        return Problem(address, "{name} is {value}; text is needed", values)
    if kind == "missing":
        return Problem(address, "{name} is missing; it is needed here", values)
    if kind == "extra_forbidden":
        return Problem(address, "{name} is not a parameter of this table; remove it or correct its spelling", values)
    return Problem(address, "{name} is {value}: {reason}", {**values, "reason": entry["msg"]})


def _listed(place: Sequence[str]) -> str:
    """Where in a list of tables: ["datasets", "0", "subsets", "1", "flip_aug"] -> "datasets 1, subsets 2: flip_aug"."""
    tables = [f"{name} {int(number) + 1}" for name, number in zip(place[::2], place[1::2], strict=False)
              if number.isdecimal()]  # fmt: skip
    rest = place[2 * len(tables) :]
    return ", ".join(tables) + (f": {rest[0]}" if rest else "")


def shown(value: Any) -> str:
    """A value as it appears in a sentence: quoted text, plain numbers, cut when long."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = HALF_CHARACTERS.sub("\ufffd", text)
    return text if len(text) <= 120 else text[:117] + "…"
