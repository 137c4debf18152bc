"""What is wrong with a data set, in a form that can be shown in another language. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainer.config.problems import printable
from trainer.plurals import filled

NAMED_AT_MOST = 5


Subject = Literal["data", "weights", "config"]


class DatasetError(ValueError):
    """The data set cannot be trained on. The text names the folder or file and the cure."""


class RefusedError(DatasetError):
    """A run cannot start. problems: every error; they may be about the data set, model files or settings."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.with_path() for problem in problems))

    @property
    def subject(self) -> Subject | None:
        """What all of the problems are about; None where they are about different things."""
        subjects = {problem.subject for problem in self.problems}
        return subjects.pop() if len(subjects) == 1 else None


@dataclass(frozen=True)
class Problem:
    """One thing to know about the data set.

    error: training cannot start. warning: it can, and the message says what happens instead. path: the file or folder
    concerned. template: the sentence with placeholders, the key for translations. address: the parameter that it is
    about, where it is not the one that names `path`. subject: what has to be corrected, for advice.
    """

    severity: Literal["error", "warning"]
    path: Path | None
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    address: str | None = None
    subject: Subject = "data"

    @property
    def message(self) -> str:
        """The English sentence with its values."""
        return printable(filled(self.template, self.values))

    def with_path(self) -> str:
        """The message, behind the path where it does not name it."""
        return f"{self.path}: {self.message}" if self.path and str(self.path) not in self.message else self.message

    def to_json(self) -> dict[str, Any]:
        """As `trainer check --json` and the form give it."""
        return {
            "severity": self.severity,
            "path": None if self.path is None else str(self.path),
            "message": self.message,
            "template": self.template,
            "values": {
                name: value if isinstance(value, (int, float)) else str(value) for name, value in self.values.items()
            },
        }


def error(path: Path | None, template: str, /, **values: Any) -> Problem:
    """A problem that keeps training from starting."""
    return Problem("error", path, template, values)


def warning(path: Path | None, template: str, /, **values: Any) -> Problem:
    """A problem that training goes on with."""
    return Problem("warning", path, template, values)


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    return f"{shown} and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else shown
