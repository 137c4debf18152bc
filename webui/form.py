"""The form's shape and values: groups, basic fields, raw values <-> configuration. LIGHT.

What a parameter is comes from trainer.config; here is only in which group people look for it. Presets are in
form_presets.py, foreign files in form_import.py, "what will happen" in form_report.py.

A raw value is what a field of the page holds: text ("" = off), true/false, or a list of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.config import ConfigError, Note, Parameter, Parsed, Problem, TrainConfig, parameters, parse
from trainer.config.imports import RENAMED
from trainer.numbers import NumberError, read_number

RawValue = bool | str | list[Any]

# The order of Qiuye's expert page (PEERS 2.4): people look for a parameter where it has always been.
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("model", "Base model", ("pretrained_model_name_or_path", "resume", "vae", "v_parameterization", "v2")),
    (
        "dataset",
        "Data set",
        (
            "train_data_dir", "reg_data_dir", "prior_loss_weight", "subsets", "dataset_repeats", "resolution",
            "enable_bucket", "min_bucket_reso", "max_bucket_reso", "bucket_reso_steps", "bucket_no_upscale",
            "resize_interpolation",
        ),
    ),
    (
        "save",
        "Saving",
        (
            "output_name", "output_dir", "save_model_as", "save_precision", "save_every_n_epochs", "save_every_n_steps",
            "save_n_epoch_ratio", "save_last_n_epochs", "save_last_n_steps", "save_state", "save_state_on_train_end",
            "save_last_n_epochs_state", "save_last_n_steps_state",
        ),
    ),
    (
        "training",
        "Training",
        (
            "max_train_epochs", "max_train_steps", "train_batch_size", "gradient_checkpointing",
            "gradient_accumulation_steps", "network_train_unet_only", "network_train_text_encoder_only",
        ),
    ),
    (
        "rates",
        "Learning rate and optimizer",
        (
            "learning_rate", "unet_lr", "text_encoder_lr", "lr_scheduler", "lr_warmup_steps", "lr_scheduler_num_cycles",
            "lr_scheduler_power", "lr_decay_steps", "lr_scheduler_timescale", "lr_scheduler_min_lr_ratio",
            "lr_scheduler_type", "lr_scheduler_args", "loss_type", "huber_schedule", "huber_c", "huber_scale",
            "optimizer_type", "optimizer_args", "min_snr_gamma", "debiased_estimation_loss",
            "scale_v_pred_loss_like_noise_pred", "v_pred_like_loss", "max_grad_norm",
        ),
    ),
    (
        "network",
        "Network",
        (
            "network_module", "network_weights", "dim_from_weights", "network_dim", "network_alpha", "network_dropout",
            "scale_weight_norms", "network_args",
        ),
    ),
    (
        "previews",
        "Previews",
        ("sample_prompts", "sample_every_n_epochs", "sample_every_n_steps", "sample_at_first", "sample_sampler"),
    ),
    ("log", "Logging", ("logging_dir", "log_with", "log_prefix", "log_tracker_name")),
    (
        "caption",
        "Captions (tags)",
        (
            "caption_extension", "shuffle_caption", "keep_tokens", "max_token_length", "weighted_captions",
            "keep_tokens_separator", "secondary_separator", "caption_separator", "enable_wildcard", "caption_prefix",
            "caption_suffix", "caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate",
        ),
    ),
    ("noise", "Noise", ("noise_offset", "multires_noise_iterations", "multires_noise_discount")),
    ("augmentation", "Augmentation", ("flip_aug", "random_crop", "color_aug")),
    (
        "validation",
        "Validation",
        (
            "validation_split", "validation_seed", "validate_every_n_epochs", "validate_every_n_steps",
            "max_validation_steps",
        ),
    ),
    ("other", "Other", ("seed", "clip_skip")),
    ("metadata", "Details in the file", ("training_comment", "no_metadata")),
    (
        "speed",
        "Speed and memory",
        (
            "mixed_precision", "full_fp16", "full_bf16", "fp8_base", "no_half_vae", "xformers", "sdpa", "cache_latents",
            "cache_latents_to_disk", "vae_batch_size", "skip_cache_check", "cache_text_encoder_outputs",
            "cache_text_encoder_outputs_to_disk", "max_data_loader_n_workers", "persistent_data_loader_workers",
        ),
    ),
    ("distributed", "Several cards", ()),
)  # fmt: skip

# Where a parameter stands that no group above names: the group of its section, so that a new one is never lost.
GROUP_OF_SECTION = {
    "model": "model", "dataset": "dataset", "caption": "caption", "network": "network", "optimizer": "rates",
    "schedule": "rates", "noise": "noise", "loss": "rates", "precision": "speed", "cache": "speed", "run": "training",
    "save": "save", "sample": "previews", "log": "log", "distributed": "distributed",
}  # fmt: skip

BASIC = (
    "model.pretrained_model_name_or_path", "dataset.train_data_dir", "dataset.resolution", "save.output_name",
    "save.save_every_n_epochs", "run.max_train_epochs", "dataset.train_batch_size", "optimizer.unet_lr",
    "optimizer.text_encoder_lr", "schedule.lr_scheduler", "optimizer.optimizer_type", "network.network_dim",
    "network.network_alpha", "sample.sample_prompts", "sample.sample_every_n_epochs", "caption.shuffle_caption",
    "caption.keep_tokens", "caption.clip_skip", "precision.mixed_precision",
)  # fmt: skip

# The same counted in steps: stands in for the field in epochs where that is empty.
IN_STEPS = {
    "run.max_train_epochs": "run.max_train_steps", "sample.sample_every_n_epochs": "sample.sample_every_n_steps",
    "save.save_every_n_epochs": "save.save_every_n_steps",
}  # fmt: skip

SUBSETS = "dataset.subsets"
DATASETS = "dataset.datasets"
# What a run cannot do without: stands in while the field is empty, so that the rest can be checked and drawn.
STAND_INS = {
    "model.pretrained_model_name_or_path": "none.safetensors", "dataset.train_data_dir": "none",
    "dataset.resolution": "512",
}  # fmt: skip
MOST_ATTEMPTS = 6
MAX_TEXT_LENGTH = 20_000
MAX_LIST_LENGTH = 1_000


@dataclass(frozen=True)
class Checked:
    """What became of raw values. `ready` may be started; `preview` is the nearest valid configuration, to draw from.

    ready: None while there are problems. preview: fields with a problem are left at their default; a missing base
    model, folder or resolution stays empty; None only when even that is impossible.
    """

    ready: TrainConfig | None
    preview: TrainConfig | None
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


def groups() -> list[tuple[str, str, list[Parameter]]]:
    """(id, English heading, parameters) in the order of the page; every parameter once, empty groups left out."""
    by_name = {parameter.name: parameter for parameter in parameters()}
    members = {group: [by_name.pop(name) for name in names if name in by_name] for group, _, names in GROUPS}
    for parameter in by_name.values():
        group = (
            "metadata" if parameter.name.startswith("metadata_") else GROUP_OF_SECTION.get(parameter.section, "other")
        )
        members[group].append(parameter)
    return [(group, heading, members[group]) for group, heading, _ in GROUPS if members[group]]


def raw(value: Any) -> RawValue:
    """A parameter's value as its field shows it: None -> "", 0.0001 -> "1e-4", (512, 768) -> "512,768"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            return ",".join(str(item) for item in value)
        if value and all(isinstance(item, float) for item in value):
            # "1,0" would be one number with a decimal comma, see trainer/numbers.py
            return ",".join(f"{item:.1f}" if item.is_integer() else number_text(item) for item in value)
        return [item if isinstance(item, Mapping) else str(item) for item in value]
    return str(value)


