"""What a run that goes on takes from its state and what from its settings: one table, and the words for it. LIGHT.

Where a state lies and where it stands is states.py; its weights are read in checkpoint.py. Whether pictures, captions
and the base model are still the same, which no setting says, is in agreement.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trainer import optimizers
from trainer.arguments import ArgumentError, Value
from trainer.config import LISTS, TrainConfig, parameters
from trainer.networks import arguments
from trainer.states import StateError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainer.checkpoint import State
    from trainer.networks.network import Network

Treatment = Literal["follow", "tell", "keep", "refuse", "compare", "count", "ignore", "by argument"]

# follow: acts from here on, and changes nothing of what is learned. tell: acts from here on, with a sentence that names
# both values. keep: the state's value stays, with a sentence. refuse: nothing is trained. compare: what lies there
# counts, not its path (agreement.changes). count: only the number of processes counts. ignore: has no effect on a run
# that goes on, with a sentence. by argument: each name=value is treated on its own (ARGUMENTS).
_TREATMENTS: dict[Treatment, str] = {
    "follow": """
        model.model_family dataset.cache_info dataset.validate_every_n_epochs dataset.validate_every_n_steps
        dataset.max_validation_steps
        save.output_dir save.save_model_as save.save_precision save.save_every_n_epochs save.save_every_n_steps
        save.save_n_epoch_ratio save.save_last_n_epochs save.save_last_n_steps save.save_state
        save.save_state_on_train_end save.save_last_n_epochs_state save.save_last_n_steps_state save.resume
        save.initial_epoch save.initial_step save.skip_until_initial_step save.training_comment save.no_metadata
        save.metadata_title save.metadata_author save.metadata_description save.metadata_license save.metadata_tags
        save.metadata_trigger_phrase save.metadata_usage_hint save.metadata_thumbnail save.metadata_merged_from
        save.metadata_preprocessor save.metadata_is_negative_embedding
        run.max_nan_steps run.max_data_loader_n_workers run.persistent_data_loader_workers
        optimizer.use_lion_optimizer optimizer.use_8bit_adam caption.caption_extention
        sample.sample_prompts sample.sample_every_n_epochs sample.sample_every_n_steps sample.sample_at_first
        sample.sample_sampler
        log.logging_dir log.log_with log.log_prefix log.log_old_rate_names log.log_tracker_name log.log_tracker_config
        log.wandb_run_name log.wandb_api_key log.log_config log.console_log_level log.console_log_file
        log.console_log_simple
        precision.gradient_checkpointing precision.no_half_vae precision.sdpa precision.xformers
        precision.torch_compile precision.dynamo_backend
        cache.cache_latents cache.cache_latents_to_disk cache.vae_batch_size cache.skip_cache_check cache.cache_as_npz
        cache.cache_text_encoder_outputs cache.cache_text_encoder_outputs_to_disk
        distributed.machine_rank distributed.main_process_ip distributed.main_process_port distributed.ddp_timeout
        distributed.ddp_gradient_as_bucket_view distributed.ddp_static_graph
    """,
    "tell": """
        model.vae model.v_parameterization model.prediction_type model.v2 model.text_projection_as_sd_scripts
        dataset.subsets dataset.datasets dataset.prior_loss_weight dataset.dataset_repeats dataset.resolution
        dataset.train_batch_size dataset.enable_bucket dataset.min_bucket_reso dataset.max_bucket_reso
        dataset.bucket_reso_steps dataset.bucket_no_upscale dataset.resize_interpolation
        dataset.ignore_exif_orientation dataset.flip_aug dataset.true_crop_coordinates dataset.color_aug
        dataset.random_crop dataset.face_crop_aug_range dataset.alpha_mask dataset.masked_loss
        dataset.validation_split dataset.validation_seed
        save.output_name
        run.max_train_epochs run.max_train_steps run.gradient_accumulation_steps
        optimizer.learning_rate optimizer.unet_lr optimizer.text_encoder_lr optimizer.max_grad_norm
        schedule.lr_scheduler schedule.lr_warmup_steps schedule.lr_scheduler_num_cycles schedule.lr_scheduler_power
        schedule.lr_decay_steps schedule.lr_scheduler_timescale schedule.lr_scheduler_min_lr_ratio
        schedule.lr_scheduler_type schedule.lr_scheduler_args
        network.network_dropout network.base_weights network.base_weights_multiplier network.scale_weight_norms
        caption.caption_extension caption.shuffle_caption caption.keep_tokens caption.max_token_length
        caption.clip_skip caption.caption_separator caption.keep_tokens_separator caption.secondary_separator
        caption.enable_wildcard caption.caption_prefix caption.caption_suffix caption.weighted_captions
        caption.no_token_padding caption.caption_dropout_rate caption.caption_dropout_every_n_epochs
        caption.caption_tag_dropout_rate caption.token_warmup_min caption.token_warmup_step
        noise.noise_offset noise.noise_offset_random_strength noise.adaptive_noise_scale
        noise.multires_noise_iterations noise.multires_noise_discount noise.ip_noise_gamma
        noise.ip_noise_gamma_random_strength noise.zero_terminal_snr noise.min_timestep noise.max_timestep
        loss.min_snr_gamma loss.zero_terminal_snr_weights loss.loss_type loss.huber_schedule loss.huber_c
        loss.huber_scale loss.debiased_estimation_loss loss.scale_v_pred_loss_like_noise_pred loss.v_pred_like_loss
        precision.mixed_precision precision.full_fp16 precision.full_bf16 precision.fp8_base precision.fp8_base_unet
        precision.quantize_base
    """,
    "keep": "run.seed network.network_alpha",
    "refuse": """
        optimizer.optimizer_type network.network_module network.network_dim network.dim_from_weights
        network.network_train_unet_only network.network_train_text_encoder_only
    """,
    "compare": """
        model.pretrained_model_name_or_path dataset.train_data_dir dataset.reg_data_dir dataset.dataset_config
        dataset.in_json
    """,
    "count": "distributed.num_processes distributed.gpu_ids distributed.multi_gpu distributed.num_machines",
    "ignore": "network.network_weights",
    "by argument": "network.network_args optimizer.optimizer_args",
}
TREATMENT: dict[str, Treatment] = {
    address: treatment for treatment, addresses in _TREATMENTS.items() for address in addresses.split()
}
# what no other treatment is given for is refused: it decides which weights there are and what they mean
ARGUMENTS: dict[str, dict[str, Treatment]] = {
    "network.network_args": {
        **dict.fromkeys(("conv_alpha", "block_alphas", "conv_block_alphas"), "keep"),
        **dict.fromkeys(
            ("dropout", "rank_dropout", "module_dropout", "rank_dropout_scale", "bypass_mode", "loraplus_lr_ratio",
             "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio", "down_lr_weight", "mid_lr_weight",
             "up_lr_weight", "block_lr_zero_threshold"),
            "tell",
        ),
    },
    "optimizer.optimizer_args": dict.fromkeys(
        ("weight_decay", "betas", "eps", "d_coef", "growth_rate", "clip_threshold"), "tell"
    ),
}  # fmt: skip

CHANGED = "{name} is {now}, it was {then} when the state was saved; the new value acts from here on"
NEW_FILES = "{name} is not what it was when the state was saved; the new one acts from here on"
KEPT = "{name} is {now} in the settings, the state was trained with {then}; the state's value is kept"
REFUSED = (
    "{name} is {now}, but the state was trained with {then}; set it back, or clear resume and go on from the LoRA file "
    "with network_weights"
)
WITHOUT_EFFECT = "{name} has no effect on a run that goes on from a state, whose weights are taken"
BEYOND = (
    "the state is at step {step}, but the run has {steps} steps in all; raise max_train_epochs or max_train_steps, or "
    "clear resume"
)
AT_THE_END = (
    "the state is at step {step}, the last of the run: nothing is trained, and the LoRA is written as the state has it"
)
NO_STATE = "resume {path} holds no training state; choose a state folder of an earlier run, or clear it"
OTHER_COUNT = "the state was written by {then} processes, this run has {now}; set num_processes to {then}"


@dataclass(frozen=True)
class Difference:
    """One setting that is not what it was when the state was saved. template: the key for translations."""

    address: str
    treatment: Treatment
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The English sentence."""
        return self.template.format(**self.values)


