"""The form as data for the browser: groups, fields, choices, and what a new form starts with. LIGHT."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.arguments import Argument
from trainer.config import Parameter, parameters
from trainer.config.partners import PARTNERS
from trainer.networks.arguments import BLOCK_LISTS, BLOCK_WEIGHTS, MODULES
from trainer.optimizers import OPTIMIZERS, find
from trainer.plurals import filled
from trainer.schedules import CLASSES, SCHEDULES, Schedule
from webui.form import BASIC, DATASETS, IN_STEPS, SUBSETS, RawValue, default_values, groups, raw
from webui.form_names import other_names
from webui.form_presets import FIRST_PRESET, KEPT, KEPT_SECTIONS, load
from webui.site import Site
from webui.texts import texts

# What an empty field means, where that is not "off".
EMPTY_MEANS = {
    "optimizer.unet_lr": "learning_rate", "optimizer.text_encoder_lr": "learning_rate", "network.network_dim": "4",
    "run.seed": "random", "save.output_name": "last", "save.output_dir": "./output", "run.max_train_epochs": "by steps",
    "caption.clip_skip": "1", "dataset.validation_seed": "seed", "dataset.validate_every_n_epochs": "1",
    "dataset.max_validation_steps": "all", "noise.min_timestep": "0", "noise.max_timestep": "1000",
    "save.save_last_n_epochs": "all", "save.save_last_n_steps": "all", "schedule.lr_scheduler_timescale": "by itself",
    "log.log_tracker_name": "network_train", "save.metadata_title": "output_name",
    "save.save_last_n_epochs_state": "all", "distributed.num_processes": "by the cards",
    "distributed.gpu_ids": "by itself", "distributed.main_process_port": "by itself", "distributed.ddp_timeout": "120",
    "save.save_last_n_steps_state": "all", "model.vae": "the base model's own", "save.resume": "from the beginning",
    "save.initial_epoch": "from the beginning", "save.initial_step": "from the beginning",
    "network.network_weights": "from zero", "log.wandb_run_name": "by itself",
    "log.wandb_api_key": "as wandb login keeps it", "optimizer.optimizer_type": "AdamW",
}  # fmt: skip
# Texts and files of which there may be none; "off" would be the wrong word.
NONE_BY_ITSELF = {
    "dataset.reg_data_dir", "dataset.dataset_config", "dataset.in_json", "save.training_comment", "log.log_prefix",
    "log.log_tracker_config", "log.console_log_file", "caption.caption_prefix", "caption.caption_suffix",
    "distributed.main_process_ip", "model.pretrained_model_name_or_path", "dataset.train_data_dir",
    "dataset.resolution", "sample.sample_prompts", "caption.keep_tokens_separator", "caption.secondary_separator",
}  # fmt: skip
EXAMPLES = {
    "dataset.resolution": "512,768", "dataset.train_data_dir": "./train/anby",
    "model.pretrained_model_name_or_path": "./sd-models/model.safetensors",
    "optimizer.optimizer_args": "weight_decay=0.01",
    "network.network_args": "conv_dim=4", "schedule.lr_scheduler_args": "num_cycles=0.5",
    "sample.sample_prompts": "masterpiece, 1girl, solo --n lowres --w 512 --h 768 --d 1337 --l 7 --s 24",
}  # fmt: skip
EMPTY_CHOICE = {
    "caption.max_token_length": ("75", "75"), "save.save_precision": ("as trained", "与训练时相同"),
    "dataset.resize_interpolation": ("by itself", "自动"), "log.log_with": ("by itself", "自动"),
    "model.prediction_type": ("as its file says", "以底模文件为准"), "model.model_family": ("any", "不限"),
    "log.console_log_level": ("INFO (as usual)", "INFO（默认）"),
}  # fmt: skip
# Beside the names that guides use, what they mean.
CHOICE_WORDS = {
    "networks.lora": ("networks.lora: LoRA, the usual one", "networks.lora：普通 LoRA，首选"),
    "networks.lora_fa": ("networks.lora_fa: half the optimizer's memory", "networks.lora_fa：优化器显存减半"),
    "networks.dylora": ("networks.dylora: can be cut to lower ranks", "networks.dylora：之后可裁成更小的维度"),
    "networks.oft": ("networks.oft: turns weights, U-Net only", "networks.oft：旋转权重，只训练 U-Net"),
    "lycoris.kohya": ("lycoris.kohya: LoCon, LoHa, LoKr, DoRA …", "lycoris.kohya：LoCon、LoHa、LoKr、DoRA 等"),
}
LONG_TEXTS = ("save.training_comment", "save.metadata_description")
# network_args without a field of their own: the method is a list of its own, and old names only have to be read.
NO_FIELD = {"algo", "use_cp", "use_conv_cp", "disable_conv_cp", "constrain"}
RARE_ARGUMENTS = {
    *BLOCK_LISTS, *BLOCK_WEIGHTS, "block_lr_zero_threshold", "loraplus_lr_ratio", "loraplus_unet_lr_ratio",
    "loraplus_text_encoder_lr_ratio", "bypass_mode", "use_scalar", "rank_dropout_scale", "wd_on_output",
    "unbalanced_factorization", "full_matrix", "decompose_both",
    "eps", "foreach", "fused", "amsgrad", "min_8bit_size", "log_every", "r", "weight_lr_power", "beta3", "slice_p",
    "no_prox", "fixed_decay", "dampening", "init_lr_ground", "gamma_lr_update_freq",
}  # fmt: skip
# The two schedules called CosineAnnealingWarmupRestarts.
BY_FIRST_CYCLE = "Without T_0: the original"
BY_T_0 = "With T_0: the variant for styles, whose restarts are soft"
SUBSET_FIELD = {
    "address": SUBSETS, "name": "subsets", "kind": "folders", "role": "folder", "advanced": True, "optional": True,
    "basic": False, "personal": True, "unit": None, "shown_when": None,
}  # fmt: skip
DATASETS_FIELD = {**SUBSET_FIELD, "address": DATASETS, "name": "datasets", "kind": "datasets", "role": None}
DATASETS_HELP = "Groups of folders with a resolution and batch size of their own, as an imported run has them."
SUBSET_HELP = (
    "Picture folders listed one by one, each with its repeats. With them no folder has to be renamed; "
    "they are used beside the training folder above."
)


def spec(site: Site) -> dict[str, Any]:
    """Groups with their fields, the defaults, and where a browse dialog starts.

    pointless: nothing on this machine makes use of the group; only what was changed in it or is searched for is shown.
    """
    chinese = texts("zh")
    listed = []
    for group, heading, members in groups():
        fields = [_field(parameter, chinese["parameters"], site) for parameter in members]
        if group == "dataset":
            zh = chinese["parameters"]
            fields.insert(1, _list_field(SUBSET_FIELD, "Folders with own options", SUBSET_HELP, zh))
            fields.insert(2, _list_field(DATASETS_FIELD, "Data sets with own size and batch", DATASETS_HELP, zh))
        title = {"en": heading, "zh": chinese["phrases"].get(heading, heading)}
        pointless = group == "distributed" and not has_nvidia()
        listed.append({"id": group, "title": title, "fields": fields, "pointless": pointless})
    return {"groups": listed, "defaults": default_values()}


def first_draft(site: Site, presets: Path) -> dict[str, Any]:
    """What somebody sees who comes for the first time: the guide's preset, made to fit this machine."""
    values = dict(load(presets / f"{FIRST_PRESET}.toml", own=False).values)
    told = fit(values)
    for address, folder, setting in (
        ("save.output_dir", site.output_dir, site.settings.current.output),
        ("log.logging_dir", site.logs_dir, site.settings.current.logs),
    ):
        if setting:
            values[address] = str(folder)
    return {"rev": 0, "preset": FIRST_PRESET, "mode": "basic", "values": values, "source": None, "fitted": told}


