"""Settings of LoRA_Easy_Training_Scripts: TOML with a table a card of its window, in each of them `args` for the
training and `dataset_args` for the pictures, and tables in those for arguments. LIGHT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.config.dataset import Subset
from trainer.config.problems import Note, shown
from trainer.config.programs.loose import number, texts
from trainer.config.programs.trainings import TEXTUAL_INVERSION

DOCUMENT = "__lora_easy__"  # the whole file, among flat values
PARTS = ("args", "dataset_args")
ARGUMENTS = ("network_args", "optimizer_args", "lr_scheduler_args")
RENAMED = {"batch_size": "train_batch_size", "comment": "training_comment"}
# What its window and its list of saved files are about.
OF_THE_WINDOW = frozenset({
    "save_toml", "save_toml_location", "tag_occurrence", "tag_file_location", "run_name_mode", "log_prefix_mode", "fa",
    "name", "train_mode",
})  # fmt: skip
FAMILIES = {"flux_args": "flux", "anima_args": "anima", "sd3_args": "sd3", "lumina_args": "lumina"}
# Schedule classes of its own, by the last part of their names.
REX = ("rex", "rexannealingwarmrestarts")
WARM_RESTARTS = ("cosineannealingwarmuprestarts", "cosineannealingwarmrestarts")


def is_of(document: Mapping[str, Any]) -> bool:
    """Whether the tables of a file are of this program."""
    return any(
        str(group).endswith("_args") and isinstance(table, Mapping) and any(
            isinstance(table.get(part), Mapping) for part in PARTS
        )
        for group, table in document.items()
    )  # fmt: skip


def kind_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """(training, family) that a file is for; "" for a LoRA, and for a family that is trained here."""
    mode = document.get("train_mode")
    is_inversion = isinstance(mode, Mapping) and str(mode.get("train_mode", "")).lower() in ("ti", "textual_inversion")
    family = next((FAMILIES[group] for group in FAMILIES if any(_parts(document.get(group)))), "sd")
    return TEXTUAL_INVERSION if is_inversion else "", family


def as_sd_scripts(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """A file's tables -> flat values under sd-scripts' names, and what was changed. What is 0, empty or false it leaves
    out."""
    notes: list[Note] = []
    result: dict[str, Any] = {}
    left: list[str] = []
    for group, table in document.items():
        if group == "subsets":
            result["subsets"] = [one for one in map(lambda entry: _subset(entry, notes), _tables(table)) if one]
            continue
        if not isinstance(table, Mapping):
            result[group] = table
            continue
        for part in PARTS if any(part in table for part in PARTS) else ("",):
            values = table.get(part, {}) if part else table
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if name in ARGUMENTS and isinstance(value, Mapping):
                    result[name] = _arguments(value)
                elif name in OF_THE_WINDOW:
                    left += [name] if value and name not in ("fa", "train_mode", "name") else []
                elif value or group == "extra_args":
                    result[RENAMED.get(str(name), str(name))] = _value(value)
    _network(document, result)
    if result.pop("sdxl", False):
        result["model_family"] = "sdxl"
    _warmup(result, notes)
    _schedule(result, notes)
    if left:
        said = "Left out, since they are about the window of {program}: {names}"
        notes.append(Note(None, said, {"program": "LoRA_Easy_Training_Scripts", "names": ", ".join(left)}))
    return result, notes


def _parts(table: Any) -> list[Any]:
    return [table.get(part) for part in PARTS] if isinstance(table, Mapping) else []


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _value(value: Any) -> Any:
    """A switch that is written as a word, as a switch."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _subset(entry: Mapping[str, Any], notes: list[Note]) -> dict[str, Any] | None:
    """A picture folder under our names; None for one without a path."""
    given = {name: value for name, value in entry.items() if value and name != "name"}
    for name in [name for name in given if name not in Subset.model_fields]:
        said = "{name} = {value} of {folder} was left out: no such parameter"
        told = {"name": name, "value": shown(given.pop(name)), "folder": entry.get("image_dir", "")}
        notes.append(Note("dataset.subsets", said, told))
    return given if given.get("image_dir") or given.get("metadata_file") else None


