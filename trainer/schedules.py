"""How a learning rate moves over a run: read from the [schedule] section, for the loop and for the page's curve. LIGHT.

A schedule is a multiplier of a group's rate at optimizer step 0, 1, ...; no torch scheduler, no state, so a resumed run
needs nothing restored. Steps are optimizer steps whatever the number of GPUs. Formulas: schedule_formulas.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from trainer.arguments import ArgumentError, parse_arguments, suggestion
from trainer.config.schedule import Schedule as ScheduleSection
from trainer.schedule_formulas import ADAFACTOR, CLASSES, REFUSED, SCHEDULES, Factor, Schedule, ScheduleError, Setting

__all__ = [
    "ADAFACTOR",
    "CLASSES",
    "FLAT",
    "SCHEDULES",
    "Factor",
    "Schedule",
    "ScheduleError",
    "build",
    "curve",
    "find",
    "notes",
    "parse_amount",
]


FLAT = ScheduleSection()  # for optimizers that have no schedule


def parse_amount(amount: int | float | str, total: int) -> int:
    """Steps meant by 100, 0.1, "10%", "0.1" of `total`; a part is rounded down.

    As sd-scripts reads lr_warmup_steps; raises ScheduleError for "1.5", "1e2" and the like, which it refuses too.
    """
    if isinstance(amount, str):
        text = amount.strip()
        try:
            if text.endswith("%"):
                return parse_amount(float(text[:-1]) / 100, total)
            number: int | float = int(text) if text.isdecimal() else float(text)
        except ValueError:
            number = math.nan
        if isinstance(number, float) and not 0 <= number < 1:
            raise ScheduleError(f"{amount!r} is neither steps (100), a part of the run (0.1) nor a percentage (10%)")
        amount = number
    return int(amount * total) if isinstance(amount, float) else amount


def find(section: ScheduleSection) -> Schedule:
    """The schedule that the [schedule] section names: by lr_scheduler_type when set, else by lr_scheduler.

    Raises ScheduleError with the nearest known name.
    """
    if section.lr_scheduler_type:
        name = section.lr_scheduler_type.rpartition(".")[2]
        if name not in CLASSES:
            raise ScheduleError(
                f"lr_scheduler_type {section.lr_scheduler_type!r} is unknown; {suggestion(name, CLASSES)}"
            )
        if name == "CosineAnnealingWarmupRestarts" and any(
            text.strip().startswith("T_0") for text in section.lr_scheduler_args
        ):
            return CLASSES["CosineAnnealingWarmupRestarts (T_0)"]
        return CLASSES[name]
    name = section.lr_scheduler.lower()
    if name.partition(":")[0] == "adafactor":
        return ADAFACTOR
    if name in REFUSED:
        raise ScheduleError(f"lr_scheduler {section.lr_scheduler!r} cannot be used: {REFUSED[name]}")
    if name not in SCHEDULES:
        raise ScheduleError(f"lr_scheduler {section.lr_scheduler!r} is unknown; {suggestion(name, SCHEDULES)}")
    return SCHEDULES[name]


def build(section: ScheduleSection, total_steps: int, learning_rate: float, group_lr: float | None = None) -> Factor:
    """The multiplier of a group's rate at each optimizer step from 0.

    learning_rate: the run's; group_lr: the group's own rate (default: the same). Raises ScheduleError.
    """
    schedule = find(section)
    try:
        args = parse_arguments(section.lr_scheduler_args, schedule.arguments, f"schedule {schedule.name}")
    except ArgumentError as error:
        raise ScheduleError(f"lr_scheduler_args: {error}") from error
    setting = Setting(
        total=total_steps,
        warmup=parse_amount(section.lr_warmup_steps, total_steps) if schedule.warmup else 0,
        decay=parse_amount(section.lr_decay_steps, total_steps),
        cycles=section.lr_scheduler_num_cycles,
        power=section.lr_scheduler_power,
        timescale=section.lr_scheduler_timescale,
        min_lr_ratio=section.lr_scheduler_min_lr_ratio,
        learning_rate=learning_rate,
        group_lr=learning_rate if group_lr is None else group_lr,
        args=args,
    )
    return schedule.make(setting)


def notes(section: ScheduleSection) -> list[str]:
    """What the user should know about options that have no effect; sd-scripts refuses the first of these."""
    schedule = find(section)
    found = []
    if section.lr_warmup_steps and not schedule.warmup:
        cure = "; choose constant_with_warmup for a warm-up" if schedule.name == "constant" else ""
        found.append(f"the schedule {schedule.name} has no warm-up, so lr_warmup_steps is not used{cure}")
    return found


def curve(
    section: ScheduleSection, total_steps: int, rates: Mapping[str, float], learning_rate: float, points: int = 400
) -> dict[str, Any]:
    """What the page draws: {"steps": [0, ...], "lr": {group: [rate, ...]}} at about `points` steps, both ends too.

    rates: each group's own rate. Raises ScheduleError.
    """
    last = max(total_steps - 1, 0)
    count = max(min(points, last + 1), 1)
    steps = sorted({round(last * index / max(count - 1, 1)) for index in range(count)})
    lines = {}
    for group, rate in rates.items():
        factor = build(section, total_steps, learning_rate, rate)
        lines[group] = [rate * factor(step) for step in steps]
    return {"steps": steps, "lr": lines}
