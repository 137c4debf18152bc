"""[optimizer]: which optimizer, its arguments and the learning rates. The optimizers themselves are in
trainer/optimizers.py. LIGHT."""

from __future__ import annotations

from trainer.config.fields import Rates, Section, Texts, parameter


class Optimizer(Section):
    """Learning rate and optimizer"""

    learning_rate: float = parameter(2e-6, "Learning rate", ge=0, le=100)
    """How far each step goes. Used for every part that has no rate of its own. 1e-4 suits most LoRAs; adaptive
    optimizers want 1."""

    unet_lr: float | None = parameter(None, "U-Net learning rate", ge=0, le=100)
    """Rate for the part that draws. 1e-4 is usual for SD 1.5, 1e-4 to 8e-4 for SDXL. Too high burns the picture, too
    low teaches nothing."""

    text_encoder_lr: Rates = parameter(None, "Text encoder learning rate")
    """Rate for the part that reads the prompt: a third to a half of the U-Net's, a tenth to be careful. 0
    leaves it untrained.
    Two numbers with a comma are for the two encoders of SDXL."""

    optimizer_type: str = parameter("", "Optimizer", max_length=100)
    """AdamW8bit saves memory on NVIDIA cards, AdamW is the same in full precision, Lion wants a rate 10 to 15 times
    lower, Prodigy finds the rate itself (set the rates to 1). Empty: AdamW."""

    optimizer_args: Texts = parameter((), "Optimizer arguments", advanced=True)
    """Further settings of the optimizer: fields of their own on the page, a list of name=value in a file. Such as
    weight_decay=0.01 or betas=0.9,0.99. Which there are depends on the optimizer."""

    use_lion_optimizer: bool = parameter(
        False, "Use Lion (old switch)", advanced=True, shown_when={"use_lion_optimizer": [True]}
    )
    """Old way to write optimizer_type = Lion; kept so that old files load."""

    use_8bit_adam: bool = parameter(
        False, "Use 8-bit Adam (old switch)", advanced=True, shown_when={"use_8bit_adam": [True]}
    )
    """Old way to write optimizer_type = AdamW8bit; kept so that old files load."""

    max_grad_norm: float = parameter(1.0, "Gradient clipping", ge=0, le=1000, advanced=True)
    """Gradients longer than this are shortened. 0 switches it off."""