def recorded(config: TrainConfig) -> dict[str, Any]:
    """What a state keeps of the settings, by address, as JSON. Of paths and lists of folders only a digest."""
    return {address: _recorded(config, address) for address, treatment in TREATMENT.items() if _matters(treatment)}


def differences(config: TrainConfig, progress: Mapping[str, Any]) -> list[Difference]:
    """What differs from the settings that a state has recorded, refusals first.

    Of an older state, which has none, only the seed and the name are known here; its weights tell of the alpha.
    """
    then = _settings(progress)
    found: list[Difference] = []
    now = recorded(config)
    for address, treatment in TREATMENT.items():
        if not _matters(treatment) or address not in then or then[address] == now[address]:
            continue
        if treatment == "by argument":
            chooser = "network.network_module" if address == "network.network_args" else "optimizer.optimizer_type"
            if then.get(chooser) == now[chooser]:
                found += _arguments(address, config, then)
        elif not (address == "run.seed" and config.run.seed is None):
            found.append(_difference(address, treatment, _name(address), now[address], then[address]))
    return sorted(found, key=lambda one: one.treatment != "refuse")


def agreed(config: TrainConfig, progress: Mapping[str, Any], path: str) -> tuple[TrainConfig, list[str]]:
    """The settings that a run goes on with, and a sentence for each that is not what it was.

    What is kept is the state's there. Raises StateError with every setting that is refused.
    """
    then = _settings(progress)
    found = differences(config, progress)
    refused = [one.message for one in found if one.treatment == "refuse"]
    if refused:
        raise StateError("\n".join(f"{path}: {message}" for message in refused))
    messages = [one.message for one in found]
    network: dict[str, Any] = {}
    if "network.network_alpha" in then:
        network["network_alpha"] = float(then["network.network_alpha"])
    if "network.network_args" in then:
        network["network_args"] = _with_kept(config.network.network_args, then["network.network_args"])
    run = {"seed": progress["seed"]}
    return config.model_copy(
        update={
            "network": config.network.model_copy(update=network),
            "run": config.run.model_copy(update=run),
        }
    ), messages


