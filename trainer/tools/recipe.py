"""`python -m trainer recipe FILE`: the settings that a finished LoRA was trained with, as TOML. LIGHT.

What the metadata means is in trainer/config/recipe.py; here it becomes a file to train again with.
"""

from __future__ import annotations

import sys
from pathlib import Path

from trainer.atomic import atomic_write
from trainer.config import ConfigError, Note, Problem, TrainConfig, as_sd_scripts, parse_flat, read_values, to_toml

# What a LoRA cannot tell: stands in while the rest is checked, and is left for the user to fill in.
MISSING = {
    "model": {"pretrained_model_name_or_path": "none.safetensors"},
    "dataset": {"train_data_dir": "none", "resolution": "512"},
}


def run(file: Path, output: Path | None) -> int:
    """Print the TOML or write it, with what could not be carried over on stderr. Returns 0.

    Raises ConfigError when the file tells nothing of its training, or `output` exists.
    """
    if output is not None and output.exists():
        raise ConfigError([Problem(None, "{path} exists already; choose another name", {"path": output})])
    text, notes = recipe(file)
    for note in notes:
        print(f"note: {note.message}", file=sys.stderr)
    if output is None:
        print(text, end="")
    else:
        atomic_write(output, text)
        print(f"written: {output}; fill in pretrained_model_name_or_path and train_data_dir")
    return 0


def recipe(file: Path) -> tuple[str, tuple[Note, ...]]:
    """(TOML of everything that the LoRA tells, what could not be carried over). Raises ConfigError."""
    values, notes = as_sd_scripts(read_values(file))
    absent = {name: value for names in MISSING.values() for name, value in names.items() if name not in values}
    parsed = parse_flat({**absent, **values})
    return to_toml(_without(parsed.config, absent)), (*notes, *parsed.notes)


def _without(config: TrainConfig, absent: dict[str, str]) -> TrainConfig:
    for section, names in MISSING.items():
        empty = {name: None for name in names if name in absent}
        config = config.model_copy(update={section: getattr(config, section).model_copy(update=empty)})
    return config
