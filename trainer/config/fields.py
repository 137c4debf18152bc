"""How a parameter is declared, and the few value types that are not plain numbers or text. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

EXTRA_KEYS = frozenset({"unit", "advanced", "shown_when", "role"})
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
    def _no_switch_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """A switch where a number belongs is a slip; pydantic would take it for 1 or 0."""
        if isinstance(value, bool):
            kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
            if not kinds & {bool, tuple} and kinds & {int, float}:
                raise PydanticCustomError("int_type" if int in kinds else "float_type", "a number is needed")
        return value


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
    if isinstance(value, bool):
        raise PydanticCustomError("amount", "steps, a ratio below 1 or a percentage such as 10% is needed")
    if isinstance(value, str):
        text = value.strip()
        try:
            if text.endswith("%"):
                return float(text[:-1]) / 100
            if text.isdecimal():
                return int(text)
            number = float(text)
        except ValueError:
            number = float("nan")
        if not 0 <= number < 1:
            raise PydanticCustomError("amount", "steps, a ratio below 1 or a percentage such as 10% is needed")
        return number
    if isinstance(value, float) and value > 1 and value.is_integer():
        return int(value)
    return value


def parse_resolution(value: Any) -> Any:
    """512, "512", "512,768", "512x768" or [512, 768] -> (width, height)."""
    if isinstance(value, str):
        value = [part.strip() for part in value.lower().replace("x", ",").replace("×", ",").split(",")]
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
        value = [part.strip() for part in _without_brackets(value).split(",")]
    try:
        low, high = (float(number) for number in value)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 < low <= high:
        raise PydanticCustomError("range", "two numbers are needed, the smaller first, such as 1.0,3.0")
    return (low, high)


def parse_texts(value: Any) -> Any:
    """A list of texts; one text is split at line ends (or, on one line, at spaces): "a=1 b=2" -> ["a=1", "b=2"]."""
    if isinstance(value, str):
        return value.splitlines() if "\n" in value.strip() else value.split()
    return value


def parse_rates(value: Any) -> Any:
    """One rate, or one for each of two text encoders: 1e-5, "1e-5,2e-5", [1e-5, 2e-5] and the same as text. Of a longer
    list the first two.

    sd-scripts takes text_encoder_lr as a list and uses only the first for SDXL (KOHYA_COMPAT Q-14).
    """
    if value is None:
        return None
    items = _without_brackets(value).replace(",", " ").split() if isinstance(value, str) else value
    items = list(items)[:2] if isinstance(items, (list, tuple)) else [items]
    if not items:
        return None
    try:
        rates = [float(item) for item in items if not isinstance(item, bool)]
    except (TypeError, ValueError):
        rates = []
    if len(rates) != len(items) or not rates or not all(0 <= rate <= 100 for rate in rates):
        raise PydanticCustomError(
            "rates", "a number from 0 to 100 is needed, such as 1e-5, or two of them for the two encoders of SDXL"
        )
    return rates[0] if len(rates) == 1 or rates[0] == rates[1] else tuple(rates)


def parse_lines(value: Any) -> Any:
    """A list of texts or numbers; one text is split at line ends only, as file names may hold spaces."""
    if isinstance(value, str):
        value = value.splitlines()
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]


def _without_brackets(text: str) -> str:
    """ "(1.0, 3.0)" and "[1.0, 3.0]", as Python and LoRA metadata write a list, without their brackets."""
    text = text.strip()
    return text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text


def _clean(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts if text.strip()]


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
