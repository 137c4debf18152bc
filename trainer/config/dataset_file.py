"""sd-scripts' dataset file (dataset_config): TOML or JSON with [general], [[datasets]] and [[datasets.subsets]], read
into the same data sets that [[dataset.datasets]] declares. LIGHT.

Unknown keys are refused, as sd-scripts does; every mistake is told with its file, table and key. Numbers are read as
in every other file (trainer/numbers.py): sd-scripts refuses them as text, 2.0 for a whole number and 1 for 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from trainer.config.dataset import DatasetGroup, Interpolation
from trainer.config.partners import OF_FOLDERS, partner_notes
from trainer.config.problems import ConfigError, Note, Problem, did_you_mean, from_validation, shown
from trainer.numbers import NumberError, read_number
from trainer.textfiles import TextFileError, parse_document, read_text

if TYPE_CHECKING:
    from trainer.config import TrainConfig

REPLACED = ("train_data_dir", "reg_data_dir", "in_json")  # what a dataset file takes the place of


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> int | float | None:
    """A finite number, perhaps as text; None for anything else. Raises NumberError for a text that is none."""
    if isinstance(value, str):
        return read_number(value)
    return value if (_is_int(value) or isinstance(value, float)) and abs(value) < float("inf") else None


def _is_number(value: Any) -> bool:
    return _number(value) is not None


def _is_whole(value: Any) -> bool:
    number = _number(value)
    return number is not None and number == int(number)


def _is_resolution(value: Any) -> bool:
    listed = isinstance(value, list) and len(value) in (1, 2) and all(map(_is_int, value))
    return _is_int(value) or isinstance(value, str) or listed


def _is_range(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)))


# what a value may be: how that is said, and how it is tested
Kind = tuple[str, Callable[[Any], bool]]
INT: Kind = ("a whole number", _is_whole)
NUMBER: Kind = ("a number", _is_number)
BOOL: Kind = ("true or false", lambda value: isinstance(value, bool))
TEXT: Kind = ("text", lambda value: isinstance(value, str))
TABLE: Kind = ("a table", lambda value: isinstance(value, Mapping))
SIDES: Kind = ("a whole number or two of them in brackets", _is_resolution)
RANGE: Kind = ("two numbers in brackets", _is_range)
FILTER: Kind = (f"one of {', '.join(get_args(Interpolation))}", lambda value: value in get_args(Interpolation))

EVERYWHERE: dict[str, Kind] = {
    "num_repeats": INT, "shuffle_caption": BOOL, "color_aug": BOOL, "flip_aug": BOOL, "random_crop": BOOL,
    "enable_wildcard": BOOL, "keep_tokens": INT, "keep_tokens_separator": TEXT, "secondary_separator": TEXT,
    "caption_separator": TEXT, "caption_prefix": TEXT, "caption_suffix": TEXT, "face_crop_aug_range": RANGE,
    "token_warmup_min": INT, "token_warmup_step": NUMBER, "caption_dropout_rate": NUMBER,
    "caption_tag_dropout_rate": NUMBER, "caption_dropout_every_n_epochs": INT, "custom_attributes": TABLE,
    "caption_extension": TEXT, "class_tokens": TEXT, "cache_info": BOOL, "resize_interpolation": FILTER,
}  # fmt: skip
OF_DATASETS: dict[str, Kind] = {
    "resolution": SIDES, "batch_size": INT, "enable_bucket": BOOL, "bucket_no_upscale": BOOL, "min_bucket_reso": INT,
    "max_bucket_reso": INT, "bucket_reso_steps": INT, "network_multiplier": NUMBER, "validation_seed": INT,
    "validation_split": NUMBER,
}  # fmt: skip
OF_SUBSETS: dict[str, Kind] = {
    "image_dir": TEXT, "metadata_file": TEXT, "conditioning_data_dir": TEXT, "is_reg": BOOL, "alpha_mask": BOOL,
}  # fmt: skip
WITHOUT_EFFECT = {"network_multiplier": "sd-scripts reads it and does not use it either"}
ATTRIBUTES = ("diff_output_preservation",)  # the custom_attributes that mean something
# keys that one kind of folder has and another does not
NOT_WITH_METADATA = ("is_reg", "class_tokens", "caption_extension", "cache_info")
NOT_WITH_MASKS = ("is_reg", "class_tokens", "alpha_mask")


def expanded(config: TrainConfig) -> tuple[TrainConfig, tuple[Note, ...]]:
    """The configuration with the data sets of its dataset_config in place of the file and of the folder options.

    Unchanged without a dataset_config. Raises ConfigError naming file, table and key; also when the data sets do not
    go with the other parameters (caches with random crops and the like).
    """
    if not config.dataset.dataset_config:
        return config, ()
    from trainer.config import TrainConfig, as_config_error

    groups, notes = read_dataset_file(Path(config.dataset.dataset_config))
    ignored = [name for name in REPLACED if getattr(config.dataset, name)]
    said = "{name} is not used: dataset_config lists the folders"
    notes += [Note(f"dataset.{name}", said, {"name": name}) for name in ignored]
    changes = {"datasets": groups, "dataset_config": None, **dict.fromkeys(REPLACED)}
    sections = {name: getattr(config, name) for name in TrainConfig.model_fields}
    try:
        whole = TrainConfig(**{**sections, "dataset": config.dataset.model_copy(update=changes)})
    except ValidationError as error:
        raise as_config_error(error) from error
    return whole, (*notes, *partner_notes(whole, OF_FOLDERS))


def read_dataset_file(path: Path) -> tuple[tuple[DatasetGroup, ...], list[Note]]:
    """The data sets of a file, [general] already laid under each of them, and what had no effect in it."""
    content = _parsed(path)
    problems = list(_mistakes(content, path))
    if problems:
        raise ConfigError(problems)
    general = content.get("general", {})
    groups = []
    for number, table in enumerate(content["datasets"], start=1):
        values = {**_given(general), **_given(table), "subsets": [_given(subset) for subset in table["subsets"]]}
        try:
            groups.append(DatasetGroup.model_validate(values))
        except ValidationError as error:
            raise ConfigError(
                [_placed(problem, path, f"[[datasets]] {number}") for problem in from_validation(error, {})]
            ) from error
    return tuple(groups), list(_without_effect(content))


def _parsed(path: Path) -> dict[str, Any]:
    if path.suffix.lower() not in (".toml", ".json"):
        raise ConfigError(
            [_problem("{path} is neither a .toml nor a .json file; dataset_config needs one of them", path)]
        )
    try:
        return parse_document(read_text(path), str(path), "JSON" if path.suffix.lower() == ".json" else "TOML")
    except TextFileError as error:
        raise ConfigError([Problem("dataset.dataset_config", error.template, error.values)]) from error


def _mistakes(content: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for name in content:
        if name not in ("general", "datasets"):
            yield _unknown(path, "the top of the file", name, ("general", "datasets"))
    general, datasets = content.get("general", {}), content.get("datasets")
    if not isinstance(general, Mapping):
        yield _problem("{path}: general must be a table, [general]", path)
        return
    yield from _wrong(general, {**EVERYWHERE, **OF_DATASETS}, path, "[general]")
    if not isinstance(datasets, list) or not datasets or not all(isinstance(table, Mapping) for table in datasets):
        yield _problem("{path} lists no data set; write [[datasets]] with [[datasets.subsets]] in it", path)
        return
    for number, table in enumerate(datasets, start=1):
        yield from _mistakes_of(table, path, f"[[datasets]] {number}")


def _mistakes_of(table: Mapping[str, Any], path: Path, place: str) -> Iterator[Problem]:
    """One [[datasets]] table."""
    own = {name: value for name, value in table.items() if name != "subsets"}
    yield from _wrong(own, {**EVERYWHERE, **OF_DATASETS}, path, place)
    subsets = table.get("subsets")
    if not isinstance(subsets, list) or not subsets or not all(isinstance(entry, Mapping) for entry in subsets):
        yield _problem("{path}: {place} has no [[datasets.subsets]]; add one with image_dir", path, place=place)
        return
    for number, subset in enumerate(subsets, start=1):
        where = f"{place}, [[datasets.subsets]] {number}"
        yield from _wrong(subset, {**EVERYWHERE, **OF_SUBSETS}, path, where)
        kind = _kind(subset)
        needed = ("metadata_file",) if kind == "metadata_file" else ("image_dir",)
        for name in needed:
            if not subset.get(name):
                yield _problem("{path}: {place}: {name} is missing; it is needed here", path, place=where, name=name)
        excluded = {"metadata_file": NOT_WITH_METADATA, "conditioning_data_dir": NOT_WITH_MASKS}.get(kind, ())
        for name in excluded:
            if name in subset:
                said = "{path}: {place}: {name} does not go with {kind}; remove one of them"
                yield _problem(said, path, place=where, name=name, kind=kind)
    kinds = {_kind(subset) for subset in subsets}
    if len(kinds) > 1:
        said = (
            "{path}: {place} mixes folders with and without metadata_file or conditioning_data_dir; "
            "give each kind a [[datasets]] of its own"
        )
        yield _problem(said, path, place=place)


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in table.items() if value is not None and name not in WITHOUT_EFFECT}
    attributes = own.pop("custom_attributes", {})
    return own | {name: attributes[name] for name in ATTRIBUTES if isinstance(attributes.get(name), bool)}


def _kind(subset: Mapping[str, Any]) -> str:
    return next((name for name in ("conditioning_data_dir", "metadata_file") if name in subset), "plain")


def _wrong(table: Mapping[str, Any], known: Mapping[str, Kind], path: Path, place: str) -> Iterator[Problem]:
    for name, value in table.items():
        if name not in known:
            yield _unknown(path, place, name, known)
        elif value is not None and (problem := _wrong_kind(name, value, known[name], path, place)):
            yield problem


def _wrong_kind(name: str, value: Any, kind: Kind, path: Path, place: str) -> Problem | None:
    """What is wrong with a value of another kind; for a number with a comma what to write."""
    words, fits = kind
    told = {"place": place, "name": name, "value": shown(value)}
    try:
        if fits(value):
            return None
        cure = ""
    except NumberError as error:
        cure = error.whole_cure if kind is INT else error.cure
    if cure:
        said = (
            "{path}: {place}: {name} is {value}; numbers are written with a point, without commas or spaces: "
            "write {cure}"
        )
        return _problem(said, path, **told, cure=cure)
    return _problem("{path}: {place}: {name} is {value}; {kind} is needed", path, **told, kind=words)


def _without_effect(content: Mapping[str, Any]) -> Iterator[Note]:
    tables = [content.get("general", {})]
    for table in content["datasets"]:
        tables += [table, *table["subsets"]]
    for name, reason in WITHOUT_EFFECT.items():
        if any(table.get(name) for table in tables):
            yield Note(None, "{name} was left out: {reason}", {"name": name, "reason": reason})
    attributes = {name for table in tables for name in table.get("custom_attributes") or ()}
    for name in sorted(attributes.difference(ATTRIBUTES)):
        reason = "of custom_attributes only diff_output_preservation is known"
        yield Note(None, "{name} was left out: {reason}", {"name": name, "reason": reason})


def _unknown(path: Path, place: str, name: str, known: Any) -> Problem:
    said = "{path}: {place}: {name} is not known there; remove it or correct its spelling{hint}"
    return _problem(said, path, place=place, name=name, hint=did_you_mean(name, known))


def _placed(problem: Problem, path: Path, place: str) -> Problem:
    return _problem("{path}: {place}: {reason}", path, place=place, reason=problem.message)


def _problem(template: str, path: Path, **values: Any) -> Problem:
    return Problem("dataset.dataset_config", template, {"path": path, **values})
