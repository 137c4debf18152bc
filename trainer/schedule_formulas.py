"""The formulas of learning-rate schedules and the two tables that name them. LIGHT. What uses them is schedules.py.

To add one: a function Setting -> factor and an entry in SCHEDULES (own names) or CLASSES (names of scheduler classes).
Formulas as in kohya-ss/sd-scripts and, for class names, as in torch; both are tested by value.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trainer.arguments import Argument, Value

Factor = Callable[[int], float]  # optimizer step from 0 -> multiplier of the group's rate
POLYNOMIAL_END = 1e-7


class ScheduleError(ValueError):
    """A schedule cannot be made from its options. The text names the cure."""


@dataclass(frozen=True)
class Setting:
    """What a formula may read. Steps are optimizer steps; rates are of one parameter group."""

    total: int
    warmup: int
    decay: int
    cycles: int
    power: float
    timescale: int | None
    min_lr_ratio: float | None
    learning_rate: float  # the run's learning_rate, whatever the group's own
    group_lr: float
    args: Mapping[str, Value]

    def number(self, name: str, default: float = 0.0) -> float:
        """A numeric argument of lr_scheduler_args, or its default."""
        value = self.args.get(name)
        return default if value is None else float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Schedule:
    """One schedule of the table.

    make: Setting -> factor. warmup: lr_warmup_steps has an effect. uses: the parameters it reads, for the form.
    arguments: what lr_scheduler_args may hold.
    """

    name: str
    help: str
    make: Callable[[Setting], Factor]
    warmup: bool = True
    uses: tuple[str, ...] = ()
    arguments: Mapping[str, Argument] = field(default_factory=dict)


def _warmed(setting: Setting, after: Factor) -> Factor:
    """Rise linearly from 0 over the warm-up, then follow `after` (which gets the same step)."""
    return lambda step: step / max(1, setting.warmup) if step < setting.warmup else after(step)


def _progress(setting: Setting, step: int) -> float:
    return (step - setting.warmup) / max(1, setting.total - setting.warmup)


def _wave(halves: float) -> float:
    """1 at 0, 0 at 1 half wave, 1 again at 2."""
    return 0.5 * (1.0 + math.cos(math.pi * halves))


def _constant(setting: Setting) -> Factor:
    return lambda step: 1.0


def _constant_with_warmup(setting: Setting) -> Factor:
    return _warmed(setting, lambda step: 1.0)


def _linear(setting: Setting) -> Factor:
    length = max(1, setting.total - setting.warmup)
    return _warmed(setting, lambda step: max(0.0, (setting.total - step) / length))


def _cosine(setting: Setting) -> Factor:
    waves = setting.number("num_cycles", 0.5)
    return _warmed(setting, lambda step: max(0.0, _wave(2.0 * waves * _progress(setting, step))))


def _cosine_with_restarts(setting: Setting) -> Factor:
    def after(step: int) -> float:
        progress = _progress(setting, step)
        return 0.0 if progress >= 1.0 else max(0.0, _wave(setting.cycles * progress % 1.0))

    return _warmed(setting, after)


def _polynomial(setting: Setting) -> Factor:
    """Towards a rate of 1e-7 of the run's learning_rate; other groups keep their proportion to it."""
    rate = setting.learning_rate
    if rate <= POLYNOMIAL_END:
        raise ScheduleError(f"the polynomial schedule ends at {POLYNOMIAL_END}; learning_rate {rate} must be larger")

    def after(step: int) -> float:
        left = max(0.0, 1.0 - _progress(setting, step))
        return ((rate - POLYNOMIAL_END) * left**setting.power + POLYNOMIAL_END) / rate

    return _warmed(setting, after)


def _inverse_sqrt(setting: Setting) -> Factor:
    timescale = setting.timescale or setting.warmup or 10_000
    return _warmed(setting, lambda step: 1.0 / math.sqrt((step + timescale - setting.warmup) / timescale))


