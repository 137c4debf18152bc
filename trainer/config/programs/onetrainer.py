"""Settings of OneTrainer: JSON, older ones flat, newer ones with a table a part of the model. LIGHT.

What it does not say keeps its usual value here, not OneTrainer's; a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from trainer.config.problems import Note
from trainer.config.programs.loose import is_on, number
from trainer.config.programs.trainings import FINE_TUNING, TEXTUAL_INVERSION

DOCUMENT = "__onetrainer__"  # the whole file, among flat values
MODELS = {
    "STABLE_DIFFUSION_15": "sd", "STABLE_DIFFUSION_20": "sd", "STABLE_DIFFUSION_20_BASE": "sd",
    "STABLE_DIFFUSION_21": "sd", "STABLE_DIFFUSION_21_BASE": "sd", "STABLE_DIFFUSION_XL_10_BASE": "sdxl",
}  # fmt: skip
METHODS = {"LORA": "", "EMBEDDING": TEXTUAL_INVERSION}
PRECISIONS = {"FLOAT_16": "fp16", "BFLOAT_16": "bf16", "FLOAT_32": "no", "TFLOAT_32": "no"}
FILE_PRECISIONS = {"FLOAT_16": "fp16", "BFLOAT_16": "bf16", "FLOAT_32": "float"}
SCHEDULES = {
    "CONSTANT": "constant", "LINEAR": "linear", "COSINE": "cosine", "COSINE_WITH_RESTARTS": "cosine_with_restarts",
    "COSINE_WITH_HARD_RESTARTS": "cosine_with_restarts", "REX": "rex", "ADAFACTOR": "adafactor",
}  # fmt: skip
OPTIMIZERS = {
    "ADAMW": "AdamW", "ADAM": "AdamW", "ADAMW_8BIT": "AdamW8bit", "ADAM_8BIT": "AdamW8bit", "ADAFACTOR": "AdaFactor",
    "PRODIGY": "Prodigy", "PRODIGY_PLUS_SCHEDULE_FREE": "ProdigyPlusScheduleFree", "LION": "Lion",
    "LION_8BIT": "Lion8bit", "DADAPT_ADAM": "DAdaptAdam", "DADAPT_ADAN": "DAdaptAdan", "DADAPT_SGD": "DAdaptSGD",
    "DADAPT_ADA_GRAD": "DAdaptAdaGrad", "DADAPT_LION": "DAdaptLion", "SGD": "SGDNesterov", "CAME": "CAME",
    "SCHEDULE_FREE_ADAMW": "AdamWScheduleFree", "SCHEDULE_FREE_SGD": "SGDScheduleFree",
}  # fmt: skip
# its name -> ours, where the value is the same in both
SAME = {
    "base_model_name": "pretrained_model_name_or_path", "batch_size": "train_batch_size", "epochs": "max_train_epochs",
    "gradient_accumulation_steps": "gradient_accumulation_steps", "learning_rate": "learning_rate",
    "learning_rate_warmup_steps": "lr_warmup_steps", "lora_rank": "network_dim", "lora_alpha": "network_alpha",
    "dropout_probability": "network_dropout", "offset_noise_weight": "noise_offset", "clip_grad_norm": "max_grad_norm",
    "aspect_ratio_bucketing": "enable_bucket", "latent_caching": "cache_latents",
    "rescale_noise_scheduler_to_zero_terminal_snr": "zero_terminal_snr", "force_v_prediction": "v_parameterization",
    "lora_model_name": "network_weights", "train_text_encoder": "", "train_unet": "",
}  # fmt: skip
# What it keeps for its window, its previews, its backups, and machines.
IDLE = re.compile(
    r"(?:__version|training_method|model_type|debug|workspace|cache_dir|tensorboard|continue_last|extra_model|.*_device"
    r"|only_cache|backup|sample|save_|validation|clear_cache|concept|ema|embedding|additional_embed|token_count|initial_"
    r"|output_|include_train|latent_caching_epochs|cloud|secrets|samples_|rolling_|dataloader|non_ema|.*weight_dtype|.*_epochs$"
    r"|layer_|unmasked|normalize_masked|max_noising|prior|effnet|decoder|quantization|multi_gpu|compile|enable_|async_|activation_|circular|random_rotate).*"
)


def is_of(document: Mapping[str, Any]) -> bool:
    """Whether a JSON object is of this program."""
    return "training_method" in document or {"base_model_name", "model_type"} <= set(document)


def kind_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """(training, family) that a file is for; "" for a LoRA, and "sd" or "sdxl" for what is trained here."""
    model = str(document.get("model_type") or "STABLE_DIFFUSION_15")
    return METHODS.get(str(document.get("training_method") or "LORA"), FINE_TUNING), MODELS.get(model, model)


def as_sd_scripts(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Its JSON -> flat values under sd-scripts' names, and what was changed."""
    notes: list[Note] = []
    result = {ours: document[name] for name, ours in SAME.items() if ours and document.get(name) is not None}
    _model(document, result)
    _parts(document, result)
    _optimizer(document, result, notes)
    _resolution(document, result, notes)
    for read in (_precision, _schedule, _output, _loss, _network, _pictures):
        read(document, result)
    others = sorted(set(_telling(document)) - READ)
    if others:
        said = "Left out, since they have no counterpart here: {names}"
        notes.append(Note(None, said, {"names": ", ".join(others)}))
    said = "What a file of {program} does not say is as usual here; look at batch size, length and rates"
    notes.append(Note(None, said, {"program": "OneTrainer"}))
    return result, notes


