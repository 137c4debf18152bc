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
from trainer.config.programs import ai_toolkit, easy_scripts, kohya_ss, lora_scripts, onetrainer, words
from trainer.config.programs.origins import LORA, Origin, origin_of, without

__all__ = ["REPEATED", "Origin", "Repeated", "as_sd_scripts", "origin_of", "words", "wrapped"]

REPEATED = "__repeated__"  # the names that stand in several tables, among flat values
NESTED = (easy_scripts, onetrainer, ai_toolkit)  # programs whose values do not stand under plain names


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


def wrapped(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The document of a program that nests its values, under that program's name; None for other files."""
    return next(({module.DOCUMENT: document} for module in NESTED if module.is_of(document)), None)


def _translated(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    if recipe.is_metadata(values):
        return recipe.from_metadata(values)
    if words.DOCUMENT in values:
        flat, told = words.as_sd_scripts(values[words.DOCUMENT])
        result, notes = _translated(flat)
        return result, [*told, *notes]
    origin = origin_of(values)
    notes = []
    values = without(values, origin, notes)
    for module in NESTED:
        if module.DOCUMENT in values:
            result, changed = module.as_sd_scripts(values[module.DOCUMENT])
            return without(result, origin, changed), [*notes, *changed]
    if kohya_ss.is_of(values):
        result, changed = kohya_ss.as_sd_scripts(values, for_a_lora=origin.training == LORA and not origin.family)
    elif lora_scripts.KEYS & set(values):
        result, changed = lora_scripts.as_sd_scripts(values)
    else:
        result, changed = dict(values), []
    return without(result, origin, []), [*notes, *changed]
