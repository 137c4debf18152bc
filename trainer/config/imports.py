"""Other programs' files: what their names and values mean here. sd-scripts and lora-scripts TOML, kohya_ss JSON. LIGHT.

Every translation and everything left out becomes a Note, so nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trainer.config.problems import Note, did_you_mean, shown

RENAMED = {
    # kohya_ss GUI (JSON) -> sd-scripts
    "max_resolution": "resolution", "epoch": "max_train_epochs", "optimizer": "optimizer_type",
    "logging_dir": "logging_dir",
    "caption_dropout_every_n_epochs": "caption_dropout_every_n_epochs",
    "lr_scheduler_num_cycles": "lr_scheduler_num_cycles",
    "max_grad_norm": "max_grad_norm", "model_path": "pretrained_model_name_or_path",
    # old spellings of sd-scripts
    "caption_extention": "caption_extension",
}  # fmt: skip
FROM_THE_FILE = {"v2", "sdxl", "sd3", "flux1_checkbox", "model_train_type", "LoRA_type"}
WITHOUT_COUNTERPART = {
    "lowram": "models are loaded once, straight into the format they train in",
    "highvram": "memory is not given back between batches anyway",
    "mem_eff_attn": "PyTorch's attention is used",
    "tokenizer_cache_dir": "the vocabulary comes with the program",
    "disable_mmap_load_safetensors": "files are read once",
    "num_cpu_threads_per_process": "it is chosen for this machine",
    "prior_loss_weight_enabled": "prior_loss_weight itself decides",
    "logging_level": "the whole log is kept with the job",
    "randomly_choice_prompt": "write the prompts into sample_prompts",
}
LATER = {
    "base_weights", "base_weights_multiplier", "color_aug", "random_crop", "face_crop_aug_range", "alpha_mask",
    "masked_loss", "conditioning_data_dir", "dataset_config", "dataset_class", "in_json", "weighted_captions",
    "torch_compile", "dynamo_backend", "wandb_api_key", "wandb_run_name", "log_tracker_config", "log_config",
    "huggingface_repo_id", "huggingface_token", "async_upload", "cpu_offload_checkpointing", "fp8_base_unet",
    "fused_backward_pass", "initial_epoch", "initial_step", "skip_until_initial_step", "deepspeed", "ddp_timeout",
    "ddp_gradient_as_bucket_view", "ddp_static_graph", "cache_info", "debug_dataset", "console_log_level",
    "console_log_file", "console_log_simple", "metadata_thumbnail", "metadata_merged_from", "metadata_preprocessor",
    "metadata_is_negative_embedding", "block_lr_zero_threshold", "use_8bit_adam",
}  # fmt: skip
NETWORK_ARGUMENT_FIELDS = ("conv_dim", "conv_alpha", "rank_dropout", "module_dropout")


def translate(values: Mapping[str, Any], known: Iterable[str]) -> tuple[dict[str, Any], list[Note]]:
    """Flat values of any of the readable formats -> flat values under our names, and what was done to them.

    Unknown names are left out with a note; unset values ("" and null) are left out without one.
    """
    known = set(known)
    result: dict[str, Any] = {}
    notes: list[Note] = []
    extra_network: list[str] = []
    for name, value in values.items():
        target = RENAMED.get(name, name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if target in known:
            result[target] = _value(target, value, notes)
        elif name in NETWORK_ARGUMENT_FIELDS and _positive(value):
            extra_network.append(f"{name}={value}")
        elif name == "use_8bit_adam" and value is True:
            result["optimizer_type"] = "AdamW8bit"
            notes.append(Note("optimizer.optimizer_type", "use_8bit_adam was read as optimizer_type AdamW8bit"))
        else:
            notes.extend(_left_out(name, value, known))
    if extra_network and not result.get("network_args"):
        result["network_args"] = extra_network
    if result.get("use_lion_optimizer") is True and not result.get("optimizer_type"):
        result["optimizer_type"] = "Lion"
        notes.append(Note("optimizer.optimizer_type", "use_lion_optimizer was read as optimizer_type Lion"))
    if result.get("cache_latents_to_disk") is True and result.get("cache_latents") is not True:
        result["cache_latents"] = True
        notes.append(Note("cache.cache_latents", "cache_latents was switched on because cache_latents_to_disk is"))
    if (
        result.get("cache_text_encoder_outputs_to_disk") is True
        and result.get("cache_text_encoder_outputs") is not True
    ):
        result["cache_text_encoder_outputs"] = True
        notes.append(
            Note(
                "cache.cache_text_encoder_outputs",
                "cache_text_encoder_outputs was switched on because keeping them on disk is",
            )
        )
    return result, notes


def _value(name: str, value: Any, notes: list[Note]) -> Any:
    """A value in our form: switches written as words, 75 tokens as unset, xformers as chosen from a list."""
    if name == "max_token_length" and str(value) in ("75", "255"):
        said = "{name} {value} was read as {read}"
        notes.append(
            Note(
                "caption.max_token_length",
                said,
                {"name": name, "value": value, "read": "unset" if str(value) == "75" else 225},
            )
        )
        return None if str(value) == "75" else 225
    if name == "xformers" and isinstance(value, str):
        return value.lower() in ("xformers", "true")
    if name == "network_module" and str(value).lower() in ("lora", "standard", "networks.lora"):
        return "networks.lora"
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value


def _left_out(name: str, value: Any, known: set[str]) -> list[Note]:
    """Why a name is not taken over. Switches that are off and numbers that are 0 said nothing anyway."""
    if value in (False, 0, "0", [], {}):
        return []
    if name in FROM_THE_FILE:
        return [Note(None, "{name} was left out: what the model is, is read from its file", {"name": name})]
    if name in WITHOUT_COUNTERPART:
        return [Note(None, "{name} was left out: {reason}", {"name": name, "reason": WITHOUT_COUNTERPART[name]})]
    if name in LATER or name.startswith(("huggingface_", "offload_", "zero", "ddp_", "wandb_")):
        return [
            Note(
                None,
                "{name} = {value} was left out: this version does not have it",
                {"name": name, "value": shown(value)},
            )
        ]
    return [
        Note(
            None,
            "{name} = {value} was left out: no such parameter{hint}",
            {"name": name, "value": shown(value), "hint": did_you_mean(name, known)},
        )
    ]


def _positive(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False
