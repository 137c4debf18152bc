"""[schedule]: how the learning rate moves over the run. The formulas are in trainer/schedules.py. LIGHT."""

from __future__ import annotations

from trainer.config.fields import Amount, Section, Texts, parameter


class Schedule(Section):
    """Learning rate schedule"""

    lr_scheduler: str = parameter("constant", "Schedule", max_length=60)
    """How the rate falls: cosine_with_restarts and cosine fall smoothly, constant stays. The curve is drawn at the
    right."""

    lr_warmup_steps: Amount = parameter(0, "Warm-up", unit="steps or %")
    """The rate rises from zero over so many steps (100), or a part of the run (10% or 0.1). 5 to 10 % gives a calm
    start. Steps are those of the run, however many cards share it."""

    lr_scheduler_num_cycles: int = parameter(1, "Restarts", ge=1, le=1000)
    """How often cosine_with_restarts and rex start again from the full rate."""

    lr_scheduler_power: float = parameter(1.0, "Power", gt=0, le=100, advanced=True)
    """Shape of the polynomial schedule. 1 is a straight line; above 1 the rate falls early, below 1 it stays high and
    falls at the end."""

    lr_decay_steps: Amount = parameter(0, "Decay", advanced=True, unit="steps or %")
    """How long warmup_stable_decay falls at the end, as steps or a part of the run."""

    lr_scheduler_timescale: int | None = parameter(None, "Time scale", ge=1, advanced=True, unit="steps")
    """For inverse_sqrt: how slowly the rate falls. Empty: the warm-up steps, or 10000."""

    lr_scheduler_min_lr_ratio: float | None = parameter(None, "Lowest rate", ge=0, le=1, advanced=True)
    """For cosine_with_min_lr, rex and warmup_stable_decay: the rate never falls below this part of the full one."""

    lr_scheduler_type: str = parameter("", "Schedule class", max_length=120, advanced=True)
    """A named schedule in place of the one above, such as CosineAnnealingWarmupRestarts or CosineAnnealingLR."""

    lr_scheduler_args: Texts = parameter((), "Schedule arguments", advanced=True)
    """Further settings of the schedule: fields of their own on the page, a list of name=value in a file. Such as
    num_cycles=0.5 or first_cycle_steps=500. Which there are depends on the schedule."""
