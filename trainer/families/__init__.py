"""Model families: how a base model is read, asked and adapted. What a family is, is in base.py.

LIGHT at import: the page asks weights.py, kinds.py and tokens.py, the trainer calls `outline` and then reads the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from trainer.config import TrainConfig
    from trainer.families.base import Family, LoadOptions


def options_from(config: TrainConfig) -> LoadOptions:
    """How the base model of a config is to be read.

    Raises WeightsError when no base model is given.
    """
    import torch

    from trainer.families.base import LoadOptions
    from trainer.families.weights import WeightsError

    if not config.model.pretrained_model_name_or_path:
        raise WeightsError("no base model is given; set pretrained_model_name_or_path to a checkpoint file or folder")
    dtype = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[config.precision.mixed_precision]
    return LoadOptions(
        path=config.model.pretrained_model_name_or_path,
        vae=config.model.vae,
        dtype=dtype,
        vae_dtype=torch.float32 if config.precision.no_half_vae else dtype,
        clip_skip=config.caption.clip_skip,
        max_token_length=config.caption.max_token_length,
        v2=config.model.v2,
        v_parameterization=config.model.v_parameterization,
        zero_terminal_snr=config.noise.zero_terminal_snr,
        prediction_type=config.model.prediction_type,
        weighted_captions=config.caption.weighted_captions,
        no_token_padding=config.caption.no_token_padding,
        text_projection_as_sd_scripts=config.model.text_projection_as_sd_scripts,
    )


def load(options: LoadOptions, device: torch.device | str = "cpu") -> Family:
    """The base model on `device`, frozen. Raises WeightsError naming the file, what is wrong and the cure."""
    family = outline(options)
    family.to(device)
    family.read()
    return family


def outline(options: LoadOptions) -> Family:
    """The base model with all its layers and none of its weights, which `read` gives it part by part.

    Reads headers only. Raises WeightsError naming the file, what is wrong and the cure.
    """
    from trainer.families import kinds
    from trainer.families.modules import quiet_libraries
    from trainer.families.weights import describe, find_base

    path = find_base(options.path)
    about = describe(path)
    name = kinds.trained_family(about, options.v2, options.vae is not None)
    with quiet_libraries():
        from trainer.families import sd, sdxl

        return sdxl.outline(path, about, options) if name == "sdxl" else sd.outline(path, about, options, name)
