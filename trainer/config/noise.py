"""[noise]: the noise that the model learns to remove. Formulas: trainer/objective.py. LIGHT."""

from __future__ import annotations

from trainer.config.fields import Section, parameter


class Noise(Section):
    """Noise"""

    noise_offset: float | None = parameter(None, "Noise offset", gt=0, le=10)
    """Lets the LoRA make pictures much darker or brighter. 0.03 to 0.1; two LoRAs with it can add up to burnt
    pictures."""

    noise_offset_random_strength: bool = parameter(False, "Random offset strength", advanced=True)
    """Draws the offset between 0 and the value for every batch."""

    adaptive_noise_scale: float | None = parameter(None, "Adaptive offset", advanced=True)
    """Adds so much of each picture's own brightness to the offset. Needs a noise offset."""

    multires_noise_iterations: int | None = parameter(
        None, "Multi-resolution noise: levels", ge=1, le=64, advanced=True
    )
    """Adds coarse noise on so many levels: another way to very dark and bright pictures. 6 to 10; empty is off."""

    multires_noise_discount: float = parameter(0.3, "Multi-resolution noise: discount", ge=0, le=1, advanced=True)
    """How much weaker each coarser level is. 0.1 to 0.3 for small sets, 0.8 for large ones."""

    ip_noise_gamma: float | None = parameter(None, "Input perturbation", gt=0, le=10, advanced=True)
    """Extra noise on the input only, against learning by heart. 0.1 is usual; empty is off."""

    ip_noise_gamma_random_strength: bool = parameter(False, "Random perturbation strength", advanced=True)
    """Draws the perturbation between 0 and the value for every batch."""

    zero_terminal_snr: bool = parameter(False, "Zero terminal SNR", advanced=True)
    """For v-prediction bases that were trained with it: the last step is pure noise."""

    min_timestep: int | None = parameter(None, "First timestep", ge=0, le=999, advanced=True)
    """Train only on noise levels from here. Low numbers are fine detail, high ones layout. Empty: 0."""

    max_timestep: int | None = parameter(None, "Last timestep", ge=1, le=1000, advanced=True)
    """Train only on noise levels below this one. Empty: 1000."""
