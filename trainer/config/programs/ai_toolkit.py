"""Settings of ai-toolkit: YAML, or JSON of its page, with one process in it. LIGHT.

What it does not say keeps its usual value here, not ai-toolkit's; a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.config.problems import Note
from trainer.config.programs.loose import is_on, number
from trainer.config.programs.trainings import FINE_TUNING, TEXTUAL_INVERSION

DOCUMENT = "__ai_toolkit__"  # the whole file, among flat values
FAMILIES = {
    "is_flux": "flux", "is_v3": "sd3", "is_lumina2": "lumina", "is_pixart": "PixArt", "is_pixart_sigma": "PixArt",
    "is_auraflow": "AuraFlow", "is_xl": "sdxl", "is_ssd": "SSD-1B", "is_vega": "Vega",
}  # fmt: skip
HERE = {"sd": "sd", "sd1": "sd", "sd15": "sd", "sd2": "sd", "sdxl": "sdxl"}
OPTIMIZERS = {
    "adamw8bit": "AdamW8bit", "adam8bit": "AdamW8bit", "adamw": "AdamW", "adam": "AdamW", "lion": "Lion",
    "lion8bit": "Lion8bit", "prodigy": "Prodigy", "prodigyopt": "Prodigy", "adafactor": "AdaFactor",
    "dadaptation": "DAdaptAdam", "dadaptadam": "DAdaptAdam", "dadaptlion": "DAdaptLion", "came": "CAME",
}  # fmt: skip
PRECISIONS = {"bf16": "bf16", "bfloat16": "bf16", "fp16": "fp16", "float16": "fp16", "fp32": "no", "float32": "no"}
# its name -> ours, in each of its tables, where the value is the same in both
TRAIN = {
    "batch_size": "train_batch_size", "steps": "max_train_steps", "lr": "learning_rate", "unet_lr": "unet_lr",
    "text_encoder_lr": "text_encoder_lr", "gradient_accumulation_steps": "gradient_accumulation_steps",
    "gradient_accumulation": "gradient_accumulation_steps", "gradient_checkpointing": "gradient_checkpointing",
    "lr_scheduler": "lr_scheduler", "noise_offset": "noise_offset", "min_snr_gamma": "min_snr_gamma",
    "max_grad_norm": "max_grad_norm", "xformers": "xformers", "sdp": "sdpa", "train_text_encoder": "", "train_unet": "",
    "optimizer": "", "optimizer_params": "", "dtype": "", "noise_scheduler": "",
}  # fmt: skip
FOLDER = {
    "folder_path": "image_dir", "caption_dropout_rate": "caption_dropout_rate", "shuffle_tokens": "shuffle_caption",
    "keep_tokens": "keep_tokens", "num_repeats": "num_repeats", "flip_x": "flip_aug", "is_reg": "is_reg",
    "token_dropout_rate": "caption_tag_dropout_rate", "mask_path": "conditioning_data_dir",
}  # fmt: skip
SAVE = {"save_every": "save_every_n_steps", "max_step_saves_to_keep": ""}


def is_of(document: Mapping[str, Any]) -> bool:
    """Whether a document is of this program."""
    config = document.get("config")
    return isinstance(config, Mapping) and isinstance(config.get("process"), list)


def kind_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """(training, family) that a file is for; "" for a LoRA, and "sd" or "sdxl" for what is trained here."""
    process = _process(document)
    inversion = "embedding" in process or "textual_inversion" in str(process.get("type", ""))
    training = TEXTUAL_INVERSION if inversion else "" if "network" in process else FINE_TUNING
    model = _table(process, "model")
    arch = str(model.get("arch") or "").lower()
    if arch:
        return training, HERE.get(arch, arch)
    return training, next((family for name, family in FAMILIES.items() if is_on(model.get(name))), "sd")


def as_sd_scripts(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Its document -> flat values under sd-scripts' names, and what was changed."""
    notes: list[Note] = []
    process = _process(document)
    train, model = _table(process, "train"), _table(process, "model")
    result = {ours: train[name] for name, ours in TRAIN.items() if ours and train.get(name) is not None}
    _optimizer(train, result, notes)
    if PRECISIONS.get(str(train.get("dtype"))):
        result["mixed_precision"] = PRECISIONS[str(train["dtype"])]
    if train.get("train_text_encoder", False) is False:
        result["network_train_unet_only"] = True
        result.pop("text_encoder_lr", None)
    elif train.get("train_unet", True) is False:
        result["network_train_text_encoder_only"] = True
    if model.get("name_or_path"):
        result["pretrained_model_name_or_path"] = model["name_or_path"]
    family = HERE.get(kind_of(document)[1])
    if family:
        result["model_family"] = family
    result.update(
        {ours: True for name, ours in (("is_v2", "v2"), ("is_v_pred", "v_parameterization")) if model.get(name)}
    )
    _network(process, result)
    _save(document, process, result)
    _pictures(process, result, notes)
    _previews(process, result)
    others = sorted(name for name, value in train.items() if name not in TRAIN and value not in (None, "", False, 0))
    if others:
        said = "Left out, since they have no counterpart here: {names}"
        notes.append(Note(None, said, {"names": ", ".join(others)}))
    said = "What a file of {program} does not say is as usual here; look at batch size, length and rates"
    notes.append(Note(None, said, {"program": "ai-toolkit"}))
    return result, notes