def has_nvidia() -> bool:
    """Whether an NVIDIA driver is installed, without starting anything."""
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", "C:/Windows")) / "System32" / "nvcuda.dll").exists()
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def fit(values: dict[str, RawValue]) -> list[dict[str, Any]]:
    """Exchange what cannot run on this machine, in place. Returns the sentences that say so."""
    told, nvidia = [], has_nvidia()
    optimizer = find(str(values.get("optimizer.optimizer_type", "")))
    if optimizer.availability() is not None or (optimizer.package == "bitsandbytes" and not nvidia):
        values["optimizer.optimizer_type"] = optimizer.instead
        told.append(
            _sentence(
                "{name} cannot run on this machine, so {instead} is chosen in its place.",
                name=optimizer.name,
                instead=optimizer.instead,
            )
        )
    if not nvidia and values.get("precision.mixed_precision") != "no":
        values["precision.mixed_precision"] = "no"
        values["precision.fp8_base"] = False  # needs mixed precision; a processor gains nothing by it
        told.append(
            _sentence(
                "No NVIDIA graphics card was found, so training uses the processor in full precision. It is slow."
            )
        )
    return told


def _sentence(template: str, **values: Any) -> dict[str, Any]:
    return {"template": template, "values": values, "message": filled(template, values)}


