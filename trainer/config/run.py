"""[run]: how long, in which portions, with which seed. LIGHT."""

from __future__ import annotations

from trainer.config.fields import Section, parameter


class Run(Section):
    """Training"""

    max_train_epochs: int | None = parameter(None, "Epochs", ge=1, le=100000, unit="epochs")
    """How often the whole data set is gone through. Epochs x repeats x pictures / batch size = steps. Overrides the
    steps below."""

    max_train_steps: int = parameter(1600, "Steps", ge=1, le=100_000_000, unit="steps")
    """Length of the run in steps when no epochs are given. Guides count picture views, before they are divided by the
    batch: 1500 to 3000 for an anime character, up to 7000 for a difficult one, 5000 and more for a real person, 8000 to
    12000 for a style, 1500 to 6000 for SDXL at a low rank."""

    gradient_accumulation_steps: int = parameter(1, "Gradient accumulation", ge=1, le=10000, advanced=True)
    """Adds up so many batches before one step: the effect of a larger batch without its memory."""

    seed: int | None = parameter(None, "Seed", ge=0, le=2**63 - 1)
    """The same seed and settings give the same LoRA. Empty: a random one, which is written into the file."""

    max_nan_steps: int = parameter(20, "Bad steps in a row", ge=1, le=100000, advanced=True)
    """A step whose loss or gradient is not a number is left out. After so many in a row the run ends; the weights from
    before them are kept as a state."""

    max_data_loader_n_workers: int = parameter(8, "Picture readers", ge=0, le=64, advanced=True)
    """Threads that read and resize pictures ahead when latents are not cached; never more than the processor has cores.
    2 is enough; 0 reads in the training thread."""

    persistent_data_loader_workers: bool = parameter(False, "Keep readers alive", advanced=True)
    """Readers here are threads, which cost nothing to begin anew; kept so that old files load."""
