"""Settings files of other pages, put back into sd-scripts' words: lora-scripts TOML and JSON, kohya_ss JSON,
and what a LoRA tells of itself (recipe.py). LIGHT.

These pages keep their own form fields and turn them into options only when they start a run; here the same is done.
What the resulting names mean is in imports.py. Nothing is dropped in silence: every change is a Note.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import tomlkit

from trainer.config import recipe
from trainer.config.problems import Note, shown
from trainer.networks.arguments import MODULES
from trainer.numbers import read_number

REPEATED = "__repeated__"  # the names that stand in several tables, among flat values
# Names that only one page writes; one of them is enough to know its files.
KOHYA_SS_KEYS = frozenset({
    "LoRA_type", "max_resolution", "stop_text_encoder_training", "lr_warmup", "model_list", "additional_parameters",
    "LyCORIS_preset", "sdxl_no_half_vae", "extra_accelerate_launch_args",
})  # fmt: skip
LORA_SCRIPTS_KEYS = frozenset({
    "model_train_type", "lycoris_algo", "dylora_unit", "lokr_factor", "enable_preview", "positive_prompts",
    "negative_prompts", "prompt_file", "network_args_custom", "optimizer_args_custom", "enable_base_weight",
    "enable_block_weights", "prodigy_d0", "prodigy_d_coef", "ui_custom_params", "randomly_choice_prompt",
})  # fmt: skip

# What the kohya_ss page means by 0: it then leaves the option out.
ZERO_IS_UNSET = frozenset({
    "seed", "max_train_steps", "max_train_epochs", "unet_lr", "text_encoder_lr", "clip_skip", "vae_batch_size",
    "adaptive_noise_scale", "lr_warmup_steps", "lr_decay_steps", "save_last_n_steps", "save_last_n_steps_state",
    "min_timestep", "max_timestep", "save_last_n_epochs", "save_last_n_epochs_state", "v_pred_like_loss",
    "min_snr_gamma", "scale_weight_norms", "network_dropout", "noise_offset", "multires_noise_iterations",
    "ip_noise_gamma", "sample_every_n_steps", "sample_every_n_epochs", "save_every_n_steps", "save_every_n_epochs",
    "lr_scheduler_timescale", "lr_scheduler_min_lr_ratio", "rank_dropout", "module_dropout", "keep_tokens",
    "main_process_port",
    "caption_dropout_every_n_epochs", "caption_dropout_rate", "initial_epoch", "initial_step", "ddp_timeout",
})  # fmt: skip
# Fields of its form that change nothing of what is learned: lists of names, how it prints, compiles and uses threads.
KOHYA_SS_ONLY = frozenset({
    "model_list", "train_data_dir_toggle", "dynamo_mode", "dynamo_use_dynamic", "dynamo_use_fullgraph", "save_as_bool",
    "training_preset", "num_cpu_threads_per_process", "logging_level", "cpu_threads", "sdxl",
})  # fmt: skip
# Fields that its page keeps for every kind of training and does not use for a LoRA. (conv_dims and conv_alphas reached
# sd-scripts under these names, which it does not know.)
KOHYA_SS_UNUSED = (
    "stop_text_encoder_training", "stop_text_encoder_training_pct", "extra_accelerate_launch_args", "conv_dims",
    "conv_alphas", "fp8_base_unet",
)  # fmt: skip
WITH_CYCLES = ("cosine_with_restarts", "cosine_with_min_lr", "warmup_stable_decay")
OTHER_FAMILIES = {
    "flux1_checkbox": "Flux", "sd3_checkbox": "SD3", "lumina_checkbox": "Lumina", "anima_checkbox": "Anima",
    "hunyuan_image_checkbox": "HunyuanImage",
}  # fmt: skip
OTHER_FAMILIES_PREFIXES = ("flux1_", "sd3_", "lumina_", "anima_", "hunyuan_", "t5xxl", "clip_l", "clip_g", "chroma")

BLOCK_ARGUMENTS = (
    "down_lr_weight", "mid_lr_weight", "up_lr_weight", "block_lr_zero_threshold", "block_dims", "block_alphas",
    "conv_block_dims", "conv_block_alphas",
)  # fmt: skip
DROPOUT_ARGUMENTS = ("rank_dropout", "module_dropout")
LORAPLUS_ARGUMENTS = ("loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio")
KOHYA_ARGUMENTS = (*BLOCK_ARGUMENTS, *DROPOUT_ARGUMENTS, *LORAPLUS_ARGUMENTS)
ZERO_IN_LYCORIS = ("conv_dim", "conv_alpha")
LYCORIS_COMMON = ("conv_dim", "conv_alpha", *DROPOUT_ARGUMENTS, "rank_dropout_scale", "train_norm", "bypass_mode")
# LoRA_type of kohya_ss: network_module, algo of LyCORIS, and which of the form's fields become network_args.
LORA_TYPES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "Standard": ("networks.lora", "", KOHYA_ARGUMENTS),
    "Kohya LoCon": ("networks.lora", "", ("conv_dim", "conv_alpha", *KOHYA_ARGUMENTS)),
    "LoRA-FA": ("networks.lora_fa", "", KOHYA_ARGUMENTS),
    "Kohya DyLoRA": ("networks.dylora", "", ("conv_dim", "conv_alpha", "unit", *KOHYA_ARGUMENTS)),
    "Kohya LoHa": ("lycoris.kohya", "loha", LYCORIS_COMMON),
    "Kohya LoKr": ("lycoris.kohya", "lokr", (*LYCORIS_COMMON, "factor")),
    "LoCon": ("lycoris.kohya", "locon", (*LYCORIS_COMMON, "use_tucker", "use_scalar", "dora_wd")),
    "LyCORIS/LoCon": ("lycoris.kohya", "locon", (*LYCORIS_COMMON, "use_tucker", "use_scalar", "dora_wd")),
    "LyCORIS/LoHa": ("lycoris.kohya", "loha", (*LYCORIS_COMMON, "use_tucker", "use_scalar", "dora_wd")),
    "LyCORIS/LoKr": (
        "lycoris.kohya", "lokr",
        (*LYCORIS_COMMON, "factor", "use_tucker", "use_scalar", "decompose_both", "dora_wd", "full_matrix"),
    ),
    "LyCORIS/iA3": ("lycoris.kohya", "ia3", ("train_on_input", "bypass_mode")),
    "LyCORIS/GLoRA": ("lycoris.kohya", "glora", LYCORIS_COMMON),
    "LyCORIS/DyLoRA": ("lycoris.kohya", "dylora", (*LYCORIS_COMMON, "block_size")),
    "LyCORIS/Diag-OFT": ("lycoris.kohya", "diag-oft", (*LYCORIS_COMMON, "constraint", "rescaled")),
    "LyCORIS/BOFT": ("lycoris.kohya", "boft", (*LYCORIS_COMMON, "constraint", "rescaled")),
    "LyCORIS/Native Fine-Tuning": ("lycoris.kohya", "full", ("train_norm", *DROPOUT_ARGUMENTS)),
}  # fmt: skip
KOHYA_SS_NETWORK_FIELDS = frozenset(name for _, _, names in LORA_TYPES.values() for name in names) | {
    "use_cp",
    "constrain",
}

PREVIEW_FIELDS = (
    "prompt_file", "positive_prompts", "negative_prompts", "sample_width", "sample_height", "sample_cfg", "sample_seed",
    "sample_steps", "randomly_choice_prompt", "sample_prompts", "sample_sampler", "sample_every_n_epochs",
    "sample_every_n_steps", "sample_at_first",
)  # fmt: skip
LORA_SCRIPTS_LORA_TYPES = {"sd-lora": "sd", "sdxl-lora": "sdxl", "lora-basic": None, "lora-master": None}


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
    if KOHYA_SS_KEYS & set(values):
        return _from_kohya_ss(values)
    if LORA_SCRIPTS_KEYS & set(values):
        return _from_lora_scripts(values)
    return dict(values), []


def _from_kohya_ss(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    notes: list[Note] = []
    result = {
        name: value for name, value in values.items()
        if name not in KOHYA_SS_ONLY and not name.startswith(OTHER_FAMILIES_PREFIXES)
        and not (name in ZERO_IS_UNSET and _is_zero(value))
    }  # fmt: skip
    for name, family in OTHER_FAMILIES.items():
        if _is_on(values.get(name)):
            said = "The file is for {family}, which this program does not train; choose an SD or SDXL base model"
            notes.append(Note("model.pretrained_model_name_or_path", said, {"family": family}))
    _kohya_ss_parts(values, result, notes)
    _kohya_ss_length(result, notes)
    _kohya_ss_noise(result)
    _kohya_ss_network(values, result, notes)
    if _is_on(values.get("sdxl")):
        result["model_family"] = "sdxl"
    for name, meant in (("sdxl_cache_text_encoder_outputs", "cache_text_encoder_outputs"),
                        ("sdxl_no_half_vae", "no_half_vae")):  # fmt: skip
        if _is_on(result.pop(name, None)) and _is_on(values.get("sdxl", True)):
            result[meant] = True
    attention = result.get("xformers")
    if isinstance(attention, str) and attention.lower() in ("xformers", "sdpa", "none"):
        result["xformers"], result["sdpa"] = attention.lower() == "xformers", attention.lower() == "sdpa"
    if "lora_network_weights" in result:
        result["network_weights"] = result.pop("lora_network_weights")
    if _is_on(result.pop("use_wandb", None)):
        result["log_with"] = "wandb"
    backend = str(result.pop("dynamo_backend", "no") or "no")
    if backend != "no":
        result["torch_compile"], result["dynamo_backend"] = True, backend
    for name in KOHYA_SS_UNUSED:
        value = result.pop(name, None)
        if value and not _is_zero(value):
            said = "{name} = {value} was left out: it has no effect on a LoRA training here"
            notes.append(Note(None, said, {"name": name, "value": value}))
    if _is_on(result.pop("no_token_padding", None)):
        said = "no_token_padding was left out: kohya_ss does not use it for a LoRA; switch it on here if it is meant"
        notes.append(Note("caption.no_token_padding", said))
    _add_extra_arguments(str(result.pop("additional_parameters", "") or ""), result, notes)
    return result, notes


def _kohya_ss_parts(values: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    """A part with rate 0, or an empty one, is not trained at all there; with both at 0 the common rate counts."""
    rates = (values.get(name) for name in ("unet_lr", "text_encoder_lr"))
    unet, text_encoder = (0.0 if rate == "" else _number(rate) for rate in rates)
    if unet and text_encoder == 0:
        result["network_train_unet_only"] = True
        notes.append(Note("network.network_train_unet_only", "text_encoder_lr 0 was read as: train the U-Net only"))
    elif text_encoder and unet == 0:
        result["network_train_text_encoder_only"] = True
        said = "unet_lr 0 was read as: train the text encoder only"
        notes.append(Note("network.network_train_text_encoder_only", said))


def _kohya_ss_length(result: dict[str, Any], notes: list[Note]) -> None:
    """Steps win over the epochs of its first tab, which are also the restarts where none are given; the warm-up is a
    percentage."""
    cycles, epochs = result.get("lr_scheduler_num_cycles"), result.get("epoch")
    if result.get("lr_scheduler") in WITH_CYCLES and cycles in ("", None) and epochs and not _is_zero(epochs):
        result["lr_scheduler_num_cycles"] = epochs
        said = "lr_scheduler_num_cycles is empty, which this file's page reads as the epochs: {epochs}"
        notes.append(Note("schedule.lr_scheduler_num_cycles", said, {"epochs": epochs}))
    if "max_train_epochs" in result:
        result.pop("epoch", None)
    elif result.get("dataset_config") and "max_train_steps" not in result and result.pop("epoch", None):
        said = "epoch was left out: with dataset_config this file's page trains {steps} steps where none are given"
        notes.append(Note("run.max_train_epochs", said, {"steps": 1600}))
    elif "max_train_steps" in result and result.pop("epoch", None):
        notes.append(Note("run.max_train_epochs", "epoch was left out: max_train_steps is set and wins in this file"))
    given = result.pop("lr_warmup", 0)
    warmup = 0.0 if given in ("", None) else _number(given)
    if warmup is None:
        result.setdefault("lr_warmup_steps", f"{given}%")  # refused there, with what to write
    if warmup and "lr_warmup_steps" not in result:
        result["lr_warmup_steps"] = f"{warmup:g}%"
        said = "lr_warmup {value} was read as {value} % of the steps"
        notes.append(Note("schedule.lr_warmup_steps", said, {"value": f"{warmup:g}"}))


def _kohya_ss_noise(result: dict[str, Any]) -> None:
    """Its form keeps the values of both kinds of noise and uses the chosen one."""
    kind = str(result.pop("noise_offset_type", ""))
    unused: tuple[str, ...] = ()
    if kind == "Multires":
        unused = ("noise_offset", "adaptive_noise_scale", "noise_offset_random_strength")
    elif kind == "Original":
        unused = ("multires_noise_iterations", "multires_noise_discount")
    for name in unused:
        result.pop(name, None)


def _kohya_ss_network(values: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    kind = str(result.pop("LoRA_type", "") or "")
    preset = result.pop("LyCORIS_preset", None)
    fields = {name: result.pop(name) for name in list(result) if name in KOHYA_SS_NETWORK_FIELDS}
    if not kind:
        result.update(fields)  # those that are not known are told by name
        return
    if kind not in LORA_TYPES:
        said = "LoRA_type {kind} is not trained by this program; networks.lora was chosen"
        notes.append(Note("network.network_module", said, {"kind": kind}))
    module, algo, names = LORA_TYPES.get(kind, LORA_TYPES["Standard"])
    for old, new in (("use_cp", "use_tucker"), ("constrain", "constraint"), ("unit", "block_size")):
        if old in fields and new in names:
            fields.setdefault(new, fields[old])
    arguments = [f"algo={algo}"] if algo else []
    if algo and preset:
        arguments.append(f"preset={preset}")
    known = MODULES[module][algo].arguments
    for name in names:
        if not _says_something(name, fields.get(name), bool(algo)):
            continue
        if name in known:
            arguments.append(f"{name}={fields[name]}")
        else:
            said = "{name} = {value} was left out: {kind} does not use it"
            notes.append(Note("network.network_args", said, {"name": name, "value": fields[name], "kind": kind}))
    result["network_module"] = module
    if arguments and not result.get("network_args"):
        result["network_args"] = arguments


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
        else:
            said = "additional_parameters: {word} was left out, as no --name stands before it"
            notes.append(Note(None, said, {"word": word}))


def _from_lora_scripts(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    notes: list[Note] = []
    result = dict(values)
    custom = str(result.pop("ui_custom_params", "") or "").strip()
    if custom:
        _add_custom_parameters(custom, result, notes)
    kind = str(result.pop("model_train_type", "") or "")
    if kind and kind not in LORA_SCRIPTS_LORA_TYPES:
        said = "The file is for {family}, which this program does not train; choose an SD or SDXL base model"
        notes.append(Note("model.pretrained_model_name_or_path", said, {"family": kind}))
    elif LORA_SCRIPTS_LORA_TYPES.get(kind):
        result["model_family"] = LORA_SCRIPTS_LORA_TYPES[kind]
    _lora_scripts_optimizer(result, notes)
    _lora_scripts_network(result)
    _lora_scripts_previews(result, notes)
    if not _is_on(result.pop("enable_base_weight", bool(values.get("base_weights")))):
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


def _lora_scripts_optimizer(result: dict[str, Any], notes: list[Note]) -> None:
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
    arguments += [*_texts(result.get("optimizer_args")), *_texts(result.pop("optimizer_args_custom", None))]
    if arguments:
        result["optimizer_args"] = arguments


def _lora_scripts_network(result: dict[str, Any]) -> None:
    """Form fields of the chosen network as network_args; those of networks that are not chosen say nothing."""
    module = str(result.get("network_module", "") or "networks.lora")
    fields = ("lycoris_algo", "conv_dim", "conv_alpha", "dropout", "lokr_factor", "train_norm", "dylora_unit")
    shown = {name: result.pop(name, None) for name in fields}
    blocks = {name: result.pop(name, None) for name in BLOCK_ARGUMENTS[:4]}
    arguments: list[str] = []
    if module == "lycoris.kohya":
        algo = shown["lycoris_algo"]
        arguments = [f"algo={algo}"] if algo else []
        arguments += [f"{name}={shown[name]}" for name in ZERO_IN_LYCORIS if _says_something(name, shown[name], True)]
        arguments += [f"dropout={shown['dropout']}"] if _number(shown["dropout"]) else []
        arguments += [f"factor={shown['lokr_factor']}"] if algo == "lokr" and shown["lokr_factor"] else []
        arguments += ["train_norm=True"] if _is_on(shown["train_norm"]) else []
    elif module == "networks.dylora" and shown["dylora_unit"]:
        arguments = [f"unit={shown['dylora_unit']}"]
    if _is_on(result.pop("enable_block_weights", False)):
        arguments += [f"{name}={value}" for name, value in blocks.items() if _says_something(name, value)]
    arguments += [*_texts(result.get("network_args")), *_texts(result.pop("network_args_custom", None))]
    if arguments:
        result["network_args"] = arguments


def _lora_scripts_previews(result: dict[str, Any], notes: list[Note]) -> None:
    """Prompt, negative prompt and size fields as one line of a prompt file; nothing when previews are switched off."""
    written = {name: result.pop(name, None) for name in PREVIEW_FIELDS[:9]}
    enabled = result.pop("enable_preview", None)
    if enabled is not None and not _is_on(enabled):
        for name in PREVIEW_FIELDS:
            result.pop(name, None)
        return
    if _is_on(written["randomly_choice_prompt"]):
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


def _says_something(name: str, value: Any, lycoris: bool = False) -> bool:
    """Whether a form field for a network argument holds more than "as usual".

    lycoris: what is not said about convolutions is there as for the other layers, so a 0 says something.
    """
    if value is None or value is False or value in ("", "False", "false"):
        return False
    return not _is_zero(value) or (lycoris and name in ZERO_IN_LYCORIS)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return value.split()
    return [str(text) for text in value] if isinstance(value, list) else []


def _is_on(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1")


def _is_zero(value: Any) -> bool:
    return not isinstance(value, bool) and _number(value) == 0 or str(value).strip() == ""


def _number(value: Any) -> float | None:
    try:
        return float(read_number(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
