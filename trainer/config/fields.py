"""How a parameter is declared, and the few value types that are not plain numbers or text. LIGHT."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from trainer.arguments import split_arguments
from trainer.numbers import NumberError, decimal_commas, plain, read_number, read_numbers
from trainer.paths import PathError, looks_like_path, pasted

EXTRA_KEYS = frozenset({"unit", "advanced", "shown_when", "role"})
LARGEST_AMOUNT = 10**9  # steps
ROLES = ("file", "folder", "model", "prompts", "state")


class Section(BaseModel):
    """A group of parameters: one TOML table, one heading of the form. Frozen; unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        coerce_numbers_to_str=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        """Text for a path as trainer/paths.py reads it, for a number as trainer/numbers.py does. A switch where a
        number belongs is a slip; pydantic would take it for 1 or 0."""
        field = cls.model_fields[info.field_name or ""]
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "role" in extra:
            return _path(value, str(extra["role"]), tuple in _kinds(field.annotation))
        kinds = _kinds(field.annotation)
        if isinstance(value, float) and not math.isfinite(value) and int in kinds and float not in kinds:
            raise PydanticCustomError("int_type", "a whole number is needed")
        if not isinstance(value, (bool, str)):
            return value
        if kinds & {bool, tuple, str} or not kinds & {int, float}:
            return value
        kind = "int_type" if int in kinds else "float_type"
        if isinstance(value, bool):
            raise PydanticCustomError(kind, "a number is needed")
        if {int, float} <= kinds:  # steps or a part of them, see parse_amount
            return value
        try:
            return read_number(value)
        except NumberError as error:
            raise not_a_number(error, kind) from error


def _path(value: Any, role: str, several: bool) -> Any:
    """A path, or several, without what surrounds it where it was pasted; None for an empty one."""
    if several:
        paths = value.splitlines() if isinstance(value, str) else value
        return [_path(one, role, False) for one in paths] if isinstance(paths, (list, tuple)) else paths
    if not isinstance(value, str) or value.startswith("data:") or (role == "prompts" and not looks_like_path(value)):
        return value
    try:
        return pasted(value) or None
    except PathError as error:
        raise PydanticCustomError("path", "{kind}", {"kind": error.kind, **error.values}) from error


def not_a_number(error: NumberError, kind: str, reason: str = "a number is needed") -> PydanticCustomError:
    """pydantic's error for a text that is no number: what to write where that is known, else kind and reason."""
    cure = error.whole_cure if kind.startswith("int") else error.cure
    if cure:
        return PydanticCustomError("number", "write {cure}", {"cure": cure})
    return PydanticCustomError(kind, reason)


def _kinds(annotation: Any) -> set[Any]:
    """The plain types of an annotation: {int, NoneType} of int | None."""
    if get_origin(annotation) is tuple:
        return {tuple}
    parts = get_args(annotation)
    return {kind for part in parts for kind in _kinds(part)} if parts else {annotation}


def parameter(
    default: Any,
    title: str,
    *,
    unit: str | None = None,
    advanced: bool = False,
    shown_when: Mapping[str, Sequence[Any]] | None = None,
    role: str | None = None,
    **limits: Any,
) -> Any:
    """Declare one parameter. The docstring under it is its help.

    unit: shown behind the value. advanced: folded away at first. shown_when: other parameter -> values for which this
    one matters. role: what a path is (file, folder, model, prompts, state). limits: pydantic's ge, gt, le, lt,
    max_length.
    """
    told = {"unit": unit, "advanced": advanced or None, "shown_when": shown_when, "role": role}
    extra: Any = {key: value for key, value in told.items() if value is not None}
    return Field(default, title=title, json_schema_extra=extra, **limits)


def parse_amount(value: Any) -> Any:
    """Steps as a whole number, a ratio below 1 as a float, "10%" as 0.1; text such as "1.5" or "1e2" is refused.

    As sd-scripts reads lr_warmup_steps (KOHYA_COMPAT 7.2).
    """
    needed = "steps, a ratio below 1 or a percentage such as 10% is needed"
    if isinstance(value, str):
        text = plain(value)
        try:
            number = read_number(text.removesuffix("%"))
        except NumberError as error:
            end = "%" if text.endswith("%") else ""
            cure = error.cure if end or error.cure.startswith("0.") else error.whole_cure
            raise not_a_number(NumberError(value, cure and cure + end), "amount", needed) from error
        if text.endswith("%"):
            return number / 100
        if (isinstance(number, float) and not 0 <= number < 1) or number >= LARGEST_AMOUNT:
            raise PydanticCustomError("amount", needed)
        return number
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST_AMOUNT:
        raise PydanticCustomError("amount", needed)
    if isinstance(value, float) and value > 1 and value.is_integer():
        return int(value)
    return value


