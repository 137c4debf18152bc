"""[sample]: preview pictures during training. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter

Sampler = Literal[
    "ddim", "pndm", "lms", "euler", "euler_a", "heun", "dpm_2", "dpm_2_a", "dpmsolver", "dpmsolver++", "dpmsingle",
    "k_lms", "k_euler", "k_euler_a", "k_dpm_2", "k_dpm_2_a",
]  # fmt: skip


class Sample(Section):
    """Previews"""

    sample_prompts: str | None = parameter(None, "Preview prompts", role="prompts")
    """A .txt file with one prompt a line, or the prompts themselves, one a line. Behind a prompt: --n negative --w
    512 --h 768 --d seed --l scale --s steps. SDXL wants about 1024 px: --w 832 --h 1216."""

    sample_every_n_epochs: int | None = parameter(None, "Preview every … epochs", ge=1, unit="epochs")
    """Previews decide which epoch is best, not the loss."""

    sample_every_n_steps: int | None = parameter(None, "Preview every … steps", ge=1, unit="steps", advanced=True)
    """Not used when epochs are given above."""

    sample_at_first: bool = parameter(False, "Preview before training", advanced=True)
    """Shows what the base model makes of the prompts, for comparison."""

    sample_sampler: Sampler = parameter("ddim", "Sampler", advanced=True)
    """Sampler of the previews where a prompt names none."""