def number_text(value: float) -> str:
    """The shortest text that people write for a number: 1.0 -> "1", 0.0001 -> "1e-4", 0.05 -> "0.05"."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if abs(value) >= 1e-3:
        return repr(value)
    mantissa, _, exponent = f"{value:.12e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def raw_values(config: TrainConfig) -> dict[str, RawValue]:
    """Every parameter of a configuration as its field shows it, by address."""
    values = {p.address: raw(getattr(getattr(config, p.section), p.name)) for p in parameters() if p.address != SUBSETS}
    for address in (SUBSETS, DATASETS):
        entries = getattr(config.dataset, address.rpartition(".")[2])
        values[address] = [entry.model_dump(mode="json", exclude_none=True) for entry in entries]
    return values


def default_values() -> dict[str, RawValue]:
    """The fields with sd-scripts' defaults: what a preset's values are laid over."""
    return {SUBSETS: [], DATASETS: [], **{parameter.address: raw(parameter.default) for parameter in parameters()}}


def check(values: Mapping[str, Any]) -> Checked:
    """Raw values by address -> configuration, or every problem with the field that it belongs to. Touches no file."""
    told = "{name} is too long; {limit} characters or {lines} lines at most"
    limits = {"limit": MAX_TEXT_LENGTH, "lines": MAX_LIST_LENGTH}
    oversized = [Problem(key, told, {"name": key, **limits}) for key, value in values.items() if _too_long(value)]
    if oversized:
        return Checked(None, None, tuple(oversized), ())
    values, empty_rows = _without_empty_rows(values)
    try:
        parsed = parse(values)
        ready = None if empty_rows else parsed.config
        return Checked(ready, parsed.config, empty_rows, parsed.notes)
    except ConfigError as error:
        preview, problems = _nearest(values, error.problems)
        config, notes = (preview.config, preview.notes) if preview else (None, ())
        return Checked(None, config, (*empty_rows, *problems), notes)


def is_missing(values: Mapping[str, Any], address: str | None) -> bool:
    """Whether a problem is only that a field which a run needs has not been filled in yet."""
    return address in STAND_INS and not _filled(values.get(address or ""))


def _without_empty_rows(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
    """Rows of the folder list that name no folder, taken out, since "" would mean the project's own folder."""
    rows = values.get(SUBSETS)
    if not isinstance(rows, list):
        return values, ()
    named = [row for row in rows if not isinstance(row, Mapping) or any(
        str(row.get(name) or "").strip() for name in ("image_dir", "metadata_file"))]  # fmt: skip
    told = "a listed folder has no path; choose one or remove its row"
    return {**values, SUBSETS: named}, (() if len(named) == len(rows) else (Problem(SUBSETS, told),))


