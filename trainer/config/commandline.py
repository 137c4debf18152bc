"""The words behind `python -m trainer train`: a file, key=value, and options as sd-scripts takes them. LIGHT.

`run.toml network_dim=16` and `--config_file run --network_dim 16 --network_args conv_dim=4 conv_alpha=1` both work,
also mixed. As there: a switch takes no value, a list takes all words up to the next option, a name may be shortened
as long as it stays unambiguous, and what is given here wins over the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.config import Parameter, parameters
from trainer.config.problems import ConfigError, Problem
from trainer.config.refused import COMMAND_LINE, REFUSED, refusal
from trainer.paths import FAULTS, PathError, pasted

SEVERAL = ("text_encoder_lr",)  # take several words
SETTINGS_FILES = (".toml", ".json", ".safetensors")


@dataclass
class Given:
    """What the words say. file: where settings are read from. options: by parameter name, from `--name value`."""

    file: Path | None = None
    overrides: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    output_config: bool = False
    own: list[str] = field(default_factory=list)


def read_words(words: Sequence[str], own: Iterable[str]) -> Given:
    """Sort the words of a command line. own: options of the command itself, with "=" behind those that take a value.

    Raises ConfigError with every option that does not exist, is refused, or lacks its value.
    """
    known = {parameter.name: parameter for parameter in parameters()}
    names = [*known, *COMMAND_LINE, *REFUSED]
    own = set(own)
    given = Given()
    rest = list(words)
    problems: list[Problem] = []
    while rest:
        word = rest.pop(0)
        try:
            if word in own or f"{word}=" in own:
                given.own += [word, *_taken(word, rest, 1 if f"{word}=" in own else 0)]
            elif not word.startswith("--"):
                _plain_word(word, given)
            else:
                shortened, sign, value = word[2:].partition("=")
                name = _whole_name(shortened, names, rest)
                values = [value] if sign else _values_of(known.get(name), name, rest)
                _set(name, known.get(name), values, given)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return given


def _plain_word(word: str, given: Given) -> None:
    if re.match(r"[A-Za-z_][\w.]*=", word) and not (given.file is None and _is_file(word)):
        given.overrides.append(word)
    elif given.file is None and not word.startswith("-"):
        given.file = file_of(word)
    else:
        said = "{text} is not understood; options are written --network_dim 16 or network_dim=16"
        raise ConfigError([Problem(None, said, {"text": word})])


def file_of(word: str) -> Path:
    """The settings file that a word names. Raises ConfigError for what no path can be."""
    try:
        return Path(pasted(word))
    except PathError as error:
        raise ConfigError([Problem(None, FAULTS[error.kind], error.values)]) from error


def _is_file(word: str) -> bool:
    try:
        return Path(pasted(word)).is_file()
    except (PathError, OSError):
        return False


def _whole_name(shortened: str, names: Sequence[str], rest: list[str]) -> str:
    """The name that a word stands for: itself, or the only one that begins with it.

    Where there is none, what may be its value is taken out of the rest, so that it is no mistake of its own.
    """
    if shortened in names:
        return shortened
    beginning = [name for name in names if name.startswith(shortened)] if shortened else []
    if len(beginning) == 1:
        return beginning[0]
    while rest and not rest[0].startswith("--"):
        rest.pop(0)
    if beginning:
        said = "--{name} may be {names}; write it out"
        raise ConfigError([Problem(None, said, {"name": shortened, "names": ", ".join(beginning[:6])})])
    near = difflib.get_close_matches(shortened, names, n=1, cutoff=0.7)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError([Problem(None, "{name} is not a parameter{hint}", {"name": f"--{shortened}", "hint": hint})])


def _values_of(parameter: Parameter | None, name: str, rest: list[str]) -> list[str]:
    """The words that belong to an option, taken from the front of the rest."""
    if name == "output_config" or (parameter is not None and parameter.kind == "bool"):
        return []
    if (parameter is not None and parameter.kind == "texts") or name in SEVERAL:
        count = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
        return _taken(name, rest, count)
    if name in REFUSED and not REFUSED[name].stops and not REFUSED[name].takes_value:
        return []
    if name in REFUSED:
        return _taken(name, rest, 1 if rest and not rest[0].startswith("--") else 0)
    return _taken(f"--{name}", rest, 1)


def _taken(option: str, rest: list[str], count: int) -> list[str]:
    taken = rest[:count]
    if len(taken) < count or (count == 1 and taken[0].startswith("--")):
        raise ConfigError([Problem(None, "{name} needs a value behind it", {"name": option})])
    del rest[:count]
    return taken


def _set(name: str, parameter: Parameter | None, values: list[str], given: Given) -> None:
    if name == "output_config":
        given.output_config = True
    elif name == "config_file":
        path = file_of(values[0])
        is_whole = path.suffix.lower() in SETTINGS_FILES or path.is_file()  # the name of a LoRA may have dots
        given.file = path if is_whole else path.with_name(f"{path.name}.toml")
    elif name in REFUSED:
        refused = refusal(name, values[0] if values else True)
        if refused is not None and REFUSED[name].stops:
            raise ConfigError([refused])
        given.options[name] = True  # told in a note
    elif parameter is not None and parameter.kind == "bool":
        given.options[name] = values[0] if values else True
    elif parameter is not None and (parameter.kind == "texts" or (name in SEVERAL and len(values) > 1)):
        given.options[name] = values
    else:
        given.options[name] = values[0] if values else ""
