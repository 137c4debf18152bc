"""Settings files of other programs, put back into sd-scripts' words: a file a program, and what a LoRA tells of itself
(config/recipe.py). LIGHT.

These programs keep their own form fields and turn them into options only when they start a run; here the same is done.
What the resulting names mean is in config/imports.py. Nothing is dropped in silence: every change is a Note.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainer.config import recipe
from trainer.config.problems import Note, shown
from trainer.config.programs import kohya_ss, lora_scripts

REPEATED = "__repeated__"  # the names that stand in several tables, among flat values


class Repeated(NamedTuple):
    """A name that stands in several tables of a file with different values."""

    name: str
    unused: Any
    used: Any


def as_sd_scripts(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Flat values of any page's file -> flat values under sd-scripts' names, and what was changed.

    Files of sd-scripts and ours come back as they are, so it may be done twice.
    """
    repeated = values.get(REPEATED, ())
    if REPEATED in values:
        values = {name: value for name, value in values.items() if name != REPEATED}
    said = "{name} stands in several tables of the file: {used} in the last one is used, {unused} is not"
    told = [
        Note(None, said, {"name": one.name, "used": shown(one.used), "unused": shown(one.unused)})
        for one in repeated
        if isinstance(one, Repeated)
    ]
    result, notes = _translated(values)
    return result, [*told, *notes]


def _translated(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    if recipe.is_metadata(values):
        return recipe.from_metadata(values)
    if kohya_ss.KEYS & set(values):
        return kohya_ss.as_sd_scripts(values)
    if lora_scripts.KEYS & set(values):
        return lora_scripts.as_sd_scripts(values)
    return dict(values), []
