"""Settings of the kohya_ss page. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.arguments import split_words
from trainer.config.problems import Note, shown
from trainer.config.programs.loose import is_on, is_zero, number, says_something
from trainer.networks.arguments import MODULES

# Names that only one page writes; one of them is enough to know its files.
KEYS = frozenset({
    "LoRA_type", "max_resolution", "lr_warmup", "model_list", "additional_parameters",
    "LyCORIS_preset", "sdxl_no_half_vae", "extra_accelerate_launch_args",
})  # fmt: skip
# Names that only the TOML has which it writes when a run starts; sd-scripts knows none of them.
KEYS_OF_RUNS = frozenset({"epoch", "noise_offset_type", "lowvram", "stop_text_encoder_training"})
# What it does not leave out at 0: the readers, which it writes anyway, and what is read further below.
KEPT_AT_ZERO = frozenset({"max_data_loader_n_workers", "lr_warmup"})
# Zeros that would mean something here.
TELLING_AT_ZERO = ("max_grad_norm", "prior_loss_weight", "network_alpha")
RENAMED = {
    "max_resolution": "resolution", "epoch": "max_train_epochs", "optimizer": "optimizer_type",
    "lora_network_weights": "network_weights", "model_path": "pretrained_model_name_or_path",
}  # fmt: skip
# What its LoRA tab has where a file says nothing and sd-scripts' default is another (v25, kohya_gui).
DEFAULTS: dict[str, Any] = {
    "max_resolution": "512,512", "enable_bucket": True, "bucket_no_upscale": True, "max_bucket_reso": 2048,
    "caption_extension": ".txt", "epoch": 1, "save_every_n_epochs": 1, "save_precision": "fp16",
    "mixed_precision": "fp16", "cache_latents": True, "xformers": "xformers", "max_data_loader_n_workers": 0,
    "optimizer": "AdamW8bit", "learning_rate": 1e-4, "lr_scheduler": "cosine", "lr_warmup": 10, "network_dim": 8,
}  # fmt: skip
# Fields of its form that change nothing of what is learned: lists of names, how it prints, compiles and uses threads.
OF_THE_PAGE = frozenset({
    "model_list", "train_data_dir_toggle", "dynamo_mode", "dynamo_use_dynamic", "dynamo_use_fullgraph", "save_as_bool",
    "training_preset", "num_cpu_threads_per_process", "logging_level", "cpu_threads", "sdxl", "sdxl_checkbox",
    "lowvram",
})  # fmt: skip
# Fields that its page keeps for every kind of training and does not use for a LoRA. (conv_dims and conv_alphas reached
# sd-scripts under these names, which it does not know.)
UNUSED = (
    "stop_text_encoder_training", "stop_text_encoder_training_pct", "extra_accelerate_launch_args", "conv_dims",
    "conv_alphas", "fp8_base_unet",
)  # fmt: skip
WITH_CYCLES = ("cosine_with_restarts", "cosine_with_min_lr", "warmup_stable_decay")
OTHER_FAMILIES_PREFIXES = ("flux1_", "sd3_", "lumina_", "anima_", "hunyuan_", "t5xxl", "clip_l", "clip_g", "chroma")

BLOCK_ARGUMENTS = (
    "down_lr_weight", "mid_lr_weight", "up_lr_weight", "block_lr_zero_threshold", "block_dims", "block_alphas",
    "conv_block_dims", "conv_block_alphas",
)  # fmt: skip
DROPOUT_ARGUMENTS = ("rank_dropout", "module_dropout")
LORAPLUS_ARGUMENTS = ("loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio")
KOHYA_ARGUMENTS = (*BLOCK_ARGUMENTS, *DROPOUT_ARGUMENTS, *LORAPLUS_ARGUMENTS)
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
NETWORK_FIELDS = frozenset(name for _, _, names in LORA_TYPES.values() for name in names) | {
    "use_cp",
    "constrain",
}


def is_of(values: Mapping[str, Any]) -> bool:
    """Whether flat values are of its page, or of the TOML that it writes when a run starts."""
    return bool((KEYS | KEYS_OF_RUNS) & set(values))


def as_sd_scripts(values: Mapping[str, Any], for_a_lora: bool = True) -> tuple[dict[str, Any], list[Note]]:
    """Flat values of its JSON, or of the TOML of a run -> flat values under sd-scripts' names, and what was changed.

    for_a_lora: whether names that are missing have the values of its LoRA tab.
    """
    notes: list[Note] = []
    values = {**values, **(_missing(values, notes) if for_a_lora else {})}
    result = {
        name: value for name, value in values.items()
        if name not in OF_THE_PAGE and not name.startswith(OTHER_FAMILIES_PREFIXES) and not _is_dropped(name, value)
    }  # fmt: skip
    for name in TELLING_AT_ZERO:
        if name in values and values[name] != "" and _is_dropped(name, values[name]):
            said = "{name} = 0 was left out, as the page of kohya_ss leaves it out; the usual value counts"
            notes.append(Note(None, said, {"name": name}))
    _parts(values, result, notes)
    _length(result, notes)
    _noise(result)
    _network(values, result, notes)
    if is_on(values.get("sdxl")) or is_on(values.get("sdxl_checkbox")):
        result["model_family"] = "sdxl"
    for name, meant in (("sdxl_cache_text_encoder_outputs", "cache_text_encoder_outputs"),
                        ("sdxl_no_half_vae", "no_half_vae")):  # fmt: skip
        if is_on(result.pop(name, None)) and is_on(values.get("sdxl", True)):
            result[meant] = True
    attention = result.get("xformers")
    if isinstance(attention, str) and attention.lower() in ("xformers", "sdpa", "none"):
        result["xformers"], result["sdpa"] = attention.lower() == "xformers", attention.lower() == "sdpa"
    for name, meant in RENAMED.items():
        if name in result:
            result[meant] = result.pop(name)
    if result.get("wandb_run_name") == result.get("output_name") and not result.get("log_with"):
        result.pop("wandb_run_name", None)  # written in any case
    if result.get("image_folder"):  # of its fine-tuning tab: the pictures lie in it
        result["subsets"] = [{"image_dir": result.pop("image_folder")}]
    if is_on(result.pop("use_wandb", None)):
        result["log_with"] = "wandb"
    backend = str(result.pop("dynamo_backend", "no") or "no")
    if backend != "no":
        result["torch_compile"], result["dynamo_backend"] = True, backend
    for name in UNUSED:
        value = result.pop(name, None)
        if value and not is_zero(value):
            said = "{name} = {value} was left out: it has no effect on a LoRA training here"
            notes.append(Note(None, said, {"name": name, "value": value}))
    if is_on(result.pop("no_token_padding", None)):
        said = "no_token_padding was left out: kohya_ss does not use it for a LoRA; switch it on here if it is meant"
        notes.append(Note("caption.no_token_padding", said))
    _add_extra_arguments(str(result.pop("additional_parameters", "") or ""), result, notes)
    return result, notes


def _missing(values: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """What its page has in the fields that a file of its page does not name; nothing for the TOML of a run."""
    if not KEYS & set(values):
        return {}
    missing = {name: value for name, value in DEFAULTS.items() if not {name, RENAMED.get(name, name)} & set(values)}
    if str(values.get("lr_scheduler", "")) in ("constant", "adafactor") or values.get("lr_warmup_steps"):
        missing.pop("lr_warmup", None)
    if is_on(values.get("color_aug")) or is_on(values.get("random_crop")):
        missing.pop("cache_latents", None)
    if number(values.get("max_train_steps")):
        missing.pop("epoch", None)
    if missing:
        listed = ", ".join(f"{name} = {shown(value)}" for name, value in missing.items())
        said = "Not in the file, and therefore as the page of kohya_ss has them: {names}"
        notes.append(Note(None, said, {"names": listed}))
    return missing


def _is_dropped(name: str, value: Any) -> bool:
    """Whether its page leaves a value out when it starts a run: what is empty, and every 0 but that of the readers and
    of the fields of networks."""
    if name in KEPT_AT_ZERO or name in NETWORK_FIELDS - set(DROPOUT_ARGUMENTS):
        return False
    return not isinstance(value, bool) and is_zero(value)


def _parts(values: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    """A part with rate 0, or an empty one, is not trained at all there; with both at 0 the common rate counts."""
    rates = (values.get(name) for name in ("unet_lr", "text_encoder_lr"))
    unet, text_encoder = (0.0 if rate == "" else number(rate) for rate in rates)
    if unet and text_encoder == 0:
        result["network_train_unet_only"] = True
        notes.append(Note("network.network_train_unet_only", "text_encoder_lr 0 was read as: train the U-Net only"))
    elif text_encoder and unet == 0:
        result["network_train_text_encoder_only"] = True
        said = "unet_lr 0 was read as: train the text encoder only"
        notes.append(Note("network.network_train_text_encoder_only", said))


def _length(result: dict[str, Any], notes: list[Note]) -> None:
    """Steps win over the epochs of its first tab, which are also the restarts where none are given; the warm-up is a
    percentage."""
    cycles, epochs = result.get("lr_scheduler_num_cycles"), result.get("epoch")
    if result.get("lr_scheduler") in WITH_CYCLES and cycles in ("", None) and epochs and not is_zero(epochs):
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
    warmup = 0.0 if given in ("", None) else number(given)
    if warmup is None:
        result.setdefault("lr_warmup_steps", f"{given}%")  # refused there, with what to write
    if warmup and "lr_warmup_steps" not in result:
        result["lr_warmup_steps"] = f"{warmup:g}%"
        said = "lr_warmup {value} was read as {value} % of the steps"
        notes.append(Note("schedule.lr_warmup_steps", said, {"value": f"{warmup:g}"}))


def _noise(result: dict[str, Any]) -> None:
    """Its form keeps the values of both kinds of noise and uses the chosen one."""
    kind = str(result.pop("noise_offset_type", ""))
    unused: tuple[str, ...] = ()
    if kind == "Multires":
        unused = ("noise_offset", "adaptive_noise_scale", "noise_offset_random_strength")
    elif kind == "Original":
        unused = ("multires_noise_iterations", "multires_noise_discount")
    for name in unused:
        result.pop(name, None)


def _network(values: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    kind = str(result.pop("LoRA_type", "") or "")
    preset = result.pop("LyCORIS_preset", None)
    fields = {name: result.pop(name) for name in list(result) if name in NETWORK_FIELDS}
    if not kind:
        result.update(fields)  # those that are not known are told by name
        return
    module, algo, names = LORA_TYPES.get(kind, LORA_TYPES["Standard"])
    for old, new in (("use_cp", "use_tucker"), ("constrain", "constraint"), ("unit", "block_size")):
        if old in fields and new in names:
            fields.setdefault(new, fields[old])
    arguments = [f"algo={algo}"] if algo else []
    if algo and preset:
        arguments.append(f"preset={preset}")
    known = MODULES[module][algo].arguments
    for name in names:
        if not says_something(name, fields.get(name), bool(algo)):
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
    if text.count('"') % 2:
        notes.append(Note(None, "additional_parameters was left out: its quotes do not match"))
        return
    name = ""
    for word in split_words(text):
        if word.startswith("--"):
            name, sign, value = word[2:].partition("=")
            result[name] = value if sign else True
        elif name:
            before = result.get(name)
            result[name] = word if before is True else [*(before if isinstance(before, list) else [before]), word]
        else:
            said = "additional_parameters: {word} was left out, as no --name stands before it"
            notes.append(Note(None, said, {"word": word}))
