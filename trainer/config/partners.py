"""Options that do nothing without another one, or beside another one: one table, and the notes made from it. LIGHT.

A name may stand with the value that counts ("loss_type=huber"); without one anything but off counts. Names of
network_args stand as "network_args.conv_alpha". What an option decides for each folder counts where it acts in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.config.dataset import Owner, owners
from trainer.config.problems import Note, shown

if TYPE_CHECKING:
    from trainer.config import TrainConfig

ARGUMENTS = "network_args."
OF_FOLDERS = ("dataset", "caption")  # sections that a data set and a folder may decide for themselves
EPOCH_SAVES = ("save_every_n_epochs", "save_n_epoch_ratio")
MIXED_TAGS = ("shuffle_caption", "caption_tag_dropout_rate", "token_warmup_step")
PREVIEWS = ("sample_every_n_epochs", "sample_every_n_steps", "sample_at_first")
WANDB = ("log_with=wandb", "log_with=all")
HUBER = ("loss_type=huber", "loss_type=smooth_l1")
KOHYA_MODULES = ("network_module=networks.lora", "network_module=networks.lora_fa", "network_module=networks.dylora")


@dataclass(frozen=True)
class Partner:
    """What an option needs. needs: one of these. unless: any of these takes its effect away. only: what the row is
    for."""

    option: str
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


PARTNERS: tuple[Partner, ...] = (
    # pictures
    Partner("prior_loss_weight", needs=("reg_data_dir", "is_reg")),
    Partner("dataset_repeats", needs=("subsets", "datasets", "in_json")),
    Partner("min_bucket_reso", needs=("enable_bucket",)),
    Partner("max_bucket_reso", needs=("enable_bucket",)),
    Partner("bucket_reso_steps", needs=("enable_bucket",)),
    Partner("bucket_no_upscale", needs=("enable_bucket",)),
    Partner("validation_seed", needs=("validation_split",)),
    Partner("validate_every_n_epochs", needs=("validation_split",)),
    Partner("validate_every_n_steps", needs=("validation_split",)),
    Partner("max_validation_steps", needs=("validation_split",)),
    # saving
    Partner("save_every_n_epochs", unless=("save_n_epoch_ratio",)),
    Partner("save_last_n_epochs", needs=EPOCH_SAVES),
    Partner("save_last_n_steps", needs=("save_every_n_steps",)),
    Partner("save_last_n_epochs_state", needs=EPOCH_SAVES),
    Partner("save_last_n_epochs_state", needs=("save_state",)),
    Partner("save_last_n_steps_state", needs=("save_every_n_steps",)),
    Partner("save_last_n_steps_state", needs=("save_state",)),
    Partner("initial_epoch", unless=("initial_step",)),
    Partner("skip_until_initial_step", needs=("initial_step", "initial_epoch")),
    Partner("training_comment", unless=("no_metadata",)),
    # length and readers
    Partner("max_train_steps", unless=("max_train_epochs",)),
    Partner("persistent_data_loader_workers", needs=("max_data_loader_n_workers",)),
    # rates and schedule; which schedule reads which option is added below
    Partner("unet_lr", unless=("network_train_text_encoder_only",)),
    Partner("text_encoder_lr", unless=("network_train_unet_only",)),
    Partner("lr_scheduler", unless=("lr_scheduler_type",)),
    # network
    Partner("network_dim", unless=("dim_from_weights",)),
    Partner("network_alpha", unless=("dim_from_weights",)),
    Partner("network_args.conv_alpha", needs=("network_args.conv_dim",), only=KOHYA_MODULES),
    Partner("network_args.rank_dropout_scale", needs=("network_args.rank_dropout",)),
    Partner("network_args.bypass_mode", needs=("network_args.rank_dropout",)),
    Partner("network_args.wd_on_output", needs=("network_args.dora_wd",)),
    Partner("network_args.loraplus_text_encoder_lr_ratio", unless=("network_train_unet_only",)),
    Partner("network_args.loraplus_unet_lr_ratio", unless=("network_train_text_encoder_only",)),
    # previews and curves
    Partner("sample_prompts", needs=PREVIEWS),
    Partner("sample_every_n_epochs", needs=("sample_prompts",)),
    Partner("sample_at_first", needs=("sample_prompts",)),
    Partner("sample_sampler", needs=("sample_prompts",)),
    Partner("sample_every_n_steps", needs=("sample_prompts",), unless=("sample_every_n_epochs",)),
    Partner("log_prefix", needs=("logging_dir",), unless=("log_with=wandb",)),
    Partner("log_tracker_name", needs=("logging_dir", *WANDB)),
    Partner("log_tracker_config", needs=WANDB),
    Partner("log_config", needs=("logging_dir", *WANDB)),
    Partner("log_old_rate_names", needs=("logging_dir", *WANDB)),
    Partner("wandb_run_name", needs=WANDB),
    Partner("wandb_api_key", needs=WANDB),
    Partner("console_log_simple", unless=("console_log_file",)),
    # captions
    Partner("keep_tokens", needs=MIXED_TAGS),
    Partner("caption_separator", needs=(*MIXED_TAGS, "secondary_separator")),
    Partner("token_warmup_min", needs=("token_warmup_step",)),
    # noise and loss
    Partner("noise_offset_random_strength", needs=("noise_offset",)),
    Partner("multires_noise_discount", needs=("multires_noise_iterations",)),
    Partner("ip_noise_gamma_random_strength", needs=("ip_noise_gamma",)),
    Partner("huber_schedule", needs=HUBER),
    Partner("huber_c", needs=HUBER),
    Partner("huber_scale", needs=HUBER, unless=("huber_schedule=snr",)),
    # memory and caches
    Partner("fp8_base_unet", unless=("fp8_base",)),
    Partner("dynamo_backend", needs=("torch_compile",)),
    Partner("vae_batch_size", needs=("cache_latents",)),
    Partner("skip_cache_check", needs=("cache_latents_to_disk",)),
    Partner("cache_as_npz", needs=("cache_latents_to_disk", "cache_text_encoder_outputs_to_disk")),
)  # fmt: skip
SCHEDULE_OPTIONS = (
    "lr_scheduler_num_cycles", "lr_scheduler_power", "lr_scheduler_timescale", "lr_scheduler_min_lr_ratio",
    "lr_decay_steps",
)  # fmt: skip
SEVERAL_PROCESSES = ("main_process_port", "ddp_timeout", "ddp_gradient_as_bucket_view", "ddp_static_graph")


def all_partners() -> tuple[Partner, ...]:
    """The table with the schedules' own options, which their table knows."""
    from trainer.schedules import SCHEDULES

    readers = {
        option: tuple(f"lr_scheduler={name}" for name, schedule in SCHEDULES.items() if option in schedule.uses)
        for option in SCHEDULE_OPTIONS
    }
    rows = (Partner(option, needs=names, unless=("lr_scheduler_type",)) for option, names in readers.items())
    return (*PARTNERS, *rows)


