"""The parameters: one declaration each, and everything that follows from it (form, command line, TOML, reference,
schema). LIGHT.

Sections stand in files named after them; the machinery they describe lives elsewhere (config/optimizer.py says which
optimizers can be chosen, trainer/optimizers.py builds them). To add a parameter: declare it in its section, use it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import tomlkit
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from trainer import jsontext, tomltext
from trainer.config import recipe, rules
from trainer.config.cache import Cache
from trainer.config.caption import Caption
from trainer.config.dataset import Dataset, DatasetGroup, Subset
from trainer.config.dataset_file import expanded
from trainer.config.distributed import Distributed
from trainer.config.imports import translate
from trainer.config.log import Log
from trainer.config.loss import Loss
from trainer.config.model import Model
from trainer.config.network import Network
from trainer.config.noise import Noise
from trainer.config.notes import notes_on
from trainer.config.optimizer import Optimizer
from trainer.config.precision import Precision
from trainer.config.problems import ConfigError, Note, Problem, did_you_mean, from_validation, no_text
from trainer.config.programs import REPEATED, Repeated, as_sd_scripts, origin_of, words, wrapped
from trainer.config.refused import refusal
from trainer.config.run import Run
from trainer.config.sample import Sample
from trainer.config.save import Save
from trainer.config.schedule import Schedule
from trainer.numbers import NumberError, read_number
from trainer.textfiles import Kind, TextFileError, parse_document, read_text

__all__ = [
    "LISTS", "SECTIONS", "ConfigError", "DatasetGroup", "Note", "Parameter", "Parsed", "Problem", "Subset",
    "TrainConfig", "as_config_error", "as_sd_scripts", "expanded", "flattened", "loads", "origin_of", "parameters",
    "parse", "parse_flat", "read", "read_values", "to_flat_toml", "to_toml",
]  # fmt: skip

SECTIONS: dict[str, type[BaseModel]] = {
    "model": Model, "dataset": Dataset, "save": Save, "run": Run, "optimizer": Optimizer, "schedule": Schedule,
    "network": Network,
    "sample": Sample, "log": Log, "caption": Caption, "noise": Noise, "loss": Loss, "precision": Precision,
    "cache": Cache, "distributed": Distributed,
}  # fmt: skip
LISTS = ("subsets", "datasets")  # lists of tables in [dataset]: parameters of their own kind
SECRETS = ("wandb_api_key",)  # never written into a file
DESCRIPTIONS = ("preset", "metadata", "memory")  # tables that describe a preset, ours and lora-scripts'


class TrainConfig(BaseModel):
    """One run, validated. Frozen: what a job's config.toml says is what runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Model
    dataset: Dataset
    save: Save
    run: Run
    optimizer: Optimizer
    schedule: Schedule
    network: Network
    sample: Sample
    log: Log
    caption: Caption
    noise: Noise
    loss: Loss
    precision: Precision
    cache: Cache
    distributed: Distributed

    @model_validator(mode="after")
    def _rules(self) -> TrainConfig:
        found = list(rules.problems(self))
        if found:
            raise ConfigError(found)
        return self


@dataclass(frozen=True)
class Parameter:
    """What the form, the command line and the reference know about one parameter."""

    address: str
    section: str
    name: str
    title: str
    help: str
    kind: Literal["bool", "int", "float", "text", "choice", "texts", "amount"]
    default: Any
    optional: bool
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    minimum_excluded: bool = False
    maximum_excluded: bool = False
    unit: str | None = None
    advanced: bool = False
    shown_when: Mapping[str, Sequence[Any]] | None = None
    role: str | None = None


@dataclass(frozen=True)
class Parsed:
    """A configuration and what should be said about it: translations, things left out, things without effect."""

    config: TrainConfig
    notes: tuple[Note, ...]


@functools.cache
def parameters() -> tuple[Parameter, ...]:
    """Every parameter in form order. `[[dataset.subsets]]` and `[[dataset.datasets]]` are lists of tables and not among
    them."""
    return tuple(
        _parameter(section, name, field)
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
        if section != "dataset" or name not in LISTS
    )


def parse(values: Mapping[str, Any]) -> Parsed:
    """Values in tables ({"network": {"network_dim": 32}}), flat ({"network_dim": 32}) or by address -> a configuration.

    Numbers may be text; "" and None are unset. Raises ConfigError with every problem found.
    """
    return parse_flat(flattened(values))