def parse_resolution(value: Any) -> Any:
    """512, "512", "512,768", "512x768" or [512, 768] -> (width, height)."""
    if isinstance(value, str):
        written = _without_brackets(plain(value)).lower()
        value = [part.strip() for part in written.replace("x", ",").replace("×", ",").split(",")]
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, (list, tuple)) or len(value) not in (1, 2):
        raise PydanticCustomError("resolution", "one side such as 512 or width,height such as 512,768 is needed")
    sides = [int(side) if isinstance(side, str) and side.isdecimal() else side for side in value]
    if not all(isinstance(side, int) and not isinstance(side, bool) and 64 <= side <= 8192 for side in sides):
        raise PydanticCustomError(
            "resolution", "one side such as 512 or width,height such as 512,768 is needed, 64 to 8192 pixels each"
        )
    return (sides[0], sides[-1])


def parse_range(value: Any) -> Any:
    """ "1.0,3.0", "(1.0, 3.0)" or [1.0, 3.0] -> (1.0, 3.0)."""
    if isinstance(value, str):
        value = [part.strip() for part in _without_brackets(plain(value)).split(",")]
        cure = decimal_commas(value, 2)
        if cure:
            raise PydanticCustomError("number", "write {cure}", {"cure": cure})
    try:
        low, high = (float(read_number(number) if isinstance(number, str) else number) for number in value)
    except (TypeError, ValueError, OverflowError):
        low, high = 1.0, 0.0
    if not 0 < low <= high < float("inf"):
        raise PydanticCustomError("range", "two numbers are needed, the smaller first, such as 1.0,3.0")
    return (low, high)


def parse_texts(value: Any) -> Any:
    """Arguments, one or more a line or list entry, with or without quotes: 'a=1 "b=2"' -> ["a=1", "b=2"]."""
    lines = value.splitlines() if isinstance(value, str) else [str(item) for item in _listed(value) if item is not None]
    return [argument for line in lines for argument in split_arguments(line)]


def parse_rates(value: Any) -> Any:
    """One rate, or one for each of two text encoders: 1e-5, "1e-5,2e-5", [1e-5, 2e-5] and the same as text. Of a longer
    list the first two.

    sd-scripts takes text_encoder_lr as a list and uses only the first for SDXL (KOHYA_COMPAT Q-14).
    """
    if value is None:
        return None
    needed = "a number from 0 to 100 is needed, such as 1e-5, or two of them for the two encoders of SDXL"
    try:
        rates = _rates(value)
    except NumberError as error:
        raise not_a_number(error, "rates", needed) from error
    except (TypeError, ValueError, OverflowError):
        rates = [-1.0]
    if not all(0 <= rate <= 100 for rate in rates):
        raise PydanticCustomError("rates", needed)
    if not rates:
        return None
    return rates[0] if len(rates) == 1 or rates[0] == rates[1] else tuple(rates)


def _rates(value: Any) -> list[float]:
    """The first two rates of a text, a number or a list. Raises ValueError, TypeError or OverflowError."""
    if isinstance(value, str):
        return [float(number) for number in read_numbers(_without_brackets(plain(value)))][:2]
    if not isinstance(value, (list, tuple)):
        value = [value]
    if any(isinstance(item, bool) for item in value):
        raise TypeError("a switch is no rate")
    return [float(read_number(item) if isinstance(item, str) else item) for item in value][:2]


def count_of(value: Any) -> int:
    """How many numbers a list or its text holds; 1 for what is no list."""
    if isinstance(value, str):
        return len([part for part in re.split(r"[\s,]+", _without_brackets(plain(value))) if part])
    return len(value) if isinstance(value, (list, tuple)) else 1


def parse_lines(value: Any) -> Any:
    """A list of texts or numbers; one text is split at line ends only, as file names may hold spaces."""
    if isinstance(value, str):
        value = value.splitlines()
    return [str(item) for item in _listed([value] if isinstance(value, (int, float)) else value) if item is not None]


def _listed(value: Any) -> list[Any] | tuple[Any, ...]:
    """A list of texts and numbers, as it is."""
    if not isinstance(value, (list, tuple)) or any(isinstance(item, (dict, list, tuple)) for item in value):
        raise PydanticCustomError("texts", "one text, or a list of texts, is needed")
    return value


def _without_brackets(text: str) -> str:
    """ "(1.0, 3.0)" and "[1.0, 3.0]", as Python and LoRA metadata write a list, without their brackets."""
    text = text.strip()
    return text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text


def _clean(texts: list[str]) -> list[str]:
    return [text for text in (str(text).strip() for text in texts) if text]


Amount = Annotated[Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=2)], BeforeValidator(parse_amount)]
Resolution = Annotated[
    tuple[int, int],
    BeforeValidator(parse_resolution),
    PlainSerializer(lambda sides: f"{sides[0]},{sides[1]}", return_type=str),
]
Range = Annotated[
    tuple[float, float],
    BeforeValidator(parse_range),
    PlainSerializer(lambda pair: f"{pair[0]},{pair[1]}", return_type=str),
]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: _clean(list(parse_texts(value))) if value is not None else value)
]
Lines = Annotated[tuple[str, ...], BeforeValidator(lambda value: _clean(parse_lines(value)))]
Rates = Annotated[float | tuple[float, float] | None, BeforeValidator(parse_rates)]
