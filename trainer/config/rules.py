"""Rules over several parameters: what must be given, what excludes what. Every rule that fails is reported, not only
the first. What is allowed but told is in notes.py. LIGHT.

Order and cases follow sd-scripts (KOHYA_COMPAT 1.2); where it crashes later or goes on in silence, a sentence stands
here.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainer.config.dataset import Owner, owners
from trainer.config.file_names import fault_of_folder_name, fault_of_output_name, fault_of_prefix, is_device
from trainer.config.network import LARGEST_RANK
from trainer.config.problems import Problem, shown
from trainer.config.rates import trained_rates
from trainer.numbers import NumberError, read_number

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.config.dataset import Dataset

ADDRESS = re.compile(r"[\w.:%\[\]-]+")  # of a machine: a name, an IPv4 or an IPv6 address
OWN_RATES = {
    "loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio",
    "down_lr_weight", "mid_lr_weight", "up_lr_weight",
}  # fmt: skip
CHANGING_CAPTIONS = (
    "shuffle_caption", "caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate",
    "token_warmup_step", "enable_wildcard",
)  # fmt: skip


CACHE_NEEDS_UNET_ONLY = (
    "cache_text_encoder_outputs needs network_train_unet_only: a trained text encoder changes at every step"
)
CACHE_AGAINST_CAPTIONS = (
    "cache_text_encoder_outputs does not go with {name}, which changes captions; switch one of them off"
)


def problems(config: TrainConfig) -> Iterator[Problem]:
    """Everything about this configuration that makes training impossible."""
    yield from _required(config)
    yield from _noise_and_loss(config)
    yield from _precision(config)
    yield from _network(config)
    yield from _optimizer(config)
    yield from _schedule(config)
    yield from _captions(config)
    yield from _buckets(config)
    yield from _pictures(config)
    yield from _true_crops(config)
    yield from _saving(config)
    yield from _distributed(config)
    yield from _sampling_and_logging(config)


def _required(config: TrainConfig) -> Iterator[Problem]:
    if not config.model.pretrained_model_name_or_path:
        yield Problem(
            "model.pretrained_model_name_or_path",
            "no base model is given; choose a .safetensors file or a diffusers folder",
        )
    data = config.dataset
    if data.dataset_config:
        return  # what it lists is looked at when it has been read, see dataset_file.expanded
    if not (data.train_data_dir or data.in_json or data.subsets or data.datasets):
        yield Problem(
            "dataset.train_data_dir",
            "no training pictures are given; choose the folder above your N_name picture folders",
        )
    if any(owner.decided(data).resolution is None for owner in owners(data) or [Owner()]):
        yield Problem("dataset.resolution", "no resolution is given; 512 is usual for SD 1.5")


def _noise_and_loss(config: TrainConfig) -> Iterator[Problem]:
    v = config.model.v_parameterization
    if config.noise.adaptive_noise_scale and config.noise.noise_offset is None:
        yield Problem(
            "noise.adaptive_noise_scale",
            "adaptive_noise_scale needs noise_offset; set noise_offset (such as 0.05) or clear adaptive_noise_scale",
        )
    if config.loss.scale_v_pred_loss_like_noise_pred and not v:
        yield Problem(
            "loss.scale_v_pred_loss_like_noise_pred",
            "scale_v_pred_loss_like_noise_pred needs v_parameterization; switch it off for an ordinary model",
        )
    if config.loss.v_pred_like_loss and v:
        yield Problem(
            "loss.v_pred_like_loss",
            "v_pred_like_loss is for ordinary models only; clear it or switch v_parameterization off",
        )


def _precision(config: TrainConfig) -> Iterator[Problem]:
    mixed = config.precision.mixed_precision
    for name, needed in (("full_fp16", "fp16"), ("full_bf16", "bf16")):
        if getattr(config.precision, name) and mixed != needed:
            yield Problem(
                f"precision.{name}",
                "{name} needs mixed_precision {needed}, it is {mixed}",
                {"name": name, "needed": needed, "mixed": mixed},
            )
    for name in ("fp8_base", "fp8_base_unet"):
        if getattr(config.precision, name) and mixed == "no":
            yield Problem(
                f"precision.{name}",
                "{name} needs mixed_precision fp16 or bf16; set it or switch {name} off",
                {"name": name},
            )
    if config.precision.quantize_base and (config.precision.fp8_base or config.precision.fp8_base_unet):
        yield Problem(
            "precision.quantize_base", "quantize_base and fp8_base exclude each other; clear quantize_base or fp8_base"
        )


def _network(config: TrainConfig) -> Iterator[Problem]:
    network = config.network
    if network.network_train_unet_only and network.network_train_text_encoder_only:
        yield Problem(
            "network.network_train_text_encoder_only",
            "network_train_unet_only and network_train_text_encoder_only exclude each other; switch one off",
        )
    if network.dim_from_weights and not network.network_weights:
        yield Problem(
            "network.dim_from_weights", "dim_from_weights needs network_weights; choose a LoRA file or switch it off"
        )
    strengths = network.base_weights_multiplier
    for text in strengths:
        try:
            read_number(text)
        except NumberError as error:
            said = 'base_weights_multiplier: "{text}" is not a number; write one such as 0.8 a line'
            said = 'base_weights_multiplier: "{text}" is not a number; write {cure}' if error.cure else said
            yield Problem("network.base_weights_multiplier", said, {"text": text, "cure": error.cure})
    if len(strengths) > len(network.base_weights):
        yield Problem(
            "network.base_weights_multiplier",
            "there are {count} base_weights_multiplier for {files} base_weights; give one for each file at most",
            {"count": len(strengths), "files": len(network.base_weights)},
        )
    yield from _network_arguments(config)
    if not trained_rates(config):
        yield Problem(
            "optimizer.learning_rate",
            "all learning rates are 0, so nothing would be trained; set unet_lr (1e-4 is usual)",
        )


def _network_arguments(config: TrainConfig) -> Iterator[Problem]:
    """Names and values of network_args, as the table of networks/arguments.py knows them, and what they go with."""
    from trainer.networks import arguments

    network, address = config.network, "network.network_args"
    faults = arguments.faults(network.network_module, network.network_args)
    for fault in faults:
        yield Problem(address, "network_args: {reason}", {"reason": fault})
    if network.network_module == "networks.dylora" and not faults:
        given, dim = arguments.parse(network.network_module, network.network_args), network.network_dim or 4
        if dim % int(given["unit"]):  # type: ignore[arg-type]
            yield Problem(
                address,
                "networks.dylora: network_dim {dim} is no multiple of unit {unit}; change one of them",
                {"dim": dim, "unit": given["unit"]},
            )
        if given.get("conv_dim") not in (None, 0, dim):
            yield Problem(
                address,
                "networks.dylora: conv_dim {conv_dim} must be the same as network_dim {dim}",
                {"conv_dim": given["conv_dim"], "dim": dim},
            )
    if network.network_module == "lycoris.kohya" and not faults:
        yield from _lycoris_arguments(config)
    if not faults:
        yield from _ranks(config)
    if network.network_module == "networks.oft" and network.network_train_text_encoder_only:
        yield Problem(
            "network.network_module",
            "networks.oft adapts the U-Net only; choose networks.lora or switch network_train_text_encoder_only off",
        )


def _ranks(config: TrainConfig) -> Iterator[Problem]:
    """Ranks that only LoKr has a use for."""
    from trainer.networks import arguments

    network = config.network
    if arguments.method_of(network.network_module, network.network_args).name == "lokr":
        return
    given = arguments.parse(network.network_module, network.network_args)
    for name, rank in (("network_dim", network.network_dim), ("conv_dim", given.get("conv_dim"))):
        if isinstance(rank, int) and rank > LARGEST_RANK:
            yield Problem(
                "network.network_dim" if name == "network_dim" else "network.network_args",
                "{name} is {value}; it must be {limit} or less",
                {"name": name, "value": rank, "limit": LARGEST_RANK},
            )


def _lycoris_arguments(config: TrainConfig) -> Iterator[Problem]:
    """Sizes and settings that a method of lycoris.kohya cannot do."""
    from trainer.networks import arguments

    network = config.network
    algo = arguments.algo_of(network.network_args)
    given, dim = arguments.parse(network.network_module, network.network_args), network.network_dim or 4
    if algo == "dylora":
        for name, rank in (("network_dim", dim), ("conv_dim", given.get("conv_dim") or 0)):
            if rank % given["block_size"]:  # type: ignore[operator]
                yield Problem(
                    "network.network_args",
                    "algo=dylora: {name} {dim} is no multiple of block_size {size}; change one of them",
                    {"name": name, "dim": rank, "size": given["block_size"]},
                )
    if config.precision.quantize_base and (algo == "full" or given.get("dora_wd")):
        yield Problem(
            "precision.quantize_base",
            "quantize_base does not go with {what}, which computes with the weights of the base; clear quantize_base",
            {"what": "algo=full" if algo == "full" else "dora_wd"},
        )


def _optimizer(config: TrainConfig) -> Iterator[Problem]:
    """Name, arguments and what is installed, as the table of optimizers.py knows them."""
    from trainer import optimizers

    section = config.optimizer
    for switch, meant in (("use_8bit_adam", "adamw8bit"), ("use_lion_optimizer", "lion")):
        if getattr(section, switch) and section.optimizer_type.lower() != meant:
            yield Problem(
                f"optimizer.{switch}",
                "{switch} contradicts optimizer_type {type}; switch {switch} off, optimizer_type alone is enough",
                {"switch": switch, "type": section.optimizer_type or "AdamW"},
            )
    try:
        optimizer = optimizers.find(section.optimizer_type)
        optimizer.parse_args(section.optimizer_args)
        own_rate = optimizer.decides_rate(section.optimizer_args)
    except optimizers.OptimizerError as error:
        about_args = str(error).startswith("optimizer_args")
        yield Problem(
            "optimizer.optimizer_args" if about_args else "optimizer.optimizer_type", "{reason}", {"reason": str(error)}
        )
    else:
        missing = optimizer.availability()
        if missing:
            yield Problem("optimizer.optimizer_type", "{reason}", {"reason": missing})
        rates = trained_rates(config)
        if optimizer.one_rate and len(set(rates.values())) > 1:
            name = "unet_lr" if section.text_encoder_lr is None else "text_encoder_lr"
            given = ", ".join(f"{part} {rate:g}" for part, rate in rates.items())
            yield Problem(f"optimizer.{name}", optimizers.ONE_RATE, {"name": optimizer.name, "rates": given})
        split = [text.partition("=")[0].strip() for text in config.network.network_args]
        split = [name for name in split if name in OWN_RATES]
        if optimizer.one_rate and split:
            yield Problem(
                "network.network_args",
                "{optimizer} needs one rate for everything, but {names} gives parts of the network their own; leave it "
                "out or choose another optimizer",
                {"optimizer": optimizer.name, "names": ", ".join(split)},
            )
        if config.schedule.lr_scheduler.startswith("adafactor") and not own_rate:
            yield Problem(
                "schedule.lr_scheduler",
                "lr_scheduler adafactor goes with the optimizer AdaFactor in its relative mode only; "
                "choose constant_with_warmup",
            )


def _schedule(config: TrainConfig) -> Iterator[Problem]:
    """Name and arguments, as the table of schedules.py knows them."""
    from trainer import schedules

    try:
        schedules.build(config.schedule, 100, max(trained_rates(config).values(), default=1e-4))
    except schedules.ScheduleError as error:
        names = ("lr_scheduler_args", "lr_scheduler_type", "lr_scheduler_min_lr_ratio")
        name = next((name for name in names if str(error).startswith(name)), "lr_scheduler")
        yield Problem(f"schedule.{name}", "{reason}", {"reason": str(error)})


def _captions(config: TrainConfig) -> Iterator[Problem]:
    extension = config.caption.caption_extension
    if not re.fullmatch(r"\.?[\w.-]{1,40}", extension):
        yield Problem(
            "caption.caption_extension",
            'caption_extension is "{extension}"; write it as .txt',
            {"extension": extension},
        )
    if not config.caption.caption_separator.strip():
        yield Problem("caption.caption_separator", "caption_separator is empty; a comma is usual")
    if config.caption.no_token_padding and config.caption.max_token_length is not None:
        yield Problem(
            "caption.no_token_padding", "no_token_padding is for captions of 75 tokens; clear max_token_length"
        )
    if config.caption.no_token_padding and config.cache.cache_text_encoder_outputs:
        yield Problem(
            "caption.no_token_padding",
            "no_token_padding does not go with cache_text_encoder_outputs; switch one of them off",
        )
    if config.cache.cache_text_encoder_outputs:
        yield from _text_cache(config)


def _text_cache(config: TrainConfig) -> Iterator[Problem]:
    address = "cache.cache_text_encoder_outputs"
    if not config.network.network_train_unet_only:
        yield Problem(address, CACHE_NEEDS_UNET_ONLY)
    named: set[str] = set()
    for owner in owners(config.dataset):
        caption, place = owner.decided(config.caption), owner.place()
        for name in CHANGING_CAPTIONS:
            if getattr(caption, name) and name not in named:
                named.add(name)
                if getattr(config.caption, name):
                    yield Problem(address, CACHE_AGAINST_CAPTIONS, {"name": name})
                else:
                    yield Problem(
                        address,
                        "cache_text_encoder_outputs does not go with {name} of {folder}; switch it off there",
                        {"name": name, "folder": place},
                    )


def _buckets(config: TrainConfig) -> Iterator[Problem]:
    data = config.dataset
    run = [Owner()] if not data.datasets or data.train_data_dir or data.subsets or data.in_json else []
    for owner in [*run, *(Owner(group) for group in data.datasets)]:
        yield from _bucket_sides(owner.decided(data))


def _bucket_sides(dataset: Dataset) -> Iterator[Problem]:
    """Bucket options of one data set."""
    if not dataset.enable_bucket or dataset.resolution is None:
        return
    if dataset.bucket_reso_steps % 32:
        yield Problem(
            "dataset.bucket_reso_steps",
            "bucket_reso_steps is {value}; it must be a multiple of 64, or of 32 for SDXL",
            {"value": dataset.bucket_reso_steps},
        )
    if dataset.bucket_no_upscale:
        return
    low, high = min(dataset.resolution), max(dataset.resolution)
    if dataset.min_bucket_reso < dataset.bucket_reso_steps:
        yield Problem(
            "dataset.min_bucket_reso",
            "min_bucket_reso {value} is less than one step of bucket_reso_steps {step}; raise it or lower the steps",
            {"value": dataset.min_bucket_reso, "step": dataset.bucket_reso_steps},
        )
    if dataset.min_bucket_reso > low:
        yield Problem(
            "dataset.min_bucket_reso",
            "min_bucket_reso {value} is above the resolution's shorter side {side}; lower it",
            {"value": dataset.min_bucket_reso, "side": low},
        )
    if dataset.max_bucket_reso < high:
        yield Problem(
            "dataset.max_bucket_reso",
            "max_bucket_reso {value} is below the resolution's longer side {side}; raise it",
            {"value": dataset.max_bucket_reso, "side": high},
        )


def _pictures(config: TrainConfig) -> Iterator[Problem]:
    """Augmentations and masks against caches and each other (KOHYA_COMPAT 1.2, 2.8)."""
    for owner in owners(config.dataset):
        options, subset = owner.decided(config.dataset), owner.subset
        for name in ("color_aug", "random_crop"):
            if getattr(options, name) and config.cache.cache_latents:
                yield Problem(
                    f"dataset.{name}",
                    "{name} does not go with cache_latents, which encodes each picture once; switch one of them off",
                    {"name": name},
                )
        if subset is not None and subset.conditioning_data_dir:
            if not options.masked_loss:
                yield Problem(
                    "dataset.masked_loss",
                    "{folder} has mask pictures (conditioning_data_dir), which need masked_loss; switch it on",
                    {"folder": owner.place()},
                )
            if options.random_crop:
                yield Problem(
                    "dataset.random_crop",
                    "random_crop does not go with the mask pictures of {folder}; switch it off there",
                    {"folder": owner.place()},
                )


def _true_crops(config: TrainConfig) -> Iterator[Problem]:
    if not config.dataset.true_crop_coordinates:
        return
    for owner in owners(config.dataset):
        data = owner.decided(config.dataset)
        for name in ("random_crop", "face_crop_aug_range"):
            if getattr(data, name):
                said = "true_crop_coordinates is for pictures cut from the middle; clear {name} or switch it off"
                yield Problem("dataset.true_crop_coordinates", said, {"name": name})
                return


def _saving(config: TrainConfig) -> Iterator[Problem]:
    name = config.save.output_name
    if name is not None:
        reason = fault_of_output_name(name)
        if reason:
            yield Problem(
                "save.output_name", 'output_name "{name}" cannot be used: {reason}', {"name": name, "reason": reason}
            )
    names = [("log.log_prefix", config.log.log_prefix, fault_of_prefix),
             ("log.log_tracker_name", config.log.log_tracker_name, fault_of_folder_name)]  # fmt: skip
    for address, text, fault in names if config.log.logging_dir and config.log.log_with != "wandb" else ():
        reason = fault(text) if text else None
        if reason:
            said = '{name} "{text}" cannot be the name of a folder: {reason}'
            yield Problem(address, said, {"name": address.partition(".")[2], "text": text, "reason": reason})
    for address, path in (("save.output_dir", config.save.output_dir), ("log.logging_dir", config.log.logging_dir)):
        if path and path.startswith(("\\\\", "//")):
            yield Problem(address, "{path} is a network path; choose a folder on this machine", {"path": path})
    first, total = config.save.initial_step, config.run.max_train_steps
    if first is not None and config.run.max_train_epochs is None and first >= total:
        yield Problem(
            "save.initial_step",
            "initial_step {first} is not below the {total} steps of the run; lower it or raise max_train_steps",
            {"first": first, "total": total},
        )


def _distributed(config: TrainConfig) -> Iterator[Problem]:
    section = config.distributed
    machines, count = section.num_machines, section.num_processes
    if count is not None and count % machines:
        yield Problem(
            "distributed.num_processes",
            "num_processes {count} cannot be shared evenly by {machines} machines; choose a multiple of {machines}",
            {"count": count, "machines": machines},
        )
    if section.machine_rank >= machines:
        yield Problem(
            "distributed.machine_rank",
            "machine_rank is {rank} but there are {machines} machines; they are numbered from 0",
            {"rank": section.machine_rank, "machines": machines},
        )
    if section.main_process_ip and not ADDRESS.fullmatch(section.main_process_ip):
        said = "{name} is {value}; an address such as 192.168.1.10 or the name of a machine is needed"
        values = {"name": "main_process_ip", "value": shown(section.main_process_ip)}
        yield Problem("distributed.main_process_ip", said, values)
    if machines > 1 and not section.main_process_ip:
        yield Problem(
            "distributed.main_process_ip",
            "several machines need main_process_ip, the address of machine 0; set it or set num_machines to 1",
        )
    changing = any(text.strip().startswith("module_dropout") for text in config.network.network_args)
    if section.ddp_static_graph and changing:
        yield Problem(
            "distributed.ddp_static_graph",
            "ddp_static_graph promises that every step trains the same weights, which module_dropout breaks; "
            "switch one of them off",
        )


def _sampling_and_logging(config: TrainConfig) -> Iterator[Problem]:
    log_file = config.log.console_log_file
    if log_file and log_file.startswith(("\\\\", "//")):
        yield Problem(
            "log.console_log_file", "{path} is a network path; choose a file on this machine", {"path": log_file}
        )
    elif log_file and not log_file.lower().endswith(".log"):
        said = "console_log_file {path} must end in .log, so that no other file is written into"
        yield Problem("log.console_log_file", said, {"path": log_file})
    elif log_file and is_device(log_file.replace("\\", "/").rpartition("/")[2]):
        said = "console_log_file {path} has a name that Windows keeps for a device; choose another one"
        yield Problem("log.console_log_file", said, {"path": log_file})
    if config.log.log_with in ("wandb", "all") and importlib.util.find_spec("wandb") is None:
        yield Problem(
            "log.log_with",
            "log_with {choice} needs the package wandb, which is not installed; run pip install wandb, or choose "
            "tensorboard",
            {"choice": config.log.log_with},
        )
    if config.log.log_with in ("tensorboard", "all") and not config.log.logging_dir:
        yield Problem(
            "log.logging_dir", "log_with tensorboard needs logging_dir; ./logs is what the TensorBoard tab shows"
        )
