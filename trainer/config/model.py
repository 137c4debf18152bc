"""[model]: which base model is trained on. LIGHT."""

from __future__ import annotations

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
    """Switch on only for a base that was itself trained to predict velocity. With an ordinary base the LoRA comes out
    as noise."""