def partner_notes(config: TrainConfig, sections: tuple[str, ...] | None = None) -> Iterator[Note]:
    """A note for each option that is set and has no effect. sections: only options of these; None for all."""
    fields = _Fields(config)
    for row in all_partners():
        section, name = fields.place(row.option)
        of_folders = section in OF_FOLDERS
        if (sections is not None and section not in sections) or (of_folders and config.dataset.dataset_config):
            continue  # what a dataset_config lists is looked at when it has been read
        found = [_fault(row, fields, owner) for owner in fields.owners if fields.is_set(row.option, owner)]
        if found and all(found) and found[0] is not None:
            template, values = found[0]
            yield Note(f"{section}.{name}", template, values)
    yield from _processes(config, sections)


def _fault(row: Partner, fields: _Fields, owner: Owner) -> tuple[str, Mapping[str, Any]] | None:
    """Why an option that is set does nothing for an owner's pictures; None where it acts."""
    if row.only and not any(fields.is_on(name, owner) for name in row.only):
        return None
    name = row.option.removeprefix(ARGUMENTS)
    told = {"name": name, "value": shown(fields.value(row.option, owner)) if name != "wandb_api_key" else "…"}
    for other in row.unless:
        if fields.is_on(other, owner):
            plain = other.partition("=")[0].removeprefix(ARGUMENTS)
            value = shown(fields.value(other.partition("=")[0], owner))
            return "{name} = {value} has no effect beside {other} = {other_value}", {
                **told, "other": plain, "other_value": value
            }  # fmt: skip
    if row.needs and not any(fields.is_on(other, owner) for other in row.needs):
        needed = [other.removeprefix(ARGUMENTS) for other in row.needs]
        if len(needed) == 1:
            return "{name} = {value} has no effect without {needed}", {**told, "needed": needed[0]}
        return "{name} = {value} has no effect without one of {needed}", {**told, "needed": ", ".join(needed)}
    return None


