"""[model]: which base model is trained on. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Model(Section):
    """Base model"""

    pretrained_model_name_or_path: str | None = parameter(None, "Base model", role="model")
    """The checkpoint the LoRA is trained on: a .safetensors or .ckpt file, or a diffusers folder. Train on the model
    family you will use the LoRA with; a base that already draws in your style learns faster."""

    vae: str | None = parameter(None, "VAE", role="model", advanced=True)
    """Another VAE in place of the one inside the base model. Needed only when the base's own is missing or known to
    be bad."""

    v_parameterization: bool = parameter(False, "V-prediction model", advanced=True)
    """Switch on only for a base that was itself trained to predict velocity, such as SD 2 768-v. With an ordinary base
    the LoRA comes out as noise. Files that say so themselves, as NoobAI v-pred does, need no switch."""

    prediction_type: Literal["epsilon", "v"] | None = parameter(None, "What the base predicts", advanced=True)
    """Empty follows the base model's file. Set it only when a file says something wrong about itself: its markers for
    v-prediction and zero terminal SNR are not followed then."""

    v2: bool = parameter(False, "SD 2.x model", advanced=True)
    """What the base is, is read from its file. Switch on only for an unusual SD 2.x file that is taken for SD 1.x."""

    model_family: Literal["sd", "sdxl"] | None = parameter(None, "Wanted model family", advanced=True)
    """Empty takes any base model. Set it to be told when a file is not of the family you meant to train: sd is SD 1.x
    and 2.x."""

    text_projection_as_sd_scripts: bool = parameter(False, "Text projection as in sd-scripts", advanced=True)
    """sd-scripts turns one matrix of SDXL single files the wrong way round. Switch on only to repeat its numbers;
    image programs do it as this program does without the switch."""