def continues_name(config: TrainConfig, progress: Mapping[str, Any], usual: str) -> bool:
    """Whether the run goes on saving under the state's name: the settings ask for what they asked for then.

    usual: the name where the settings give none. A state's name may have a number that was put behind it.
    """
    then = _settings(progress)
    if "save.output_name" in then:
        return bool(then["save.output_name"] == config.save.output_name)
    wanted = re.escape(config.save.output_name or usual)
    return re.fullmatch(rf"{wanted}(-\d+)?", str(progress.get("output_name", ""))) is not None


def check_length(step: int, total_steps: int, path: str) -> str | None:
    """What to say about a state at the end of the run, None where something is left. Raises StateError beyond it."""
    if step > total_steps:
        raise StateError(f"{path}: {BEYOND.format(step=step, steps=total_steps)}")
    return AT_THE_END.format(step=step) if step == total_steps else None


def take_over(
    state: State, network: Network, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, config: TrainConfig
) -> list[str]:
    """Put a state's weights and moments in place; returns sentences. Raises StateError when they do not fit."""
    path = config.save.resume or ""
    _check_groups(state, optimizer, path)
    fresh = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    changed = _changed_arguments(config, state.progress)
    try:
        messages = network.resume(state.network, path)
        optimizers.restore(optimizer, _fitted(state, network, optimizer))
    except (RuntimeError, ValueError, KeyError) as error:
        said = f"{path} does not fit these settings: {str(error).splitlines()[0]}"
        raise StateError(f"{said}; resume with the network and optimizer settings of the run that wrote it") from error
    for group, own in zip(optimizer.param_groups, fresh, strict=True):
        group["initial_rate"] = own["initial_rate"]  # the settings decide, so that a run can go on with another rate
        group.update({name: own[name] for name in changed if name in own})
    if state.progress.get("scaler"):
        scaler.load_state_dict(state.progress["scaler"])
    return messages


def _check_groups(state: State, optimizer: torch.optim.Optimizer, path: str) -> None:
    """Raises StateError when other parts are trained than in the state."""
    then = [str(group.get("name")) for group in state.optimizer["param_groups"]]
    now = [str(group["name"]) for group in optimizer.param_groups]
    if then != now:
        raise StateError(
            f"{path}: the state trains {', '.join(then)}, these settings train {', '.join(now)}; a part with a rate of "
            "0 is not trained, so set the learning rates (and loraplus or block rates) of the run that wrote it"
        )


def _fitted(state: State, network: Network, optimizer: torch.optim.Optimizer) -> Mapping[str, Any]:
    """A state's optimizer, its moments in the shapes of the weights: those of a 1x1 convolution may come from a linear
    layer and the reverse. Raises ValueError for moments that cannot be brought there."""
    own = network.state_dict()
    other = {
        key.partition(".")[0]
        for key, value in state.network.items()
        if key in own and own[key].shape != value.shape
    }  # fmt: skip
    if not other:
        return state.optimizer
    owners = {id(parameter): name for name, adapter in network.adapters() for parameter in adapter.parameters()}
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    numbers = [number for group in state.optimizer["param_groups"] for number in group["params"]]
    moments = dict(state.optimizer["state"])
    for weight, number in zip(weights, numbers, strict=True):
        if owners.get(id(weight)) in other and number in moments:
            moments[number] = {name: _reshaped(name, value, weight) for name, value in moments[number].items()}
    return {**state.optimizer, "state": moments}


