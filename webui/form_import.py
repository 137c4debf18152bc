"""Other programs' files for the form: kohya_ss JSON, lora-scripts and sd-scripts TOML or JSON, ours. LIGHT.

What names mean is in trainer/config/imports.py; here is what only kohya_ss's JSON does differently, and how a file with
a bad value still gives all its good ones.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit

from trainer.config import ConfigError, Note, Problem
from webui.form import RawValue, check, default_values, differences, raw_values

LARGEST_FILE_BYTES = 2 * 2**20
# Keys that only the kohya_ss GUI writes; one of them is enough to know its files.
KOHYA_GUI_KEYS = frozenset(
    {"LoRA_type", "max_resolution", "stop_text_encoder_training", "lr_warmup", "model_list", "additional_parameters"}
)
# What the kohya_ss GUI means by 0: it then leaves the option out.
ZERO_IS_UNSET = frozenset({
    "seed", "max_train_steps", "max_train_epochs", "unet_lr", "text_encoder_lr", "clip_skip", "vae_batch_size",
    "adaptive_noise_scale", "lr_warmup_steps",
    "save_last_n_steps", "save_last_n_steps_state", "min_timestep", "max_timestep",
})  # fmt: skip
GUI_ONLY = frozenset({
    "model_list", "sdxl_cache_text_encoder_outputs", "sdxl_no_half_vae", "train_data_dir_toggle", "num_machines",
    "num_processes", "multi_gpu", "gpu_ids", "main_process_port", "machine_rank", "dynamo_mode", "dynamo_use_dynamic",
    "dynamo_use_fullgraph",
    "extra_accelerate_launch_args", "save_as_bool", "stop_text_encoder_training", "stop_text_encoder_training_pct",
})  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """values: the form with the file's values. notes: what was translated or left out. refused: values in error."""

    values: Mapping[str, RawValue]
    taken: int
    notes: tuple[Note, ...]
    refused: tuple[Problem, ...]


def read_text(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML or JSON text. Raises ConfigError when it is neither, or holds no values."""
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE_BYTES:
        raise ConfigError(
            [Problem(None, "{path} is larger than 2 MB; this is not a training configuration", {"path": name})]
        )
    text = text.lstrip("\ufeff")
    is_json = text.lstrip().startswith("{")
    try:
        return dict(json.loads(text) if is_json else tomlkit.parse(text).unwrap())
    except (ValueError, RecursionError, tomlkit.exceptions.TOMLKitError) as error:
        told = "{path} is not valid JSON: {reason}" if is_json else "{path} is not valid TOML: {reason}"
        raise ConfigError([Problem(None, told, {"path": name, "reason": str(error)})]) from error


def take(values: Mapping[str, Any]) -> Imported:
    """A file's values -> the form over sd-scripts' defaults.

    Raises ConfigError when nothing in it is a parameter. A value in error is left out and told in `refused`.
    """
    notes: list[Note] = []
    tables = {key: value for key, value in values.items() if key not in ("preset", "metadata")}
    if KOHYA_GUI_KEYS & set(tables):
        tables = _from_kohya_gui(tables, notes)
    checked = check(tables)
    if checked.preview is None:
        raise ConfigError(checked.problems)
    shown = raw_values(checked.preview)
    taken = differences(shown, default_values())
    named = [note for note in checked.notes if note.address is None]
    if not taken and (named or not tables):
        raise ConfigError(
            [
                Problem(
                    None,
                    "Nothing in this file is a parameter of a LoRA training; "
                    "choose the TOML or JSON that a trainer saved",
                )
            ]
        )
    refused = tuple(problem for problem in checked.problems if not _is_only_empty(problem, tables))
    return Imported(shown, len(taken), (*notes, *checked.notes), refused)


def _from_kohya_gui(values: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """kohya_ss's JSON with its own ways undone: percent warm-up, zeros for "unset", arguments in one line."""
    result = {key: value for key, value in values.items() if key not in GUI_ONLY and not _is_unset(key, value)}
    unet, text_encoder = _number(values.get("unet_lr")), _number(values.get("text_encoder_lr"))
    if unet and text_encoder == 0 and "text_encoder_lr" in values:
        result["network_train_unet_only"] = True
        notes.append(Note("network.network_train_unet_only", "text_encoder_lr 0 was read as: train the U-Net only"))
    elif text_encoder and unet == 0 and "unet_lr" in values:
        result["network_train_text_encoder_only"] = True
        notes.append(
            Note("network.network_train_text_encoder_only", "unet_lr 0 was read as: train the text encoder only")
        )
    warmup = _number(result.pop("lr_warmup", 0))
    if warmup and not _number(values.get("lr_warmup_steps")):
        result["lr_warmup_steps"] = f"{warmup:g}%"
        notes.append(
            Note(
                "schedule.lr_warmup_steps",
                "lr_warmup {value} was read as {value} % of the steps",
                {"value": f"{warmup:g}"},
            )
        )
    kind = str(result.pop("LoRA_type", "Standard"))
    if kind != "Standard":
        notes.append(
            Note(
                "network.network_module",
                "LoRA_type {kind} is not trained by this version; networks.lora was chosen",
                {"kind": kind},
            )
        )
    if result.pop("sdxl", False) in (True, "true"):
        notes.append(
            Note(
                "model.pretrained_model_name_or_path",
                "The file is for SDXL, which this version does not train; choose an SD 1.5 base model",
            )
        )
    attention = result.get("xformers")
    if attention in ("xformers", "sdpa", "none"):
        result["xformers"], result["sdpa"] = attention == "xformers", attention == "sdpa"
    _add_extra_arguments(str(result.pop("additional_parameters", "") or ""), result, notes)
    return result


def _add_extra_arguments(text: str, result: dict[str, Any], notes: list[Note]) -> None:
    """The free command-line text of kohya_ss: "--name value --switch" as values of their own."""
    try:
        words = shlex.split(text)
    except ValueError:
        notes.append(Note(None, "additional_parameters was left out: its quotes do not match"))
        return
    name = ""
    for word in words:
        if word.startswith("--"):
            name, sign, value = word[2:].partition("=")
            result[name] = value if sign else True
        elif name:
            before = result.get(name)
            result[name] = word if before is True else [*(before if isinstance(before, list) else [before]), word]


def _is_unset(key: str, value: Any) -> bool:
    return key in ZERO_IS_UNSET and str(value).strip() in ("0", "0.0", "")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _is_only_empty(problem: Problem, tables: Mapping[str, Any]) -> bool:
    """True when a problem only says that the file names no base model, pictures or resolution."""
    name = (problem.address or "").rpartition(".")[2]
    flat = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    for value in tables.values():
        flat.update(value if isinstance(value, Mapping) else {})
    needed = {
        "pretrained_model_name_or_path": (name,),
        "train_data_dir": (name, "subsets"),
        "resolution": (name, "max_resolution"),
    }
    return name in needed and not any(flat.get(key) for key in needed[name])