def _rex(setting: Setting) -> Factor:
    """Chen et al. 2021, arXiv:2107.04197: (1 - p) / (1 - p / 2), with restarts as cosine_with_restarts has them."""
    low = setting.min_lr_ratio or 0.0

    def after(step: int) -> float:
        progress = _progress(setting, step)
        left = 0.0 if progress >= 1.0 else 1.0 - setting.cycles * progress % 1.0
        return low + (1.0 - low) * left / (0.5 + 0.5 * left)

    return _warmed(setting, after)


def _cosine_with_min_lr(setting: Setting) -> Factor:
    low, absolute = setting.min_lr_ratio, setting.args.get("min_lr")
    if (low is None) == (absolute is None):
        raise ScheduleError(
            "cosine_with_min_lr needs one of lr_scheduler_min_lr_ratio and min_lr= in lr_scheduler_args"
        )
    if low is None:
        low = setting.number("min_lr") / setting.learning_rate if setting.learning_rate else 0.0
    floor = low
    return _warmed(
        setting, lambda step: max(0.0, _wave(setting.cycles * _progress(setting, step)) * (1 - floor) + floor)
    )


def _warmup_stable_decay(setting: Setting) -> Factor:
    """Flat but for both ends. The warm-up starts at the lowest rate, not at 0."""
    low = setting.min_lr_ratio or 0.0
    stable_end = setting.total - setting.decay
    warmup_type, decay_type = setting.args.get("warmup_type", "linear"), setting.args.get("decay_type", "cosine")
    if warmup_type not in SHAPES or decay_type not in SHAPES:
        raise ScheduleError(
            f"warmup_type and decay_type are one of {', '.join(SHAPES)}, not {warmup_type!r}, {decay_type!r}"
        )

    def factor(step: int) -> float:
        if step < setting.warmup:
            part = step / max(1, setting.warmup)
            rise = {"linear": part, "cosine": 1 - _wave(part), "1-sqrt": 1 - math.sqrt(1 - part)}[str(warmup_type)]
            return rise * (1 - low) + low
        if step < stable_end:
            return 1.0
        if step < setting.total:
            part = (step - stable_end) / max(1, setting.decay)
            fall = {"linear": 1 - part, "cosine": _wave(setting.cycles * part), "1-sqrt": 1 - math.sqrt(part)}[
                str(decay_type)
            ]
            return max(0.0, fall * (1 - low) + low)
        return low

    return factor


SHAPES = ("linear", "cosine", "1-sqrt")


def _piecewise_constant(setting: Setting) -> Factor:
    rules = setting.args.get("step_rules")
    try:
        *parts, last = [part.strip() for part in str(rules).split(",")]
        final = float(last)
        bounds = sorted((int(until), float(value)) for value, until in (part.split(":") for part in parts))
    except ValueError:
        raise ScheduleError(
            f"piecewise_constant needs step_rules in lr_scheduler_args, such as step_rules=1:10,0.1:20,0.01 "
            f"(rate until step, ..., last rate); got {rules!r}"
        ) from None
    return lambda step: next((value for until, value in bounds if step < until), final)


def _absolute(setting: Setting, rate_at: Callable[[int], float]) -> Factor:
    """A factor from a formula that gives the rate itself."""
    return lambda step: rate_at(step) / setting.group_lr if setting.group_lr else 0.0


def _cosine_annealing(setting: Setting) -> Factor:
    period, low = setting.number("T_max", setting.total), setting.number("eta_min")
    return _absolute(setting, lambda step: low + (setting.group_lr - low) * _wave(step / period))


def _cosine_warm_restarts(setting: Setting) -> Factor:
    first, growth, low = (
        int(setting.number("T_0", setting.total)),
        int(setting.number("T_mult", 1)),
        setting.number("eta_min"),
    )

    def rate_at(step: int) -> float:
        length = first
        while step >= length:
            step, length = step - length, length * growth
        return low + (setting.group_lr - low) * _wave(step / length)

    return _absolute(setting, rate_at)


