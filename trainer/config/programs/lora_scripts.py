"""Settings of lora-scripts (Qiuye's page). LIGHT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tomlkit

from trainer.config.problems import Note
from trainer.config.programs.kohya_ss import BLOCK_ARGUMENTS
from trainer.config.programs.loose import ZERO_IN_LYCORIS, is_on, number, says_something, texts

KEYS = frozenset({
    "model_train_type", "lycoris_algo", "dylora_unit", "lokr_factor", "enable_preview", "positive_prompts",
    "negative_prompts", "prompt_file", "network_args_custom", "optimizer_args_custom", "enable_base_weight",
    "enable_block_weights", "prodigy_d0", "prodigy_d_coef", "ui_custom_params", "randomly_choice_prompt",
})  # fmt: skip

PREVIEW_FIELDS = (
    "prompt_file", "positive_prompts", "negative_prompts", "sample_width", "sample_height", "sample_cfg", "sample_seed",
    "sample_steps", "randomly_choice_prompt", "sample_prompts", "sample_sampler", "sample_every_n_epochs",
    "sample_every_n_steps", "sample_at_first",
)  # fmt: skip
LORA_TYPES = {"sd-lora": "sd", "sdxl-lora": "sdxl", "lora-basic": None, "lora-master": None}


def as_sd_scripts(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Flat values of its TOML or JSON -> flat values under sd-scripts' names, and what was changed."""
    notes: list[Note] = []
    result = dict(values)
    custom = str(result.pop("ui_custom_params", "") or "").strip()
    if custom:
        _add_custom_parameters(custom, result, notes)
    kind = str(result.pop("model_train_type", "") or "")
    if LORA_TYPES.get(kind):
        result["model_family"] = LORA_TYPES[kind]
    _optimizer(result, notes)
    _network(result)
    _previews(result, notes)
    if not is_on(result.pop("enable_base_weight", bool(values.get("base_weights")))):
        for name in ("base_weights", "base_weights_multiplier"):
            result.pop(name, None)
    cards = result.get("gpu_ids")
    if isinstance(cards, list):  # "GPU 0: NVIDIA GeForce RTX 4090 (24 GB)"
        numbers = [re.search(r"\d+", str(card)) for card in cards]
        result["gpu_ids"] = ",".join(number.group() for number in numbers if number)
    for name in ("base_weights", "base_weights_multiplier"):
        if isinstance(result.get(name), str):
            result[name] = [line.strip() for line in result[name].splitlines() if line.strip()]
    return result, notes


def _add_custom_parameters(text: str, result: dict[str, Any], notes: list[Note]) -> None:
    """The free TOML of its form, which replaces any other field."""
    try:
        tables = tomlkit.parse(text).unwrap()
    except (tomlkit.exceptions.TOMLKitError, ValueError) as error:
        notes.append(Note(None, "ui_custom_params was left out: it is not valid TOML ({reason})", {"reason": error}))
        return
    for name, value in tables.items():
        result.update(value if isinstance(value, Mapping) else {name: value})


def _optimizer(result: dict[str, Any], notes: list[Note]) -> None:
    name = str(result.get("optimizer_type", "") or "").lower()
    d0, d_coef = result.pop("prodigy_d0", None), result.pop("prodigy_d_coef", None)
    arguments: list[str] = []
    if name == "prodigy" and d_coef:
        arguments = ["decouple=True", "weight_decay=0.01", "use_bias_correction=True", f"d_coef={d_coef}"]
        arguments += ["safeguard_warmup=True"] if result.get("lr_warmup_steps") else []
        arguments += [f"d0={d0}"] if d0 else []
    elif name.startswith("dadapt") and "optimizer_args" not in result:
        arguments = ["decouple=True", "weight_decay=0.01"] if name in ("dadaptation", "dadaptadam") else []
        for rate in ("learning_rate", "unet_lr", "text_encoder_lr"):
            result[rate] = 1
        notes.append(Note("optimizer.learning_rate", "all learning rates were set to 1, as this file's page does"))
    arguments += [*texts(result.get("optimizer_args")), *texts(result.pop("optimizer_args_custom", None))]
    if arguments:
        result["optimizer_args"] = arguments


def _network(result: dict[str, Any]) -> None:
    """Form fields of the chosen network as network_args; those of networks that are not chosen say nothing."""
    module = str(result.get("network_module", "") or "networks.lora")
    fields = ("lycoris_algo", "conv_dim", "conv_alpha", "dropout", "lokr_factor", "train_norm", "dylora_unit")
    shown = {name: result.pop(name, None) for name in fields}
    blocks = {name: result.pop(name, None) for name in BLOCK_ARGUMENTS[:4]}
    arguments: list[str] = []
    if module == "lycoris.kohya":
        algo = shown["lycoris_algo"]
        arguments = [f"algo={algo}"] if algo else []
        arguments += [f"{name}={shown[name]}" for name in ZERO_IN_LYCORIS if says_something(name, shown[name], True)]
        arguments += [f"dropout={shown['dropout']}"] if number(shown["dropout"]) else []
        arguments += [f"factor={shown['lokr_factor']}"] if algo == "lokr" and shown["lokr_factor"] else []
        arguments += ["train_norm=True"] if is_on(shown["train_norm"]) else []
    elif module == "networks.dylora" and shown["dylora_unit"]:
        arguments = [f"unit={shown['dylora_unit']}"]
    if is_on(result.pop("enable_block_weights", False)):
        arguments += [f"{name}={value}" for name, value in blocks.items() if says_something(name, value)]
    arguments += [*texts(result.get("network_args")), *texts(result.pop("network_args_custom", None))]
    if arguments:
        result["network_args"] = arguments


def _previews(result: dict[str, Any], notes: list[Note]) -> None:
    """Prompt, negative prompt and size fields as one line of a prompt file; nothing when previews are switched off."""
    written = {name: result.pop(name, None) for name in PREVIEW_FIELDS[:9]}
    enabled = result.pop("enable_preview", None)
    if enabled is not None and not is_on(enabled):
        for name in PREVIEW_FIELDS:
            result.pop(name, None)
        return
    if is_on(written["randomly_choice_prompt"]):
        said = "{name} was left out: {reason}"
        reason = "write the prompts into sample_prompts"
        notes.append(Note("sample.sample_prompts", said, {"name": "randomly_choice_prompt", "reason": reason}))
    if result.get("sample_prompts"):
        return
    if written["prompt_file"]:
        result["sample_prompts"] = written["prompt_file"]
    elif written["positive_prompts"]:
        flags = {"n": "negative_prompts", "w": "sample_width", "h": "sample_height", "l": "sample_cfg",
                 "s": "sample_steps", "d": "sample_seed"}  # fmt: skip
        line = " ".join(str(written["positive_prompts"]).split())
        for flag, name in flags.items():
            if written[name] not in (None, ""):
                line += f" --{flag} {' '.join(str(written[name]).split())}"
        result["sample_prompts"] = line