def parse_flat(values: Mapping[str, Any]) -> Parsed:
    """As `parse`, for values that stand under plain parameter names."""
    section_of = _section_of()
    plain, changed = as_sd_scripts(values)
    translated, translations, refused = translate(plain, section_of)
    notes = [*changed, *translations]
    tables: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for name, value in translated.items():
        if value is None:
            continue
        off = _read_as_off(section_of[name], name, value)
        if off is not None:
            notes.append(off)
            continue
        address = f"{section_of[name]}.{name}"
        wrong = no_text(address, value, name in LISTS or _is_path(section_of[name], name))
        if wrong is not None:
            refused.append(wrong)
            continue
        tables[section_of[name]][name] = _as_choice(address, value)
    try:
        config = TrainConfig.model_validate(tables)
    except ValidationError as error:
        found = as_config_error(error).problems
        raise ConfigError([*refused, *found, *_rules_beside(tables, found)], notes) from error
    if refused:
        raise ConfigError(refused, notes)
    return Parsed(config, tuple(notes) + tuple(notes_on(config)))


def _is_path(section: str, name: str) -> bool:
    extra = SECTIONS[section].model_fields[name].json_schema_extra
    return isinstance(extra, dict) and "role" in extra


def _rules_beside(tables: Mapping[str, Mapping[str, Any]], found: Sequence[Problem]) -> list[Problem]:
    """What the rules over several parameters say of the sections in which no single value is wrong.

    A rule may speak only because a wrong value is missing beside it, so those of its section wait until it is right.
    """
    wrong = {tuple((problem.address or "").split(".")[:2]) for problem in found}
    sections = {address[0] for address in wrong}
    kept = {
        section: {name: value for name, value in table.items() if (section, name) not in wrong}
        for section, table in tables.items()
    }
    try:
        TrainConfig.model_validate(kept)
    except ValidationError as error:
        said = {problem.message for problem in found}
        return [
            problem for problem in as_config_error(error).problems
            if (problem.address or "").partition(".")[0] not in sections and problem.message not in said
        ]  # fmt: skip
    return []


def as_config_error(error: ValidationError) -> ConfigError:
    """pydantic's error as sentences at their parameters."""
    return ConfigError(from_validation(error, _choices()) or [Problem(None, "{reason}", {"reason": str(error)})])


def read_values(path: Path) -> dict[str, Any]:
    """The values of a settings file under plain names: TOML, JSON or YAML of any program, or a LoRA's metadata.

    Table names are ignored, later values win (as sd-scripts); a program that nests its values keeps its document.
    Raises ConfigError naming the file when it is missing, too large or not one of these.
    """
    if path.suffix.lower() == ".safetensors":
        return recipe.read_header(path)
    try:
        return loads(read_text(path), str(path))
    except TextFileError as error:
        raise ConfigError([Problem(None, error.template, error.values)]) from error


def loads(text: str, path: str = "the text") -> dict[str, Any]:
    """As `read_values`, for the text of a file, or for the header of a .safetensors file."""
    text = text.lstrip("\ufeff")
    suffix = "." + path.rpartition(".")[2].lower()
    start = text.lstrip()[:1]
    is_json = start == "{" or ((start == "[" or suffix == ".json") and _is_json(text))
    if not is_json and suffix in words.SUFFIXES and words.holds_words(text):
        return {words.DOCUMENT: text}
    kind: Kind = "JSON" if is_json else "YAML" if suffix in (".yaml", ".yml") else "TOML"
    try:
        document = parse_document(text, path, kind)
    except TextFileError as error:
        if kind == "TOML" and words.holds_words(text):  # the words of a command, under another file name
            return {words.DOCUMENT: text}
        if suffix in words.SUFFIXES:
            said = "{path} holds no settings: write a --name=value a line, or choose a TOML or JSON file"
            raise ConfigError([Problem(None, said, {"path": path})]) from error
        raise ConfigError([Problem(None, error.template, error.values)]) from error
    if recipe.is_header(document):
        return recipe.flat_header(document, path)
    nested = wrapped(document)
    if nested is not None:
        return nested
    repeated = _repeated(document)
    return {**flattened(document), **({REPEATED: repeated} if repeated else {})}