def _field(parameter: Parameter, chinese: Mapping[str, Mapping[str, str]], site: Site) -> dict[str, Any]:
    address, zh = parameter.address, chinese.get(parameter.address, {})
    return {
        "address": address, "name": parameter.name, "kind": parameter.kind, "role": parameter.role,
        "unit": parameter.unit, "also": list(other_names().get(parameter.name, ())),
        "title": {"en": parameter.title, "zh": zh.get("title", parameter.title)},
        "help": {"en": parameter.help, "zh": zh.get("help", parameter.help)},
        "optional": parameter.optional, "advanced": parameter.advanced, "shown_when": _shown_when(parameter),
        "basic": address in BASIC or (address == "save.resume" and _has_states(site)),
        "personal": address in KEPT or parameter.section in KEPT_SECTIONS,
        "empty": _empty(address) if parameter.optional else None, "example": EXAMPLES.get(address),
        "long": address in LONG_TEXTS,
        "arguments": _arguments(address),
        "choices": _choices(parameter), "suggestions": _suggestions(address), "start": _start(parameter, site),
        "overruled_by": _overruling(parameter), "in_steps": IN_STEPS.get(address),
    }  # fmt: skip


def _has_states(site: Site) -> bool:
    """Whether an earlier run left a state to go on from."""
    return any(site.jobs_dir.glob("*/state/*/manifest.json"))


def _empty(address: str) -> str:
    """What an empty field means, in English."""
    none = address in NONE_BY_ITSELF or address.startswith("save.metadata_")
    return EMPTY_MEANS.get(address) or ("none" if none else "off")