def _arguments(table: Mapping[str, Any]) -> list[str]:
    """{"weight_decay": 0.1, "betas": "0.9,0.99", "down_lr_weight": [1, 0.5]} -> ["weight_decay=0.1", ...]."""
    written = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in table.items()
    }
    return [
        f"{name}={value.capitalize() if value in ('true', 'false') else value}"
        for name, value in written.items()
        if value
    ]


def _network(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    """The network type, which it reads off the arguments."""
    given = [text.partition("=")[0] for text in texts(result.get("network_args"))]
    group = document.get("network_args")
    switches = group.get("args") if isinstance(group, Mapping) else None
    if isinstance(switches, Mapping) and switches.get("fa"):
        result.setdefault("network_module", "networks.lora_fa")
    elif "algo" in given:
        result.setdefault("network_module", "lycoris.kohya")
    elif "unit" in given:
        result.setdefault("network_module", "networks.dylora")
    else:
        result.setdefault("network_module", "networks.lora")


def _warmup(result: dict[str, Any], notes: list[Note]) -> None:
    """Its warm-up is a part of the run, as lr_warmup_steps below 1 is here."""
    ratio = number(result.get("warmup_ratio"))
    if ratio is None or result.get("lr_scheduler_type"):
        return
    del result["warmup_ratio"]
    result.setdefault("lr_warmup_steps", ratio)
    said = "warmup_ratio {value} was read as lr_warmup_steps {value}, a part of the run"
    notes.append(Note("schedule.lr_warmup_steps", said, {"value": f"{ratio:g}"}))


def _schedule(result: dict[str, Any], notes: list[Note]) -> None:
    """Its schedule classes under the names that they have here."""
    kind = str(result.get("lr_scheduler_type") or "").rpartition(".")[2].lower()
    if kind in REX:
        _rex(result, notes)
    elif kind in WARM_RESTARTS:
        _warm_restarts(result, notes)


def _rex(result: dict[str, Any], notes: list[Note]) -> None:
    given = {text.partition("=")[0]: text.partition("=")[2] for text in texts(result.pop("lr_scheduler_args", None))}
    result["lr_scheduler"] = "rex"
    lowest, rate = number(given.pop("min_lr", None)), number(result.get("learning_rate"))
    if lowest and rate:
        result["lr_scheduler_min_lr_ratio"] = min(lowest / rate, 1.0)
    ratio = number(result.pop("warmup_ratio", None))
    if ratio:
        result["lr_warmup_steps"] = ratio
    said = "lr_scheduler_type {kind} was read as lr_scheduler rex"
    notes.append(Note("schedule.lr_scheduler", said, {"kind": result.pop("lr_scheduler_type")}))
    for name, value in given.items():
        if value not in ("", "1", "1.0") or name == "d":
            said = "{name} = {value} was left out: {reason}"
            told = {"name": name, "value": value, "reason": "rex has no such setting here"}
            notes.append(Note("schedule.lr_scheduler", said, told))


def _warm_restarts(result: dict[str, Any], notes: list[Note]) -> None:
    """Steps of a cycle and of its warm-up, which it counts from the steps of the run."""
    given = list(texts(result.get("lr_scheduler_args")))
    cycles = int(number(result.pop("lr_scheduler_num_cycles", None)) or 1)
    ratio = number(result.pop("warmup_ratio", None)) or 0.0
    total = number(result.get("max_train_steps"))
    result["lr_scheduler_type"] = "CosineAnnealingWarmupRestarts"
    result.pop("lr_scheduler", None)
    if total:
        given += [f"first_cycle_steps={int(total) // cycles}"]
        given += [f"warmup_steps={round(total * ratio) // cycles}"] if ratio else []
    elif cycles > 1 or ratio:
        said = (
            "{cycles} cycles and a warm-up of {ratio} of the run were left out, as the file gives epochs: write "
            "first_cycle_steps (steps of the run / {cycles}) and warmup_steps into lr_scheduler_args"
        )
        notes.append(Note("schedule.lr_scheduler_args", said, {"cycles": cycles, "ratio": f"{ratio:g}"}))
    if given:
        result["lr_scheduler_args"] = given