def _step_lr(setting: Setting) -> Factor:
    size, gamma = int(setting.number("step_size", max(1, setting.total // 3))), setting.number("gamma", 0.1)
    return lambda step: gamma ** (step // size)


def _multi_step(setting: Setting) -> Factor:
    milestones = setting.args.get("milestones")
    if not isinstance(milestones, tuple):
        raise ScheduleError("MultiStepLR needs milestones in lr_scheduler_args, such as milestones=500,800")
    marks, gamma = sorted(int(mark) for mark in milestones), setting.number("gamma", 0.1)  # type: ignore[arg-type]
    return lambda step: gamma ** bisect_right(marks, step)


def _exponential(setting: Setting) -> Factor:
    gamma = setting.number("gamma", 0.999)
    return lambda step: gamma**step


def _constant_then_full(setting: Setting) -> Factor:
    part, steps = setting.number("factor", 1 / 3), setting.number("total_iters", 5)
    return lambda step: part if step < steps else 1.0


def _linear_between(setting: Setting) -> Factor:
    start, end = setting.number("start_factor", 1 / 3), setting.number("end_factor", 1.0)
    steps = max(1.0, setting.number("total_iters", 5))
    return lambda step: start + (end - start) * min(1.0, step / steps)


def _polynomial_to_zero(setting: Setting) -> Factor:
    steps, power = max(1.0, setting.number("total_iters", 5)), setting.number("power", 1.0)
    return lambda step: (1.0 - min(1.0, step / steps)) ** power


def _warmup_restarts(setting: Setting) -> Factor:
    """Cycles of a linear rise and a cosine fall between min_lr and max_lr; each peak is gamma times the last."""
    first, growth = setting.number("first_cycle_steps", setting.total), setting.number("cycle_mult", 1.0)
    peak, low = setting.number("max_lr", setting.group_lr), setting.number("min_lr")
    warmup, gamma = setting.number("warmup_steps"), setting.number("gamma", 1.0)
    if not 0 <= warmup < first or growth <= 0:
        raise ScheduleError(
            f"CosineAnnealingWarmupRestarts: warmup_steps {warmup:g} must be smaller than first_cycle_steps {first:g}, "
            f"and cycle_mult {growth:g} above 0"
        )

    def rate_at(step: int) -> float:
        length, top = int(first), peak
        while step >= length:
            step, length, top = step - length, max(1, int((length - warmup) * growth)) + int(warmup), top * gamma
        if step < warmup:
            return low + (top - low) * step / warmup
        return low + (top - low) * _wave((step - warmup) / (length - warmup))

    return _absolute(setting, rate_at)


def _warmup_restarts_falling(setting: Setting) -> Factor:
    """Cosine cycles of T_0 steps between the rate and down_factor of it, a slow loss of height, soft restarts.

    The variant that Russian LoRA guides install under the same class name. w = warmup_steps: one linear rise from 0
    before the first cycle. cycle_warmup: steps of each later cycle in which the rate climbs back from down_factor.
    gamma_min_lr: what the rate is multiplied with at every step after w; decay: the same at every restart.
    """
    number = setting.number
    length, growth, warmup = int(number("T_0", setting.total)), number("T_mult", 1), int(number("warmup_steps", 1))
    climb, down, gamma, decay = (
        int(number("cycle_warmup")),
        number("down_factor", 1),
        number("gamma_min_lr", 1),
        number("decay", 1),
    )
    if length <= climb or warmup < 1 or growth <= 0:
        raise ScheduleError(
            f"CosineAnnealingWarmupRestarts: T_0 {length} must be larger than cycle_warmup {climb}, "
            "and T_mult and warmup_steps above 0"
        )
    every = max(1, int(number("gamma_lr_update_freq", 1)))
    values = [0.0]
    state = {"place": -1, "height": 1.0, "cycle": 0, "length": length, "climb": climb, "head": climb}

    def advance(step: int) -> float:
        first = state["cycle"] == 0
        if not first:
            state["head"] = 0
        if state["place"] + 1 == state["length"]:
            state["height"] *= decay
            state["cycle"] += 1
        if step - 1 > warmup:
            state["place"] += 1
            state["height"] *= gamma if state["length"] % every == 0 else 1.0
        if state["place"] >= state["length"]:
            state["place"] -= state["length"]
            state["length"] = int((state["length"] - state["climb"]) * growth) + state["climb"]
            state["climb"] = math.floor(state["climb"] * growth)
        height, low = state["height"], state["height"] * down
        if state["place"] < state["climb"] and state["cycle"] > 0:
            return low * state["place"] / state["climb"] + low
        offset = state["head"] - state["climb"]
        fall = _wave((state["place"] + offset) / (state["length"] + offset))
        return min(step, warmup) / warmup * (low + (height - low) * fall)

    def factor(step: int) -> float:
        while len(values) <= step:
            values.append(advance(len(values)))
        return values[step]

    return factor


def _arguments(*arguments: Argument) -> dict[str, Argument]:
    return {argument.name: argument for argument in arguments}


_ETA_MIN = Argument("eta_min", "float", 0.0, "the lowest rate, an absolute number such as 1e-6")
_GAMMA = Argument("gamma", "float", 0.1, "what the rate is multiplied with each time")
_ITERS = Argument("total_iters", "int", 5, "steps until the end value is reached")

SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", "The rate never changes.", _constant, warmup=False),
        Schedule("constant_with_warmup", "Rises once, then never changes.", _constant_with_warmup),
        Schedule("linear", "Falls in a straight line to 0.", _linear),
        Schedule(
            "cosine", "Falls to 0 in half a wave: slowly, fast, slowly.", _cosine,
            arguments=_arguments(Argument("num_cycles", "float", 0.5, "waves over the run; 0.5 falls once to 0")),
        ),
        Schedule(
            "cosine_with_restarts", "Falls to 0 and starts again from the full rate, several times.",
            _cosine_with_restarts, uses=("lr_scheduler_num_cycles",),
        ),
        Schedule(
            "polynomial", "Falls to nearly 0 along a power curve; power 1 is a straight line.", _polynomial,
            uses=("lr_scheduler_power",),
        ),
        Schedule(
            "inverse_sqrt", "Falls fast at first, then ever more slowly, never to 0.", _inverse_sqrt,
            uses=("lr_scheduler_timescale",),
        ),
        Schedule(
            "rex", "Stays high for long and falls fast at the end.", _rex,
            uses=("lr_scheduler_num_cycles", "lr_scheduler_min_lr_ratio"),
        ),
        Schedule(
            "cosine_with_min_lr", "Falls like cosine, but not below a lowest rate.", _cosine_with_min_lr,
            uses=("lr_scheduler_num_cycles", "lr_scheduler_min_lr_ratio"),
            arguments=_arguments(Argument("min_lr", "float", None, "the lowest rate, an absolute number such as 1e-5")),
        ),
        Schedule(
            "warmup_stable_decay", "Rises, stays at the full rate, falls only at the end.", _warmup_stable_decay,
            uses=("lr_decay_steps", "lr_scheduler_num_cycles", "lr_scheduler_min_lr_ratio"),
            arguments=_arguments(
                Argument("warmup_type", "text", "linear", "linear, cosine or 1-sqrt"),
                Argument("decay_type", "text", "cosine", "linear, cosine or 1-sqrt"),
            ),
        ),
        Schedule(
            "piecewise_constant", "Steps of your own.", _piecewise_constant, warmup=False,
            arguments=_arguments(
                Argument("step_rules", "text", None, "such as 1:10,0.1:20,0.01: factor until step, ..., last factor")
            ),
        ),
    )
}  # fmt: skip

ADAFACTOR = Schedule("adafactor", "AdaFactor finds the rate itself.", _constant, warmup=False)
REFUSED = {  # names that sd-scripts knows and then fails with
    "reduce_lr_on_plateau": "it needs a loss to watch; choose cosine or warmup_stable_decay",
    "cosine_warmup_with_min_lr": "choose cosine_with_min_lr, which warms up too",
}

CLASSES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule(
            "CosineAnnealingWarmupRestarts", "Cycles of a rise and a cosine fall, each lower than the last.",
            _warmup_restarts, warmup=False,
            arguments=_arguments(
                Argument("first_cycle_steps", "int", None, "steps of the first cycle; default the whole run"),
                Argument("cycle_mult", "float", 1.0, "how much longer each next cycle is"),
                Argument("max_lr", "float", None, "the peak for every part; default each part's own rate"),
                Argument("min_lr", "float", 0.0, "the lowest rate, an absolute number"),
                Argument("warmup_steps", "int", 0, "steps of the rise at the start of each cycle"),
                Argument("gamma", "float", 1.0, "height of each next peak, such as 0.8"),
            ),
        ),
        Schedule(
            "CosineAnnealingWarmupRestarts (T_0)", "Cosine cycles with soft restarts and a slow fall.",
            _warmup_restarts_falling, warmup=False,
            arguments=_arguments(
                Argument("T_0", "int", None, "steps of a cycle: the run's steps divided by the cycles you want"),
                Argument("T_mult", "float", 1, "how much longer each next cycle is"),
                Argument("warmup_steps", "int", 1, "steps of the rise at the very start"),
                Argument("cycle_warmup", "int", 0, "steps of the rise after each restart"),
                Argument("gamma_min_lr", "float", 1.0, "factor at every step, such as 0.99915; smaller falls faster"),
                Argument("gamma_lr_update_freq", "int", 1, "gamma_min_lr acts only where this divides the cycle"),
                Argument("decay", "float", 1.0, "factor at every restart"),
                Argument("down_factor", "float", 1.0, "how low a cycle falls, as a part of the rate, such as 0.5"),
                Argument("init_lr_ground", "bool", False, "start at a rate of 0, which is always done here"),
            ),
        ),
        Schedule(
            "CosineAnnealingLR", "A cosine fall and rise over T_max steps each.", _cosine_annealing, warmup=False,
            arguments=_arguments(Argument("T_max", "int", None, "steps of the fall; default the whole run"), _ETA_MIN),
        ),
        Schedule(
            "CosineAnnealingWarmRestarts", "Cosine falls that start again from the full rate.", _cosine_warm_restarts,
            warmup=False,
            arguments=_arguments(
                Argument("T_0", "int", None, "steps of the first fall; default the whole run"),
                Argument("T_mult", "int", 1, "how many times longer each next one is"), _ETA_MIN,
            ),
        ),
        Schedule(
            "StepLR", "Falls by a factor every step_size steps.", _step_lr, warmup=False,
            arguments=_arguments(
                Argument("step_size", "int", None, "steps between falls; default a third of the run"), _GAMMA,
            ),
        ),
        Schedule(
            "MultiStepLR", "Falls by a factor at given steps.", _multi_step, warmup=False,
            arguments=_arguments(Argument("milestones", "ints", None, "the steps, such as 500,800"), _GAMMA),
        ),
        Schedule(
            "ExponentialLR", "Falls by a factor at every step.", _exponential, warmup=False,
            arguments=_arguments(Argument("gamma", "float", 0.999, "the factor, such as 0.999")),
        ),
        Schedule(
            "ConstantLR", "A part of the rate at first, then all of it.", _constant_then_full, warmup=False,
            arguments=_arguments(Argument("factor", "float", 1 / 3, "the part"), _ITERS),
        ),
        Schedule(
            "LinearLR", "A straight line between two parts of the rate.", _linear_between, warmup=False,
            arguments=_arguments(
                Argument("start_factor", "float", 1 / 3, "the part at step 0"),
                Argument("end_factor", "float", 1.0, "the part at the end"), _ITERS,
            ),
        ),
        Schedule(
            "PolynomialLR", "Falls to 0 along a power curve.", _polynomial_to_zero, warmup=False,
            arguments=_arguments(_ITERS, Argument("power", "float", 1.0, "1 is a straight line")),
        ),
    )
}  # fmt: skip
