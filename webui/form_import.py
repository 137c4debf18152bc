"""Other programs' files for the form: TOML, JSON, YAML and scripts, and ours. LIGHT.

What names mean is in trainer/config/ (imports.py, programs/, recipe.py); here is how a file with a bad value still
gives all its good ones.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.config import ConfigError, Note, Problem, as_sd_scripts, loads, origin_of
from trainer.textfiles import TextFileError, decoded
from webui.form import RawValue, check, default_values, differences, raw_values

LARGEST_FILE_BYTES = 2 * 2**20


@dataclass(frozen=True)
class Imported:
    """values: the form with the file's values. notes: what was translated or left out. refused: values in error."""

    values: Mapping[str, RawValue]
    taken: int
    notes: tuple[Note, ...]
    refused: tuple[Problem, ...]


def text_of(data: str, name: str, codec: str) -> str:
    """The text of a file's bytes in base64. Raises ConfigError naming the encoding that it is probably in."""
    try:
        return decoded(base64.b64decode(data, validate=True), name, codec or None)
    except TextFileError as error:
        raise ConfigError([Problem(None, error.template, error.values)]) from error
    except ValueError as error:
        said = "{path} cannot be read: {reason}"
        raise ConfigError([Problem(None, said, {"path": name, "reason": error})]) from error


def read_text(text: str, name: str) -> dict[str, Any]:
    """The values of a settings file's text, or of a LoRA's header. Raises ConfigError when it is none."""
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE_BYTES:
        raise ConfigError(
            [Problem(None, "{path} is larger than 2 MB; this is not a training configuration", {"path": name})]
        )
    return loads(text, name)


def take(values: Mapping[str, Any]) -> Imported:
    """A file's values -> the form over sd-scripts' defaults.

    Raises ConfigError when nothing in it is a parameter. A value in error is left out and told in `refused`; so is why
    a file for another training or model cannot be used as it stands.
    """
    origin = origin_of(values)
    tables, changed = as_sd_scripts(values)
    notes = (*origin.notes(), *changed)
    checked = check(tables)
    if checked.preview is None:
        raise ConfigError([*origin.problems(), *checked.problems], notes)
    shown = raw_values(checked.preview)
    taken = differences(shown, default_values())
    named = [note for note in checked.notes if note.address is None]
    if not taken and (named or not tables):
        said = "Nothing in this file is a parameter of a LoRA training; choose the TOML or JSON that a trainer saved"
        raise ConfigError([*origin.problems(), Problem(None, said)], [*notes, *checked.notes])
    refused = tuple(problem for problem in checked.problems if not _is_only_empty(problem, tables))
    return Imported(shown, len(taken), (*notes, *checked.notes), (*origin.problems(), *refused))


def _is_only_empty(problem: Problem, tables: Mapping[str, Any]) -> bool:
    """True when a problem only says that the file names no base model, pictures or resolution."""
    name = (problem.address or "").rpartition(".")[2]
    flat = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    for value in tables.values():
        flat.update(value if isinstance(value, Mapping) else {})
    needed = {
        "pretrained_model_name_or_path": (name,),
        "train_data_dir": (name, "subsets", "datasets", "dataset_config", "in_json"),
        "resolution": (name, "max_resolution"),
    }
    return name in needed and not any(flat.get(key) for key in needed[name])