READ = {
    *SAME, "text_encoder", "text_encoder_2", "unet", "vae", "optimizer", "learning_rate_scheduler",
    "learning_rate_cycles", "learning_rate_min_factor", "train_dtype", "resolution", "gradient_checkpointing",
    "attention_mechanism", "text_encoder_learning_rate", "unet_learning_rate", "text_encoder_layer_skip",
    "loss_weight_fn", "loss_weight_strength", "min_snr_gamma", "masked_training", "peft_type", "lora_decompose",
    "weight_decay", "concepts",
}  # fmt: skip


def _telling(document: Mapping[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if value not in (None, "", False, 0, [], {}) and not IDLE.fullmatch(name) and not isinstance(value, Mapping):
            yield name


def _model(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    kind = str(document.get("model_type") or "")
    if MODELS.get(kind):
        result["model_family"] = MODELS[kind]
    vae = document.get("vae")
    if isinstance(vae, Mapping) and vae.get("model_name"):
        result["vae"] = vae["model_name"]


def _parts(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    """Which parts are trained, and at which rates."""
    text, unet = document.get("text_encoder"), document.get("unet")
    text, unet = (one if isinstance(one, Mapping) else {} for one in (text, unet))
    trains_text = text.get("train", document.get("train_text_encoder", True))
    trains_unet = unet.get("train", document.get("train_unet", True))
    rates = {
        "text_encoder_lr": text.get("learning_rate", document.get("text_encoder_learning_rate")),
        "unet_lr": unet.get("learning_rate", document.get("unet_learning_rate")),
    }
    if not trains_text:
        result["network_train_unet_only"] = True
        rates.pop("text_encoder_lr")
    elif not trains_unet:
        result["network_train_text_encoder_only"] = True
        rates.pop("unet_lr")
    result.update({name: rate for name, rate in rates.items() if rate is not None})
    skipped = number(text.get("layer_skip", document.get("text_encoder_layer_skip")))
    if skipped and result.get("model_family") == "sd":
        result["clip_skip"] = int(skipped) + 1


def _optimizer(document: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    from trainer.optimizers import OPTIMIZERS as KNOWN

    given = document.get("optimizer")
    table = given if isinstance(given, Mapping) else {"optimizer": given, "weight_decay": document.get("weight_decay")}
    kind = str(table.get("optimizer") or "")
    if not kind:
        return
    name = OPTIMIZERS.get(kind)
    if name is None:
        said = "the optimizer {name} was left out: this program does not have it"
        notes.append(Note("optimizer.optimizer_type", said, {"name": kind}))
        return
    result["optimizer_type"] = name
    known = KNOWN[name].arguments
    betas = [table.get(f"beta{place}") for place in (1, 2)]
    texts = [f"betas={betas[0]},{betas[1]}"] if "betas" in known and None not in betas else []
    texts += [f"{name}={value}" for name, value in table.items() if name in known and value is not None]
    if texts:
        result["optimizer_args"] = texts


def _resolution(document: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    """One side, or WIDTHxHEIGHT; of several with commas, which it trains in turn, the first."""
    sides = [side.strip() for side in str(document.get("resolution") or "").split(",") if side.strip()]
    if not sides:
        return
    result["resolution"] = sides[0]
    if len(sides) > 1:
        said = "of the resolutions {sides}, which {program} trains in turn, the first was taken"
        told = {"sides": ", ".join(sides), "program": "OneTrainer"}
        notes.append(Note("dataset.resolution", said, told))


def _precision(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    precision = PRECISIONS.get(str(document.get("train_dtype")))
    if precision:
        result["mixed_precision"] = precision
    attention = str(document.get("attention_mechanism") or "")
    if attention:
        result["xformers"], result["sdpa"] = attention == "XFORMERS", attention == "SDP"
    checkpointing = document.get("gradient_checkpointing")
    if checkpointing is not None:
        result["gradient_checkpointing"] = is_on(checkpointing) or str(checkpointing) in ("ON", "CPU_OFFLOADED")


def _schedule(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    kind = str(document.get("learning_rate_scheduler") or "")
    if not kind:
        return
    result["lr_scheduler"] = SCHEDULES.get(kind, kind.lower())
    if kind == "CONSTANT" and number(document.get("learning_rate_warmup_steps")):
        result["lr_scheduler"] = "constant_with_warmup"
    cycles, lowest = number(document.get("learning_rate_cycles")), number(document.get("learning_rate_min_factor"))
    if cycles and kind in ("COSINE_WITH_RESTARTS", "COSINE_WITH_HARD_RESTARTS", "REX"):
        result["lr_scheduler_num_cycles"] = max(int(cycles), 1)
    if lowest and kind == "REX":
        result["lr_scheduler_min_lr_ratio"] = lowest
    elif lowest and kind == "COSINE":
        result["lr_scheduler"], result["lr_scheduler_min_lr_ratio"] = "cosine_with_min_lr", lowest


def _output(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    place = PurePosixPath(str(document.get("output_model_destination") or "").replace("\\", "/"))
    if place.name:
        result["output_name"], result["output_dir"] = place.stem, str(place.parent)
    precision = FILE_PRECISIONS.get(str(document.get("output_dtype")))
    if precision:
        result["save_precision"] = precision
    every, unit = number(document.get("save_every", document.get("save_after"))), None
    unit = str(document.get("save_every_unit", document.get("save_after_unit")))
    names = {"EPOCH": "save_every_n_epochs", "STEP": "save_every_n_steps"}
    if every and unit in names:
        result[names[unit]] = int(every)


def _loss(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    weight, strength = str(document.get("loss_weight_fn") or ""), document.get("loss_weight_strength")
    if weight == "MIN_SNR_GAMMA" and strength is not None:
        result["min_snr_gamma"] = strength
    elif weight == "DEBIASED_ESTIMATION":
        result["debiased_estimation_loss"] = True
    elif document.get("min_snr_gamma"):
        result["min_snr_gamma"] = document["min_snr_gamma"]
    if is_on(document.get("masked_training")):
        result["masked_loss"] = True


def _network(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    algos = {"LOHA": "loha", "OFT_2": "diag-oft"}
    algo = algos.get(str(document.get("peft_type")), "locon" if is_on(document.get("lora_decompose")) else "")
    if algo:
        result["network_module"], result["network_args"] = "lycoris.kohya", [f"algo={algo}", "preset=attn-mlp"]
        result["network_args"] += ["dora_wd=True"] if is_on(document.get("lora_decompose")) else []


def _pictures(document: Mapping[str, Any], result: dict[str, Any]) -> None:
    """The folders of concepts that stand in the file itself."""
    concepts = document.get("concepts")
    folders = []
    for concept in concepts if isinstance(concepts, list) else ():
        if isinstance(concept, Mapping) and concept.get("path") and concept.get("enabled", True):
            repeats = number(concept.get("balancing", concept.get("repeats", 1))) or 1
            folders.append({"image_dir": str(concept["path"]), "num_repeats": max(round(repeats), 1)})
    if folders:
        result["subsets"] = folders
        result["caption_extension"] = ".txt"
