"""A finished LoRA's metadata read back as settings: "train again with these". LIGHT.

Reads what sd-scripts and this program write (KOHYA_COMPAT 8.3); what a file does not tell is listed. Where metadata
comes from and how it is written: trainer/metadata.py.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trainer.config.problems import ConfigError, Note, Problem
from trainer.networks.foreign import DIFFUSERS_METADATA

LONGEST_HEADER_BYTES = 100_000_000
LONGEST_TEXT = 500
LARGEST_NUMBER = 2**63  # nothing that a file says in earnest is larger, infinite or NaN
TENSORS = "__tensors__"  # names of the file's tensors among its flat metadata
# ss_ keys that are parameters under the same name.
SAME_NAME = frozenset({
    "learning_rate", "text_encoder_lr", "unet_lr", "gradient_checkpointing", "gradient_accumulation_steps",
    "lr_warmup_steps", "lr_scheduler", "network_module", "network_dropout", "mixed_precision", "full_fp16", "full_bf16",
    "fp8_base", "fp8_base_unet", "clip_skip", "max_token_length", "cache_latents", "seed", "lowram", "noise_offset",
    "noise_offset_random_strength", "multires_noise_iterations", "multires_noise_discount", "adaptive_noise_scale",
    "zero_terminal_snr", "ip_noise_gamma", "ip_noise_gamma_random_strength", "min_snr_gamma", "loss_type",
    "huber_schedule", "huber_scale", "huber_c", "prior_loss_weight", "scale_weight_norms", "max_grad_norm",
    "caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate", "face_crop_aug_range",
    "validation_seed", "validation_split", "max_validation_steps", "validate_every_n_epochs", "validate_every_n_steps",
    "resize_interpolation", "color_aug", "flip_aug", "random_crop", "shuffle_caption", "enable_bucket",
    "bucket_no_upscale", "min_bucket_reso", "max_bucket_reso", "keep_tokens", "output_name", "training_comment",
})  # fmt: skip
TEXTS = ("output_name", "training_comment")  # text even where it looks like a number
RENAMED = {"batch_size_per_device": "train_batch_size", "debiased_estimation": "debiased_estimation_loss"}
# What a list entry of ss_datasets tells that is a parameter of the whole run.
OF_A_DATASET = ("enable_bucket", "min_bucket_reso", "max_bucket_reso", "resize_interpolation")
OF_A_SUBSET = (
    "color_aug", "flip_aug", "random_crop", "shuffle_caption", "keep_tokens", "keep_tokens_separator",
    "secondary_separator", "enable_wildcard", "caption_prefix", "caption_suffix", "resize_interpolation",
)  # fmt: skip
# Facts about the finished run, and what is read together with another key.
FACTS = frozenset({
    "session_id", "training_started_at", "training_finished_at", "num_train_images", "num_validation_images",
    "num_reg_images", "num_batches_per_epoch", "num_epochs", "epoch", "steps", "max_train_steps", "v2",
    "base_model_version", "optimizer", "sd_scripts_commit_hash", "sd_model_name", "sd_model_hash", "new_sd_model_hash",
    "vae_name", "vae_hash", "new_vae_hash", "total_batch_size", "resolution", "dataset_dirs", "reg_dataset_dirs",
    "tag_frequency", "bucket_info", "datasets", "network_dim", "network_alpha", "network_args", "network_type",
})  # fmt: skip
MODELSPEC = {
    "title": "metadata_title", "author": "metadata_author", "description": "metadata_description",
    "license": "metadata_license", "tags": "metadata_tags", "usage_hint": "metadata_usage_hint",
    "trigger_phrase": "metadata_trigger_phrase", "merged_from": "metadata_merged_from",
    "preprocessor": "metadata_preprocessor", "is_negative_embedding": "metadata_is_negative_embedding",
}  # fmt: skip
# One of these stands in every LoRA whose trainer records what it was trained with.
SETTINGS = ("ss_network_module", "ss_network_dim", "ss_learning_rate", "ss_unet_lr", "ss_optimizer")
# What no LoRA tells stands in while the rest is checked.
STAND_INS = {
    "pretrained_model_name_or_path": "none.safetensors", "train_data_dir": "none", "resolution": "512",
}  # fmt: skip
NOT_RECORDED = (
    "lr_scheduler_num_cycles", "lr_scheduler_args", "weighted_captions", "token_warmup_step", "caption_separator",
    "save_every_n_epochs", "sample_prompts", "full_bf16",
)  # fmt: skip


def read_header(path: Path) -> dict[str, Any]:
    """Metadata and tensor names of a .safetensors file as flat values for `from_metadata`. Raises ConfigError."""
    said = "{path} cannot be read: {reason}"
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= LONGEST_HEADER_BYTES:
                raise ValueError("it is not a safetensors file")
            header = json.loads(stream.read(length).decode("utf-8"))
        if not isinstance(header, dict):
            raise ValueError("it is not a safetensors file")
    except OSError as error:
        raise ConfigError([Problem(None, said, {"path": path, "reason": error.strerror})]) from error
    except (ValueError, RecursionError, struct.error) as error:
        reason = str(error) if str(error).startswith("it is") else "it is not a safetensors file"
        raise ConfigError([Problem(None, said, {"path": path, "reason": reason})]) from error
    return flat_header(header, path.name)


def is_header(values: Mapping[str, Any]) -> bool:
    """Whether parsed JSON is the header of a safetensors file."""
    tensors = [value for name, value in values.items() if name != "__metadata__"]
    return (
        "__metadata__" in values
        or bool(tensors)
        and all(isinstance(value, Mapping) and "data_offsets" in value for value in tensors)
    )


def flat_header(header: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A safetensors header as flat values. Raises ConfigError when the file tells nothing of its training."""
    metadata = header.get("__metadata__")
    told = {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, Mapping) else {}
    if (settings := _onetrainer(told)) is not None:
        return settings
    if not any(told.get(key) not in (None, "None") for key in SETTINGS):
        program, file = _maker(told)
        if program:
            said = "{path} was made by {program}, which records no settings in its LoRAs; they are in {file}"
            raise ConfigError([Problem(None, said, {"path": name, "program": program, "file": file})])
        said = "{path} holds no training settings; only LoRAs saved with their metadata can be read back"
        raise ConfigError([Problem(None, said, {"path": name})])
    return {**told, TENSORS: [key for key in header if key != "__metadata__"]}