def _process(document: Mapping[str, Any]) -> Mapping[str, Any]:
    processes = _table(document, "config").get("process")
    first = processes[0] if isinstance(processes, list) and processes else None
    return first if isinstance(first, Mapping) else {}


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = table.get(name)
    return value if isinstance(value, Mapping) else {}


def _optimizer(train: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    from trainer.optimizers import OPTIMIZERS as KNOWN

    kind = str(train.get("optimizer") or "")
    if not kind:
        return
    name = OPTIMIZERS.get(kind.lower())
    if name is None:
        said = "the optimizer {name} was left out: this program does not have it"
        notes.append(Note("optimizer.optimizer_type", said, {"name": kind}))
        return
    result["optimizer_type"] = name
    given = _table(train, "optimizer_params")
    texts = [
        f"{argument}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for argument, value in given.items() if argument in KNOWN[name].arguments
    ]  # fmt: skip
    if texts:
        result["optimizer_args"] = texts


def _network(process: Mapping[str, Any], result: dict[str, Any]) -> None:
    network = _table(process, "network")
    kind = str(network.get("type") or "lora").lower()
    for names, ours in ((("linear", "rank"), "network_dim"), (("linear_alpha", "alpha"), "network_alpha")):
        value = next((network[name] for name in names if network.get(name) is not None), None)
        if value is not None:
            result[ours] = value
    if "network_dim" in result:
        result.setdefault("network_alpha", result["network_dim"])
    arguments = [f"algo={kind}"] if kind in ("lokr", "loha", "locon") else []
    if network.get("conv"):
        arguments += [f"conv_dim={network['conv']}", f"conv_alpha={network.get('conv_alpha', network['conv'])}"]
    factor = number(network.get("lokr_factor"))
    arguments += [f"factor={int(factor)}"] if kind == "lokr" and factor and factor > 0 else []
    if kind in ("lokr", "loha", "locon"):
        result["network_module"] = "lycoris.kohya"
    if arguments:
        result["network_args"] = arguments
    if network.get("dropout"):
        result["network_dropout"] = network["dropout"]


def _save(document: Mapping[str, Any], process: Mapping[str, Any], result: dict[str, Any]) -> None:
    save = _table(process, "save")
    result.update({ours: save[name] for name, ours in SAVE.items() if ours and save.get(name) is not None})
    precision = PRECISIONS.get(str(save.get("dtype")))
    if precision:
        result["save_precision"] = "float" if precision == "no" else precision
    name = _table(document, "config").get("name")
    if name:
        result["output_name"] = str(name)
    if process.get("training_folder"):
        result["output_dir"] = process["training_folder"]


def _pictures(process: Mapping[str, Any], result: dict[str, Any], notes: list[Note]) -> None:
    """The folders, all at the first one's size: it trains each of several sizes in turn."""
    datasets = process.get("datasets")
    datasets = [entry for entry in datasets if isinstance(entry, Mapping)] if isinstance(datasets, list) else []
    folders = []
    for entry in datasets:
        folder = {ours: entry[name] for name, ours in FOLDER.items() if entry.get(name) not in (None, "")}
        if "image_dir" in folder:
            folders.append(
                {
                    "num_repeats": 1,
                    **folder,
                    "caption_extension": f".{entry.get('caption_ext', 'txt')}".replace("..", "."),
                }
            )
    if folders:
        result["subsets"] = folders
    sizes = [size for entry in datasets for size in _sizes(entry.get("resolution"))]
    if sizes:
        result["resolution"], result["enable_bucket"] = sizes[0], True
    if len(set(sizes)) > 1:
        said = "of the resolutions {sides}, which {program} trains in turn, the first was taken"
        told = {"sides": ", ".join(map(str, dict.fromkeys(sizes))), "program": "ai-toolkit"}
        notes.append(Note("dataset.resolution", said, told))
    for name, ours in (("cache_latents_to_disk", "cache_latents_to_disk"), ("cache_latents", "cache_latents")):
        if any(entry.get(name) for entry in datasets):
            result[ours] = True
    trigger = process.get("trigger_word")
    if trigger:
        said = "trigger_word {word} was left out: write it into the captions, or into caption_prefix"
        notes.append(Note("caption.caption_prefix", said, {"word": trigger}))


def _sizes(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _previews(process: Mapping[str, Any], result: dict[str, Any]) -> None:
    sample = _table(process, "sample")
    entries = sample.get("prompts") or sample.get("samples")
    prompts = [entry.get("prompt") if isinstance(entry, Mapping) else entry for entry in _sizes(entries)]
    flags = {"n": "neg", "w": "width", "h": "height", "l": "guidance_scale", "s": "sample_steps", "d": "seed"}
    end = "".join(f" --{flag} {sample[name]}" for flag, name in flags.items() if sample.get(name) not in (None, ""))
    trigger = str(process.get("trigger_word") or "")
    lines = [" ".join(str(prompt).replace("[trigger]", trigger).split()) + end for prompt in prompts if prompt]
    if lines and sample.get("sample_every"):
        result["sample_prompts"], result["sample_every_n_steps"] = "\n".join(lines), sample["sample_every"]
