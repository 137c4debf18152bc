"""What is allowed but probably not meant. LIGHT.

Options without the other one that they need are in partners.py; what makes training impossible is in rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainer.config.dataset import owners
from trainer.config.partners import partner_notes
from trainer.config.problems import Note
from trainer.config.rate_notes import rate_notes

if TYPE_CHECKING:
    from trainer.config import TrainConfig

DORA_OF_OUTPUTS = (
    "dora_wd trains lengths of outputs here, as it does where wd_on_output is not given: A1111 loses about 80 % of "
    "such a DoRA and ComfyUI errs by about 5 %; wd_on_output=False is read exactly by both"
)
DECOUPLED = ("DAdaptAdam", "DAdaptAdamPreprint")
NOT_DECOUPLED = (
    "{optimizer} learns badly without decouple=True and a weight_decay such as 0.01; guides give it both, with "
    "betas=0.9,0.99"
)
NO_CONVOLUTIONS = (
    "{name} has no effect with preset={preset}, which leaves 3x3 convolutions alone; preset=full trains them"
)
SMALLEST_BOFT_DIM = 10  # 320 = 10 * 32: an even block and a power of two of them


def notes_on(config: TrainConfig) -> Iterator[Note]:
    """What to say about a configuration that can be trained."""
    yield from _optimizer_and_schedule(config)
    yield from _noise_and_loss(config)
    yield from _captions(config)
    yield from _pictures(config)
    yield from _saving(config)
    yield from _network(config)
    yield from _lycoris(config)
    yield from partner_notes(config)


def _optimizer_and_schedule(config: TrainConfig) -> Iterator[Note]:
    from trainer import optimizers, schedules

    for text in schedules.notes(config.schedule):
        yield Note("schedule.lr_warmup_steps", "{reason}", {"reason": text})
    optimizer, args = optimizers.find(config.optimizer.optimizer_type), config.optimizer.optimizer_args
    schedule = config.schedule.lr_scheduler_type or config.schedule.lr_scheduler
    yield from rate_notes(config)
    if optimizer.name in DECOUPLED and not optimizer.parse_args(args).get("decouple", False):
        yield Note("optimizer.optimizer_args", NOT_DECOUPLED, {"optimizer": optimizer.name})
    for text in optimizers.setting_notes(optimizer, args, schedule, config.optimizer.max_grad_norm):
        yield Note("optimizer.optimizer_type", "{reason}", {"reason": text})


def _noise_and_loss(config: TrainConfig) -> Iterator[Note]:
    if config.noise.zero_terminal_snr and not config.model.v_parameterization:
        yield Note(
            "noise.zero_terminal_snr",
            "zero_terminal_snr is meant for v-prediction models; with this one previews may turn grey",
        )
    low, high = config.noise.min_timestep or 0, config.noise.max_timestep or 1000
    if low >= high:
        yield Note(
            "noise.min_timestep",
            "min_timestep {low} is not below max_timestep {high}; every step will use timestep {high}",
            {"low": low, "high": high},
        )
    if (config.loss.v_pred_like_loss or 0) > 1:
        yield Note(
            "loss.v_pred_like_loss",
            "v_pred_like_loss {value} adds more than the whole velocity loss; 0 to 1 is meant",
            {"value": config.loss.v_pred_like_loss},
        )
    if config.loss.min_snr_gamma and config.loss.debiased_estimation_loss:
        yield Note(
            "loss.debiased_estimation_loss",
            "min_snr_gamma and debiased_estimation_loss are both on; their weights multiply. One of them is usual",
        )


def _captions(config: TrainConfig) -> Iterator[Note]:
    if config.model.v2 and config.caption.clip_skip:
        yield Note(
            "caption.clip_skip",
            "clip_skip {layers} is unusual for SD 2.x, which reads the last layer but one anyway; leave it empty",
            {"layers": config.caption.clip_skip},
        )
    for owner in owners(config.dataset):
        caption = owner.decided(config.caption)
        acting = caption.shuffle_caption or caption.token_warmup_step or caption.caption_tag_dropout_rate
        if caption.keep_tokens_separator and not acting:
            yield Note(
                "caption.keep_tokens_separator",
                "{marker} is taken out of captions here; sd-scripts leaves it in where nothing shuffles or drops tags",
                {"marker": caption.keep_tokens_separator},
            )
            break


def _pictures(config: TrainConfig) -> Iterator[Note]:
    data = config.dataset
    for name in ("color_aug", "random_crop"):
        if data.in_json and getattr(data, name):
            yield Note(
                f"dataset.{name}",
                "{name} changes pictures at every use, so latents that were prepared for in_json are not used",
                {"name": name},
            )
    everybody = owners(data)
    decided = [owner.decided(data) for owner in everybody]
    masks = any(owner.subset is not None and owner.subset.conditioning_data_dir for owner in everybody)
    if data.masked_loss and not masks and not any(options.alpha_mask for options in decided):
        yield Note(
            "dataset.masked_loss",
            "masked_loss has no effect: no folder has mask pictures (conditioning_data_dir) and alpha_mask is off",
        )
    if any(options.face_crop_aug_range for options in decided) and (
        config.cache.cache_latents or all(options.enable_bucket for options in decided)
    ):
        yield Note(
            "dataset.face_crop_aug_range",
            "face_crop_aug_range has no effect with enable_bucket or cache_latents; switch both off to use it",
        )
    if data.in_json and data.reg_data_dir:
        yield Note("dataset.reg_data_dir", "reg_data_dir is not used: in_json has no regularisation pictures")


def _saving(config: TrainConfig) -> Iterator[Note]:
    if config.save.save_model_as != "safetensors":
        yield Note(
            "save.save_model_as",
            "a {kind} file holds no description of the training (ss_ and modelspec keys); safetensors does",
            {"kind": config.save.save_model_as},
        )


def _network(config: TrainConfig) -> Iterator[Note]:
    alpha, dim = config.network.network_alpha, config.network.network_dim or 4
    if config.network.network_module == "networks.oft":
        if alpha >= 1:
            yield Note(
                "network.network_alpha",
                "network_alpha {alpha} sets hardly any limit for networks.oft; 0.0001 to 0.01 is usual",
                {"alpha": alpha},
            )
    elif alpha > dim:
        yield Note(
            "network.network_alpha",
            "network_alpha {alpha} is above network_dim {dim}; updates are amplified. Equal or half is usual",
            {"alpha": alpha, "dim": dim},
        )


def _lycoris(config: TrainConfig) -> Iterator[Note]:
    """What lycoris.kohya accepts without a use for it, and sizes that no model has."""
    from trainer.networks import arguments
    from trainer.networks.presets import PRESETS

    network, address = config.network, "network.network_args"
    if network.network_module != "lycoris.kohya" or arguments.faults(network.network_module, network.network_args):
        return
    algo = arguments.algo_of(network.network_args)
    for name in arguments.without_effect(network.network_module, network.network_args):
        yield Note(address, "{name} has no effect with algo={algo}", {"name": name, "algo": algo})
    given = arguments.parse(network.network_module, network.network_args)
    preset = PRESETS.get(str(given.get("preset")))
    if preset is not None and not preset.enable_conv:
        written = {text.partition("=")[0].strip() for text in network.network_args}
        for name in ("conv_dim", "conv_alpha", "use_tucker"):
            if name in written and given.get(name):
                yield Note(address, NO_CONVOLUTIONS, {"name": name, "preset": str(given["preset"])})
    if given.get("dora_wd") and given.get("wd_on_output"):
        yield Note(address, DORA_OF_OUTPUTS)
    if algo == "boft" and (network.network_dim or 4) < SMALLEST_BOFT_DIM:
        yield Note(
            "network.network_dim",
            "algo=boft cannot cut layers of 320 outputs with network_dim {dim}; models need {needed} or more",
            {"dim": network.network_dim or 4, "needed": SMALLEST_BOFT_DIM},
        )