def _onetrainer(told: Mapping[str, str]) -> dict[str, Any] | None:
    """The settings file that OneTrainer puts into a LoRA where it is told to, as `programs` reads it; None without."""
    from trainer.config.programs import wrapped

    document = _json(told.get("ot_config"))
    return wrapped(document) if isinstance(document, dict) else None


def _maker(told: Mapping[str, str]) -> tuple[str, str]:
    """The program that wrote a file's metadata, and the settings file that it keeps; ("", "") where neither shows."""
    if any(key.startswith("ot_") for key in told):
        return "OneTrainer", "the JSON in its workspace or its training_presets"
    if "ai-toolkit" in told.get("software", ""):
        return "ai-toolkit", "the config.yaml in its output folder"
    if DIFFUSERS_METADATA in told:
        return "diffusers", "the command line of that training"
    return "", ""


def is_metadata(values: Mapping[str, Any]) -> bool:
    """Whether flat values are the metadata of a LoRA."""
    return "ss_network_module" in values or "ss_base_model_version" in values or "ss_learning_rate" in values


def from_metadata(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Flat metadata (and tensor names under TENSORS) -> flat values under sd-scripts' names, and what is missing."""
    notes: list[Note] = []
    told = {name[3:]: _plain(value, name[3:] in TEXTS) for name, value in values.items() if name.startswith("ss_")}
    result: dict[str, Any] = {}
    for name, value in told.items():
        target = RENAMED.get(name, name)
        if (name in SAME_NAME or name in RENAMED) and value is not None:
            result[target] = value
    result.update(_network(told, values.get(TENSORS, ()), notes))
    result.update(_optimizer(told, notes))
    result.update(_length(told))
    result.update(_dataset(told, notes))
    result.update(_modelspec(values, told, result))
    _tell_about_the_base(told, notes)
    result["caption_extension"] = ".txt"
    notes.append(Note("caption.caption_extension", "caption_extension is not recorded in a LoRA; .txt was chosen"))
    unused = sorted(set(told) - FACTS - SAME_NAME - set(RENAMED))
    if unused:
        said = "Left out, since they are no settings of this program: {names}"
        notes.append(Note(None, said, {"names": ", ".join(f"ss_{name}" for name in unused)}))
    result = _without_refused(result, notes)
    missing = ", ".join(name for name in NOT_RECORDED if name not in result)
    notes.append(Note(None, "Not recorded in a LoRA and therefore as usual: {names}", {"names": missing}))
    return result, notes


def _without_refused(result: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """Values without those that this program does not take: they are facts of another program, told and left out."""
    from trainer.config import parse_flat

    kept = dict(result)
    for _ in result:
        try:
            parse_flat({**STAND_INS, **kept})
            break
        except ConfigError as error:
            if not any([_leave_out(problem, kept, notes) for problem in error.problems]):
                break
    return kept


def _leave_out(problem: Problem, kept: dict[str, Any], notes: list[Note]) -> bool:
    """Take the value that a problem is about out of `kept` and say so; False where none is."""
    from trainer.networks import arguments

    name = (problem.address or "").rpartition(".")[2]
    if name not in kept:
        return False
    value = kept.pop(name)
    if name == "lr_scheduler":
        said = "the schedule that this LoRA records is not known here, so constant was chosen. It is: {text}"
        notes.append(Note(problem.address, said, {"text": str(value)[:LONGEST_TEXT]}))
        return True
    notes.append(Note(problem.address, "Left out: {reason}", {"reason": problem.message}))
    if name == "network_args" and (module := str(kept.get("network_module", "networks.lora"))) in arguments.MODULES:
        good = [text for text in value if not arguments.faults(module, [text])]
        kept |= {name: good} if good and len(good) < len(value) else {}
    return True


def _network(told: Mapping[str, Any], tensors: Iterable[str], notes: list[Note]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in ("network_dim", "network_alpha"):
        if isinstance(told.get(name), (int, float)):
            result[name] = told[name]
        elif told.get(name) is not None:
            said = "{name} is {value}: this LoRA was resized or merged, choose a rank yourself"
            notes.append(Note(f"network.{name}", said, {"name": name, "value": told[name]}))
    if "network_alpha" in told and told["network_alpha"] is None:  # written by trainers whose alpha is the rank then
        result["network_alpha"] = result.get("network_dim", 0)
    arguments = _json(told.get("network_args"))
    if isinstance(arguments, Mapping):
        pairs = {name: value for name, value in arguments.items() if value is not None}
        dropout = pairs.pop("dropout", None)
        if _number(_plain(dropout)) and not told.get("network_dropout"):
            result["network_dropout"] = dropout
        result["network_args"] = [f"{name}={value}" for name, value in pairs.items()]
    parts = {"text": False, "unet": False}
    for name in tensors:
        parts["text"] |= name.startswith("lora_te")
        parts["unet"] |= name.startswith(("lora_unet", "lycoris_unet"))
    if parts["unet"] and not parts["text"]:
        result["network_train_unet_only"] = True
    elif parts["text"] and not parts["unet"]:
        result["network_train_text_encoder_only"] = True
    return result


def _optimizer(told: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """ "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))" -> type and arguments."""
    from trainer import optimizers

    text = str(told.get("optimizer") or "")
    if not text:
        return {}
    dotted, _, listed = text.partition("(")
    short = dotted.rpartition(".")[2]
    try:  # SGD is recorded by its class; with a momentum it is what sd-scripts calls SGDNesterov
        optimizer = optimizers.find(
            short.replace("SGD", "SGDNesterov") if short.startswith("SGD") and "momentum" in listed else dotted
        )
    except optimizers.OptimizerError:
        said = "the optimizer {name} was left out: this program does not have it"
        notes.append(Note("optimizer.optimizer_type", said, {"name": dotted}))
        return {}
    arguments = [
        re.sub(r"[()\[\]\s]", "", argument)
        for argument in re.findall(r"\w+=(?:\([^)]*\)|\[[^\]]*\]|[^,()]+)", listed.removesuffix(")"))
    ]
    own = {f"{name}={value}" for name, value in optimizer.filled.items()}
    return {
        "optimizer_type": optimizer.name,
        "optimizer_args": [argument for argument in arguments if argument not in own],
    }


def _length(told: Mapping[str, Any]) -> dict[str, Any]:
    """Epochs where the run was as long as its epochs are, else steps."""
    steps, epochs, batches = (
        _number(told.get(name)) for name in ("max_train_steps", "num_epochs", "num_batches_per_epoch")
    )
    per_step = _number(told.get("gradient_accumulation_steps")) or 1
    if steps and epochs and batches and min(batches, per_step) > 0 and steps == epochs * -(-batches // per_step):
        return {"max_train_epochs": int(epochs)}
    return {"max_train_steps": int(steps)} if steps else {}


def _dataset(told: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    resolution = told.get("resolution")
    if isinstance(resolution, str):
        result["resolution"] = re.sub(r"[()\s]", "", resolution).strip(",")
    datasets = _json(told.get("datasets"))
    datasets = [entry for entry in datasets if isinstance(entry, Mapping)] if isinstance(datasets, list) else []
    if datasets:
        result.update(_first_dataset(datasets, notes))
    folders = _json(told.get("dataset_dirs"))
    if isinstance(folders, Mapping) and folders:
        listed = ", ".join(
            f"{name} ({entry.get('img_count')} x {entry.get('n_repeats')})" if isinstance(entry, Mapping) else str(name)
            for name, entry in folders.items()
        )
        said = "Its picture folders (pictures x repeats) were {folders}; choose your own as train_data_dir"
        notes.append(Note("dataset.train_data_dir", said, {"folders": listed[:500]}))
    return result


def _first_dataset(datasets: list[Mapping[str, Any]], notes: list[Note]) -> dict[str, Any]:
    """Settings of the first data set and its first folder; a note says when others differ."""
    first = datasets[0]
    result: dict[str, Any] = {name: first[name] for name in OF_A_DATASET if first.get(name) is not None}
    if isinstance(first.get("resolution"), list):
        result["resolution"] = ",".join(str(side) for side in first["resolution"])
    if first.get("batch_size_per_device"):
        result["train_batch_size"] = first["batch_size_per_device"]
    subsets = [
        subset for entry in datasets for subset in _listed(entry.get("subsets"))
        if isinstance(subset, Mapping) and not subset.get("is_reg")
    ]  # fmt: skip
    if subsets:
        result.update({name: subsets[0][name] for name in OF_A_SUBSET if subsets[0].get(name) not in (None, "")})
    if any({name: subset.get(name) for name in OF_A_SUBSET} != {name: subsets[0].get(name) for name in OF_A_SUBSET}
           for subset in subsets) or len(datasets) > 1:  # fmt: skip
        notes.append(Note("dataset.subsets", "Its folders had options of their own; those of the first were taken"))
    return result


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _modelspec(values: Mapping[str, Any], told: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    spec = {name[10:]: str(value) for name, value in values.items() if name.startswith("modelspec.")}
    found: dict[str, Any] = {target: spec[name] for name, target in MODELSPEC.items() if spec.get(name)}
    if found.get("metadata_title") == result.get("output_name"):
        found.pop("metadata_title", None)
    low, sign, high = spec.get("timestep_range", "").partition(",")
    if sign and re.fullmatch("[0-9]{1,4}", low) and re.fullmatch("[0-9]{1,4}", high):
        found["min_timestep"], found["max_timestep"] = (int(low) or None), (int(high) if int(high) < 1000 else None)
    version = str(told.get("base_model_version") or "")
    if version.endswith("_v") or spec.get("prediction_type") == "v":
        found["v_parameterization"] = True
    if told.get("v2") is True:
        found["v2"] = True
    return found


def _tell_about_the_base(told: Mapping[str, Any], notes: list[Note]) -> None:
    name, version = told.get("sd_model_name"), told.get("base_model_version")
    if name or version:
        said = "It was trained on {name} ({version}); choose this base model or one of its kind"
        notes.append(
            Note("model.pretrained_model_name_or_path", said, {"name": name or "?", "version": version or "sd_v1"})
        )
    if told.get("vae_name"):
        notes.append(Note("model.vae", "It was trained with the VAE {name}", {"name": told["vae_name"]}))


def _plain(text: Any, is_text: bool = False) -> Any:
    """What Python wrote as text: None, True, False and numbers; other text stays text. is_text: only None is not."""
    if not isinstance(text, str) or (is_text and text != "None"):
        return text
    if text in ("None", "True", "False"):
        return {"None": None, "True": True, "False": False}[text]
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if abs(number) < LARGEST_NUMBER else text
    return text


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