def _reshaped(name: str, value: Any, weight: Tensor) -> Any:
    shape = getattr(value, "shape", None)
    if shape is None or value.numel() <= 1 or name.startswith(("absmax", "qmap")):
        return value
    alike = [size for size in shape if size != 1] == [size for size in weight.shape if size != 1]
    if not alike or name.endswith(("_row", "_col")):
        raise ValueError(
            f"{name} of the state belongs to a base model in another form (single file or folder); use that one"
        )
    return value.reshape(weight.shape)


def _arguments(address: str, config: TrainConfig, then: Mapping[str, Any]) -> Iterator[Difference]:
    """The same for each name=value of network_args or optimizer_args."""
    now, before = _parsed(address, _recorded(config, address), config), _parsed(address, then[address], config)
    if now.get("algo") != before.get("algo"):
        now, before = {"algo": now.get("algo")}, {"algo": before.get("algo")}  # each has defaults of its own
    for name in dict.fromkeys([*before, *now]):
        if before.get(name) != now.get(name):
            treatment = ARGUMENTS[address].get(name, "refuse")
            yield _difference(address, treatment, f"{_name(address)} {name}", now.get(name), before.get(name))


def _parsed(address: str, texts: Any, config: TrainConfig) -> dict[str, Value]:
    """Arguments as typed values, defaults filled in where the table has them; none when they cannot be read."""
    try:
        if address == "network.network_args":
            given = arguments.parse(config.network.network_module, texts)
            method = arguments.method_of(config.network.network_module, texts)
            return {**arguments.modern(given), "algo": method.name}
        return optimizers.find(config.optimizer.optimizer_type).parse_args(texts)
    except (ArgumentError, optimizers.OptimizerError):
        return {}


def _changed_arguments(config: TrainConfig, progress: Mapping[str, Any]) -> list[str]:
    """Names of optimizer_args that differ from the state's and act from here on."""
    then, address = _settings(progress), "optimizer.optimizer_args"
    if address not in then:
        return []
    now, before = (_parsed(address, texts, config) for texts in (config.optimizer.optimizer_args, then[address]))
    return [name for name in ARGUMENTS[address] if now.get(name) != before.get(name)]


def _settings(progress: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a state has recorded of the settings: what any state says of itself, at least."""
    recorded_ones = progress.get("settings")
    known = {"run.seed": progress["seed"]} if "seed" in progress else {}
    return {**known, **(recorded_ones if isinstance(recorded_ones, Mapping) else {})}


def _with_kept(now: tuple[str, ...], then: Any) -> tuple[str, ...]:
    """network_args with those of the state where they are kept."""

    def is_kept(text: str) -> bool:
        return ARGUMENTS["network.network_args"].get(text.partition("=")[0].strip()) == "keep"

    return (*(text for text in now if not is_kept(text)), *(text for text in then if is_kept(text)))


def _difference(address: str, treatment: Treatment, name: str, now: Any, then: Any) -> Difference:
    values = {"name": name, "now": _shown(now), "then": _shown(then)}
    if treatment == "ignore":
        return Difference(address, treatment, WITHOUT_EFFECT, {"name": name})
    if address in _hidden():
        return Difference(address, treatment, NEW_FILES, {"name": name})
    template = {"tell": CHANGED, "keep": KEPT, "refuse": REFUSED}[treatment]
    return Difference(address, treatment, template, values)


def _recorded(config: TrainConfig, address: str) -> Any:
    section, name = address.split(".")
    value = getattr(config, section).model_dump(mode="json", include={name})[name]
    if address == "optimizer.optimizer_type":
        return optimizers.find(value).name
    if address == "network.network_dim":
        return value or 4
    if address in _hidden():
        return value and hashlib.sha256(json.dumps(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return value


def _hidden() -> set[str]:
    """Addresses whose values are paths or hold some."""
    paths = {one.address for one in parameters() if one.role is not None}
    return paths | {"network.base_weights", *(f"dataset.{name}" for name in LISTS)}


def _matters(treatment: Treatment) -> bool:
    return treatment in ("tell", "keep", "refuse", "ignore", "by argument")


def _name(address: str) -> str:
    return address.partition(".")[2]


def _shown(value: Any) -> str:
    """A value as it stands in a settings file."""
    if value is None or value == "" or value == []:
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