def _repeated(document: Mapping[str, Any]) -> list[Repeated]:
    """Names that stand in several tables with different values; `flattened` takes the last, as sd-scripts does."""
    seen: dict[str, Any] = {}
    found = []
    for key, value in document.items():
        for name, one in flattened({key: value}).items():
            if name in seen and seen[name] != one:
                found.append(Repeated(name, seen[name], one))
            seen[name] = one
    return found


def _is_json(text: str) -> bool:
    """Whether a text is JSON, or a broken list of JSON: a table of TOML begins with a bracket too."""
    try:
        jsontext.parse(text)
    except ValueError:
        return text.lstrip().startswith(("[{", "[[[["))
    return True


def read(path: Path | None, overrides: Sequence[str] = (), options: Mapping[str, Any] | None = None) -> Parsed:
    """A settings file with `key=value` overrides, and options of the command line, on top -> a configuration.

    The data sets of its dataset_config are in it.

    path: None starts from the defaults. Raises ConfigError; an unknown override is an error, an unknown key of the file
    a note.
    """
    given = read_values(path) if path else {}
    origin = origin_of(given)
    values, notes = as_sd_scripts(given)
    notes = [*origin.notes(), *notes]
    section_of = _section_of()
    wrong = [*origin.problems()]
    for text in overrides:
        name, sign, value = text.partition("=")
        name = name.strip().lstrip("-").rpartition(".")[2]
        if not sign:
            wrong.append(Problem(None, "{text} is not an override; write it as network_dim=16", {"text": text}))
        elif name not in section_of and refusal(name, value.strip()) is None:
            hint = did_you_mean(name, section_of)
            wrong.append(Problem(None, "{name} is not a parameter{hint}", {"name": name, "hint": hint}))
        else:
            values[name] = value.strip()
    try:
        parsed = parse_flat({**values, **(options or {})})
    except ConfigError as error:
        raise ConfigError([*wrong, *error.problems], [*notes, *error.notes]) from error
    if wrong:
        raise ConfigError(wrong, [*notes, *parsed.notes])
    config, listed = expanded(parsed.config)
    return Parsed(config, (*notes, *parsed.notes, *listed))


def to_flat_toml(config: TrainConfig) -> str:
    """What differs from the defaults as one flat table, as sd-scripts' output_config writes it; never a password."""
    flat = tomlkit.document()
    for table in tomltext.parse(to_toml(config)).values():
        for name, value in table.items():
            if name != "wandb_api_key":
                flat.add(name, value)
    return tomlkit.dumps(flat)


def to_toml(config: TrainConfig, base: TrainConfig | None = None) -> str:
    """The configuration as TOML in tables: what differs from the defaults, or from `base`. sd-scripts reads it too."""
    document = tomlkit.document()
    for section, model in SECTIONS.items():
        ours: BaseModel = getattr(config, section)
        table = tomlkit.table()
        dumped = ours.model_dump(mode="json")
        for name, field in model.model_fields.items():
            reference = (
                getattr(getattr(base, section), name)
                if base is not None
                else field.get_default(call_default_factory=True)
            )
            if name not in (*LISTS, *SECRETS) and getattr(ours, name) != reference:
                table.add(name, "" if dumped[name] is None else dumped[name])
        if section == "dataset":
            for name in LISTS:
                if getattr(ours, name):
                    table.add(name, _tables_of(getattr(ours, name)))
        if table:
            document.add(section, table)
    return tomlkit.dumps(document)


def _tables_of(entries: Sequence[BaseModel]) -> Any:
    """A list of folders or data sets as an array of tables; what they leave to others is left out."""
    tables = tomlkit.aot()
    for entry in entries:
        table = tomlkit.table()
        for name, value in entry.model_dump(mode="json", exclude_none=True, exclude={"subsets"}).items():
            table.add(name, value)
        if isinstance(entry, DatasetGroup):
            table.add("subsets", _tables_of(entry.subsets))
        tables.append(table)
    return tables