def _list_field(
    field: Mapping[str, Any], title: str, told: str, chinese: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """The field of a list of tables."""
    zh = chinese.get(field["address"], {})
    return {
        **field,
        "also": list(other_names().get(field["name"], ())),
        "title": {"en": title, "zh": zh.get("title", title)},
        "help": {"en": told, "zh": zh.get("help", told)},
    }


def _overruling(parameter: Parameter) -> list[str]:
    """The fields that take the effect of this one away while they are filled."""
    addresses = {other.name: other.address for other in parameters()}
    rows = [row for row in PARTNERS if row.option == parameter.name and not row.only]
    return [addresses[name] for row in rows for name in row.unless if name in addresses]


def _choices(parameter: Parameter) -> list[dict[str, Any]] | None:
    if parameter.kind != "choice":
        return None
    if suggested := _suggestions(parameter.address):
        return suggested  # what is not installed says so
    words = [str(raw(choice)) for choice in parameter.choices]
    listed = [_choice(word, *CHOICE_WORDS.get(word, ())) for word in words]
    if parameter.optional:
        listed.insert(0, _choice("", *EMPTY_CHOICE.get(parameter.address, ("off", "关闭"))))
    return listed


def _arguments(address: str) -> dict[str, Any] | None:
    """What a list of name=value may hold: the fields that stand for it.

    by: the fields that decide, the first filled one counts. sets: by its value in lower case, then by method ("" where
    there is only one). empty: what no value means where the table has no default.
    """
    if address == "network.network_args":
        networks = {
            module: {name: _method(method.help, method.arguments, method.readers) for name, method in methods.items()}
            for module, methods in MODULES.items()
        }
        return {"by": ["network.network_module"], "sets": networks, "empty": "off"}
    if address == "optimizer.optimizer_args":
        optimizers = {
            name.lower(): {"": _method(one.help, one.arguments, title=name)} for name, one in OPTIMIZERS.items()
        }
        optimizers[""] = optimizers["adamw"]
        return {"by": ["optimizer.optimizer_type"], "sets": optimizers, "empty": "by itself"}
    if address == "schedule.lr_scheduler_args":
        schedules = {}
        for name, schedule in (*SCHEDULES.items(), *CLASSES.items()):
            if " " not in name:
                other = CLASSES.get(f"{name} (T_0)")
                method = _method(schedule.help, schedule.arguments, title=name)
                schedules[name.lower()] = {"": method if other is None else _with_variant(method, other)}
        by = ["schedule.lr_scheduler_type", "schedule.lr_scheduler"]
        return {"by": by, "sets": schedules, "empty": "by itself"}
    return None


def _with_variant(method: dict[str, Any], other: Schedule) -> dict[str, Any]:
    """A schedule class of which there are two by the same name: what only one of them takes stands in a group of its
    own, what both take before them. Which one is meant, T_0 decides."""
    own = set(method["names"])
    first = [{**one, "group": "" if one["name"] in other.arguments else BY_FIRST_CYCLE} for one in method["arguments"]]
    second = [{**_argument(one), "group": BY_T_0} for one in other.arguments.values() if one.name not in own]
    listed = sorted([*first, *second], key=lambda one: ("", BY_FIRST_CYCLE, BY_T_0).index(one["group"]))
    return {**method, "names": sorted(own | set(other.arguments)), "arguments": listed}


def _method(told: str, known: Mapping[str, Argument], readers: str = "", title: str = "") -> dict[str, Any]:
    """readers: which image programs read its files, for methods of networks. title: its name as people write it."""
    return {
        "help": told,
        "readers": readers,
        "title": title,
        "names": sorted(known),
        "arguments": [_argument(one) for one in known.values() if one.name not in NO_FIELD],
    }


def _argument(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name, "kind": argument.kind, "default": argument.default, "help": argument.help,
        "optional": argument.optional, "choices": list(argument.choices), "folded": argument.name in RARE_ARGUMENTS,
        "brings": list(argument.brings), "group": "",
    }  # fmt: skip


def _suggestions(address: str) -> list[dict[str, Any]] | None:
    """Names from the tables of optimizers and schedules; what is not installed says so."""
    if address == "optimizer.optimizer_type":
        listed = [_choice("", "AdamW (default)", "AdamW（默认）")]
        for optimizer in OPTIMIZERS.values():
            there = optimizer.availability() is None
            listed.append(
                _choice(optimizer.name)
                if there
                else _choice(optimizer.name, f"{optimizer.name} (not installed)", f"{optimizer.name}（未安装）")
            )
        return listed
    if address == "schedule.lr_scheduler":
        return [_choice(name) for name in SCHEDULES]
    if address == "schedule.lr_scheduler_type":
        return [_choice("", "none", "无"), *(_choice(name) for name in CLASSES if " " not in name)]
    return None


def _choice(value: str, english: str | None = None, chinese: str | None = None) -> dict[str, Any]:
    return {"value": value, "label": {"en": english or value, "zh": chinese or english or value}}


def _shown_when(parameter: Parameter) -> Mapping[str, Sequence[Any]] | None:
    """The declared condition; an option of schedules is shown for those that read it."""
    if parameter.shown_when is not None:
        return parameter.shown_when
    if parameter.section != "schedule" or parameter.name in ("lr_scheduler", "lr_scheduler_type", "lr_scheduler_args"):
        return None
    if parameter.name == "lr_warmup_steps":
        return {"lr_scheduler": [name for name, schedule in SCHEDULES.items() if schedule.warmup]}
    return {"lr_scheduler": [name for name, schedule in SCHEDULES.items() if parameter.name in schedule.uses]}


def _start(parameter: Parameter, site: Site) -> str:
    folders = {"model": site.models_dir, "folder": site.train_dir, "file": site.output_dir, "state": site.jobs_dir}
    if parameter.address == "save.output_dir":
        return str(site.output_dir)
    if parameter.address == "log.logging_dir":
        return str(site.logs_dir)
    return str(folders.get(parameter.role or "", ""))