def _processes(config: TrainConfig, sections: tuple[str, ...] | None) -> Iterator[Note]:
    """Options of several processes in a run that is one; torchrun and accelerate may start several without a word."""
    from trainer.spawning import process_count

    section = config.distributed
    if (sections is not None and "distributed" not in sections) or process_count(section) > 1:
        return
    for name in SEVERAL_PROCESSES:
        if getattr(section, name):
            said = "{name} = {value} has no effect: one process trains alone"
            yield Note(f"distributed.{name}", said, {"name": name, "value": getattr(section, name)})
    if section.main_process_ip and section.num_machines == 1:
        said = "{name} = {value} has no effect without {needed}"
        values = {"name": "main_process_ip", "value": shown(section.main_process_ip), "needed": "num_machines"}
        yield Note("distributed.main_process_ip", said, values)


class _Fields:
    """Values of a configuration by plain name, for the run or for one folder of it."""

    def __init__(self, config: TrainConfig) -> None:
        from trainer.networks import arguments

        self._config = config
        self._section_of = {name: section for section, values in config for name in type(values).model_fields}
        self.owners = owners(config.dataset) or [Owner()]
        self._arguments: Mapping[str, Any] = {}
        self._usual: Mapping[str, Any] = {}
        self._written: set[str] = set()
        network = config.network
        if not arguments.faults(network.network_module, network.network_args):
            self._arguments = arguments.parse(network.network_module, network.network_args)
            method = arguments.method_of(network.network_module, network.network_args)
            self._usual = {name: one.default for name, one in method.arguments.items()}
            self._written = {text.partition("=")[0].strip() for text in network.network_args}

    def place(self, option: str) -> tuple[str, str]:
        """Section and parameter of an option."""
        name = "network_args" if option.startswith(ARGUMENTS) else option
        return self._section_of[name], name

    def value(self, option: str, owner: Owner) -> Any:
        """The value for an owner's pictures."""
        if option.startswith(ARGUMENTS):
            return self._arguments.get(option.removeprefix(ARGUMENTS))
        section = self._section_of.get(option)
        if section is None:  # of a folder alone, such as is_reg
            return getattr(owner.subset, option, None)
        whole = getattr(self._config, section)
        return getattr(owner.decided(whole) if section in OF_FOLDERS else whole, option)

    def is_set(self, option: str, owner: Owner) -> bool:
        """Whether somebody asked for something: neither the default nor off. Of network_args, which stand there only
        where they were written, a default counts too."""
        value = self.value(option, owner)
        if option.startswith(ARGUMENTS):
            name = option.removeprefix(ARGUMENTS)
            return name in self._written and bool(value or self._usual.get(name))
        section, name = self.place(option)
        usual = type(getattr(self._config, section)).model_fields[name].get_default()
        return bool(value != usual and (value or usual))

    def is_on(self, condition: str, owner: Owner) -> bool:
        """Whether a condition of the table holds."""
        name, sign, wanted = condition.partition("=")
        value = self.value(name, owner)
        return str(value).lower() == wanted if sign else bool(value)