def flattened(values: Mapping[str, Any]) -> dict[str, Any]:
    """One level of tables taken away; addresses ("network.network_dim") shortened to their names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key.rpartition(".")[2] not in _section_of():
            flat.update({} if key in DESCRIPTIONS else value)
        else:
            flat[key.rpartition(".")[2] if key.split(".")[0] in SECTIONS else key] = value
    return flat


@functools.cache
def _section_of() -> dict[str, str]:
    return {name: section for section, model in SECTIONS.items() for name in model.model_fields}


@functools.cache
def _choices() -> dict[str, tuple[Any, ...]]:
    return {parameter.address: parameter.choices for parameter in parameters()}


def _as_choice(address: str, value: Any) -> Any:
    """ "225" as the choice 225: the words of a choice are not converted by pydantic."""
    matching = [
        choice
        for choice in _choices().get(address, ())
        if not isinstance(choice, str) and str(choice) == str(value).strip()
    ]
    return matching[0] if matching else value


def _read_as_off(section: str, name: str, value: Any) -> Note | None:
    """sd-scripts and its launchers write 0 (for the seed -1) where an optional number is off; here that is None."""
    field = SECTIONS[section].model_fields[name]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not _is_optional(field.annotation):
        return None
    try:
        number = read_number(value) if isinstance(value, str) else value
    except NumberError:
        return None
    below_zero = name.startswith("sample_every_n_") and number < 0  # sd-scripts turns these off below 0 too
    if not below_zero and number != (-1 if name == "seed" else 0):
        return None
    limits = _limits(field)
    low, excluded = limits.get("minimum"), limits.get("minimum_excluded", False)
    if low is None or number > low or (number == low and not excluded):
        return None
    return Note(f"{section}.{name}", "{name} = {value} was read as off", {"name": name, "value": value})


def _parameter(section: str, name: str, field: FieldInfo) -> Parameter:
    extra: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    kind, choices = _kind(field)
    table = _tables().get(f"{section}.{name}")
    if table is not None:
        kind, choices = "choice", table
    return Parameter(
        address=f"{section}.{name}", section=section, name=name, title=field.title or name, kind=kind, choices=choices,
        help=" ".join((field.description or "").split()), default=field.get_default(),
        optional=_is_optional(field.annotation) or field.get_default() == "",
        unit=extra.get("unit"), advanced=bool(extra.get("advanced")), shown_when=extra.get("shown_when"),
        role=extra.get("role"),
        **_limits(field),
    )  # fmt: skip


def _tables() -> dict[str, tuple[str, ...]]:
    """Parameters whose choices are the names of a table elsewhere."""
    from trainer.optimizers import OPTIMIZERS
    from trainer.schedules import CLASSES, SCHEDULES

    return {
        "optimizer.optimizer_type": tuple(OPTIMIZERS),
        "schedule.lr_scheduler": tuple(SCHEDULES),
        "schedule.lr_scheduler_type": tuple(name for name in CLASSES if " " not in name),
    }


def _is_optional(annotation: Any) -> bool:
    return type(None) in get_args(annotation) and get_origin(annotation) in (Union, UnionType)


def _kind(field: FieldInfo) -> tuple[Any, tuple[Any, ...]]:
    """The form's kind of a field, and its choices."""
    kinds = [part for part in _leaves(field.annotation) if part is not type(None)]
    literals = [part for part in kinds if get_origin(part) is Literal]
    if literals:
        return "choice", get_args(literals[0])
    if any(get_origin(part) is tuple for part in kinds):
        return ("texts" if str in get_args(next(part for part in kinds if get_origin(part) is tuple)) else "text"), ()
    if int in kinds and float in kinds:
        return "amount", ()
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float")):
        if kind in kinds:
            return name, ()
    return "text", ()


def _leaves(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType) or hasattr(annotation, "__metadata__"):
        return [
            leaf
            for part in get_args(annotation)[: 1 if hasattr(annotation, "__metadata__") else None]
            for leaf in _leaves(part)
        ]
    return [annotation]


def _limits(field: FieldInfo) -> dict[str, Any]:
    """ge/gt/le/lt of a field as minimum, maximum and whether they are excluded."""
    found: dict[str, Any] = {}
    for limit in field.metadata:
        for key, side, excluded in (
            ("ge", "minimum", False),
            ("gt", "minimum", True),
            ("le", "maximum", False),
            ("lt", "maximum", True),
        ):
            value = getattr(limit, key, None)
            if value is not None:
                found[side] = value
                found[f"{side}_excluded"] = excluded
    return found
