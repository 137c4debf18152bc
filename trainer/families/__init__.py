"""Model families: how a base model is read, asked and adapted. What a family is, is in base.py.

LIGHT at import: the page asks weights.py and tokens.py, the trainer calls `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from trainer.config import TrainConfig
    from trainer.families.base import Family, LoadOptions

FAMILIES = ("sd1", "sd2")  # what `load` can train; sd.py holds both


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
        v_parameterization=config.model.v_parameterization,
    )


def load(options: LoadOptions, device: torch.device | str = "cpu") -> Family:
    """The base model on `device`, frozen. Raises WeightsError naming the file, what is wrong and the cure."""
    from trainer.families.modules import quiet_libraries

    with quiet_libraries():
        from trainer.families import sd

        return sd.load(options, device)