def _nearest(values: Mapping[str, Any], problems: Sequence[Problem]) -> tuple[Parsed | None, tuple[Problem, ...]]:
    """The configuration without the fields that have problems, and all problems met on the way to it.

    What a run needs and nobody chose stays empty. Rules over several fields are looked at only once each is right:
    without a field that is wrong they would speak of its default, such as of AdamW where a wrong Prodigy was left out.
    """
    kept = _flat(values)
    found: dict[tuple[str | None, str], Problem] = {}
    needed: set[str] = set()
    left_out: set[str] = set()
    for attempt in range(MOST_ATTEMPTS):
        told_before = attempt > 0 and any(address not in STAND_INS for address in left_out)
        for problem in problems:
            address = problem.address or ""
            if not told_before and (address not in left_out or address not in STAND_INS):
                found.setdefault((problem.address, problem.message), problem)
            names = _names(address)
            if address in STAND_INS and not any(_filled(kept.get(name)) for name in names):
                needed.add(address)
                kept[names[0]] = STAND_INS[address]
            else:
                gone = {name for field in _alike(address, left_out) for name in _names(field)}
                gone.add(str(problem.values.get("name", "")) if problem.address is None else "")
                kept = {name: value for name, value in kept.items() if name not in gone}
                left_out.add(address)
        try:
            parsed = parse(kept)
        except ConfigError as error:
            problems = error.problems
            continue
        return Parsed(_emptied(parsed.config, needed), parsed.notes), tuple(found.values())
    return None, tuple(found.values())


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in tables or by address under plain parameter names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(value)
        else:
            flat[key.rpartition(".")[2]] = value
    return flat


def _names(address: str) -> list[str]:
    """The names under which a parameter may stand in a file: its own, and those of other programs."""
    name = address.rpartition(".")[2]
    return [name, *(other for other, target in RENAMED.items() if target == name and other != name)]


def _alike(address: str, left_out: set[str]) -> list[str]:
    """What to leave out for a problem: its field; the whole section when that did not help (rules span fields)."""
    if address not in left_out:
        return [address]
    section = address.partition(".")[0]
    return [parameter.address for parameter in parameters() if parameter.section == section]


def _emptied(config: TrainConfig, addresses: Iterable[str]) -> TrainConfig:
    """The configuration with these optional parameters set to None, past the rule that they are needed to run."""
    for address in addresses:
        section, _, name = address.partition(".")
        config = config.model_copy(update={section: getattr(config, section).model_copy(update={name: None})})
    return config


def _filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def differences(values: Mapping[str, RawValue], base: Mapping[str, RawValue]) -> dict[str, RawValue]:
    """The values that differ from `base`; what drafts and own presets store, so that new defaults reach them."""
    return {address: value for address, value in values.items() if address in base and not same(value, base[address])}


def same(one: RawValue, other: RawValue) -> bool:
    """Whether two raw values mean the same: "1e-4" and "0.0001" do."""
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str):
        try:
            return read_number(one) == read_number(other)
        except NumberError:
            return one.strip() == other.strip()
    return False


def _too_long(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > MAX_TEXT_LENGTH
    if isinstance(value, list):
        return len(value) > MAX_LIST_LENGTH or any(_too_long(item) for item in value)
    return False
