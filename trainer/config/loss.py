"""[loss]: how an error is measured and weighted. Formulas: trainer/objective.py. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter

HUBER = {"loss_type": ["huber", "smooth_l1"]}


class Loss(Section):
    """Loss"""

    min_snr_gamma: float | None = parameter(None, "Min-SNR gamma", gt=0, le=1000)
    """Evens out how much easy and hard noise levels count, for a steadier run. 5 is the paper's value; empty is off."""

    zero_terminal_snr_weights: bool = parameter(
        False, "Weights of the zero terminal SNR", advanced=True, shown_when={"zero_terminal_snr": [True]}
    )
    """Min-SNR and the other weights follow the noise levels that zero terminal SNR really trains with. sd-scripts
    weights with the usual ones."""

    loss_type: Literal["l1", "l2", "huber", "smooth_l1"] = parameter("l2", "Loss type", advanced=True)
    """l2 is the usual one. huber and smooth_l1 mind a few bad pictures less."""

    huber_schedule: Literal["constant", "exponential", "snr"] = parameter(
        "snr", "Huber schedule", advanced=True, shown_when=HUBER
    )
    """How the huber threshold depends on the noise level."""

    huber_c: float = parameter(0.1, "Huber threshold", gt=0, le=100, advanced=True, shown_when=HUBER)
    """Errors below it count squared, larger ones straight."""

    huber_scale: float = parameter(1.0, "Huber scale", gt=0, le=100, advanced=True, shown_when=HUBER)
    """Multiplies the threshold (not with the snr schedule)."""

    debiased_estimation_loss: bool = parameter(False, "Debiased estimation", advanced=True)
    """Weights noisy steps more, where layout and colours are decided. Use it in place of min-SNR."""

    scale_v_pred_loss_like_noise_pred: bool = parameter(
        False, "Scale v-loss like noise loss", advanced=True, shown_when={"v_parameterization": [True]}
    )
    """Brings the loss of a v-prediction run to the numbers known from ordinary runs."""

    v_pred_like_loss: float | None = parameter(None, "V-like part of the loss", gt=0, le=100, advanced=True)
    """Adds so much of a velocity loss in an ordinary run: 0 to 1, where 1 is all of it. Empty is off."""
