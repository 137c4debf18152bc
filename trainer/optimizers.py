"""The table of optimizers: what each is, which arguments it takes, how it is made. LIGHT: heavy imports in build().

Names are those of kohya-ss/sd-scripts, in any case. A name outside the table is refused: nothing is imported by name
from a config. Every entry has been run with a state_dict round trip in tests/trainer/test_optimizers.py.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainer.arguments import Argument, ArgumentError, Value, parse_arguments, suggestion

if TYPE_CHECKING:
    import torch

ADAPTIVE_RATE = 0.1  # below it, an optimizer that finds its rate itself is nearly always set up by mistake


class OptimizerError(ValueError):
    """An optimizer is unknown, not installed or wrongly set up. The text names the cure."""


@dataclass(frozen=True)
class Optimizer:
    """One optimizer of the table.

    package: what must be installed (its import name), install: what pip calls it. defined_in: the module that defines
    the class, as written to a LoRA's metadata. always: passed whatever the user sets. filled: passed unless set.
    adaptive: finds the rate itself; rates are then factors around 1 and must be equal for all parts.
    schedule_free: has no schedule and must be told train() and eval(). instead: what to choose where it cannot run.
    """

    name: str
    package: str
    class_name: str
    defined_in: str
    help: str
    arguments: Mapping[str, Argument]
    install: str = ""
    always: Mapping[str, Value] = field(default_factory=dict)
    filled: Mapping[str, Value] = field(default_factory=dict)
    adaptive: bool = False
    schedule_free: bool = False
    instead: str = "AdamW"

    def availability(self) -> str | None:
        """None when it is installed, else why not and what to do. Imports nothing."""
        if importlib.util.find_spec(self.package) is not None:
            return None
        return (
            f"{self.name} needs the package {self.install or self.package}, which is not installed; "
            f"choose {self.instead}, or install it: pip install {self.install or self.package}"
        )

    def parse_args(self, texts: Iterable[str]) -> dict[str, Value]:
        """optimizer_args -> arguments, in the given order. Raises OptimizerError naming the wrong one."""
        try:
            return parse_arguments(texts, self.arguments, f"optimizer {self.name}")
        except ArgumentError as error:
            raise OptimizerError(f"optimizer_args: {error}") from error

    def decides_rate(self, texts: Iterable[str]) -> bool:
        """Whether the learning rates are not used at all: AdaFactor in its relative mode."""
        if self.name != "AdaFactor":
            return False
        args = {**self.filled, **self.parse_args(texts)}
        return bool(args["relative_step"] or args.get("warmup_init"))


def find(name: str) -> Optimizer:
    """The optimizer called `name`, in any case; empty is AdamW; dotted class paths of known classes are understood.

    Raises OptimizerError with the nearest known name.
    """
    wanted = name.strip() or "AdamW"
    short = wanted.rpartition(".")[2].lower()
    for optimizer in OPTIMIZERS.values():
        if short == optimizer.name.lower() or ("." in wanted and short == optimizer.class_name.lower()):
            return optimizer
    if short == "dadaptation":
        return OPTIMIZERS["DAdaptAdamPreprint"]
    raise OptimizerError(f"optimizer_type {name!r} is unknown; {suggestion(short, OPTIMIZERS)}")


def rate_notes(optimizer: Optimizer, rates: Mapping[str, float]) -> list[str]:
    """What is suspicious about the groups' rates for this optimizer."""
    if optimizer.adaptive and rates and max(rates.values()) <= ADAPTIVE_RATE:
        return [
            f"{optimizer.name} finds the learning rate itself; the rates are factors around 1 for it, "
            f"but the highest is {max(rates.values()):g}; set learning_rate, unet_lr and text_encoder_lr to 1"
        ]
    return []


def check_rates(optimizer: Optimizer, rates: Mapping[str, float]) -> None:
    """Raise OptimizerError when an adaptive optimizer gets different rates, which its library refuses mid-run."""
    different = sorted({rate for rate in rates.values() if rate})
    if optimizer.adaptive and len(different) > 1:
        given = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
        raise OptimizerError(
            f"{optimizer.name} needs one rate for every part, but got {given}; "
            "leave unet_lr and text_encoder_lr empty and set learning_rate = 1"
        )


def build(name: str, groups: Sequence[Mapping[str, Any]], lr: float, args: Iterable[str] = ()) -> torch.optim.Optimizer:
    """Make the optimizer over `groups` ({"params": [...], "lr": rate}); `lr` is for groups without one.

    Extra keys of a group stay in it. A schedule-free one is returned in train mode.
    Raises OptimizerError when it is unknown, not installed, set up wrongly or does not run on this machine.
    """
    optimizer = find(name)
    texts = list(args)
    chosen = optimizer.parse_args(texts)
    missing = optimizer.availability()
    if missing:
        raise OptimizerError(missing)
    own_groups = [dict(group) for group in groups]
    check_rates(
        optimizer, {str(group.get("name", index)): group.get("lr", lr) for index, group in enumerate(own_groups)}
    )
    rate: float | None = lr
    if optimizer.decides_rate(texts):
        rate = None
        for group in own_groups:
            group.pop("lr", None)
        chosen["relative_step"] = True
    options = {**optimizer.filled, **optimizer.always, **chosen}
    if "fused" in optimizer.arguments and not {"fused", "foreach"} & set(chosen):
        options["fused"] = True
    try:
        made = _class(optimizer)(own_groups, lr=rate, **options)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise OptimizerError(
            f"{optimizer.name} does not run on this machine ({error}); choose {optimizer.instead}"
        ) from error
    if optimizer.schedule_free:
        made.train()
    return made


def metadata_string(name: str, args: Iterable[str] = ()) -> str:
    """How sd-scripts records it in ss_optimizer: torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))."""
    optimizer = find(name)
    chosen = optimizer.parse_args(args)
    told = {**chosen, **{key: value for key, value in optimizer.filled.items() if key not in chosen}}
    listed = ",".join(f"{key}={value}" for key, value in told.items())
    return f"{optimizer.defined_in}.{optimizer.class_name}" + (f"({listed})" if listed else "")


def _class(optimizer: Optimizer) -> Any:
    """The class itself. Only the packages written here are ever imported."""
    if optimizer.package == "torch":
        import torch.optim

        return getattr(torch.optim, optimizer.class_name)
    if optimizer.package == "bitsandbytes":
        import bitsandbytes.optim

        return getattr(bitsandbytes.optim, optimizer.class_name)
    if optimizer.package == "lion_pytorch":
        from lion_pytorch import Lion

        return Lion
    if optimizer.package == "prodigyopt":
        from prodigyopt import Prodigy

        return Prodigy
    if optimizer.package == "transformers":
        from transformers.optimization import Adafactor

        return Adafactor
    if optimizer.package == "schedulefree":
        import schedulefree

        return getattr(schedulefree, optimizer.class_name)
    import dadaptation
    import dadaptation.experimental

    source = dadaptation.experimental if "experimental" in optimizer.defined_in else dadaptation
    return getattr(source, optimizer.class_name)


def _arguments(*arguments: Argument) -> dict[str, Argument]:
    return {argument.name: argument for argument in arguments}


def _betas(*default: float) -> Argument:
    return Argument("betas", "floats", default, "how long gradients and their squares are remembered, such as 0.9,0.99")


def _decay(default: float) -> Argument:
    return Argument("weight_decay", "float", default, "pulls weights towards 0; 0.01 to 0.1")


def _eps(default: float) -> Argument:
    return Argument("eps", "float", default, "keeps divisions from exploding; leave it")


_MOMENTUM = Argument("momentum", "float", 0.9, "how much of the last step is kept")
_NO_MOMENTUM = Argument("momentum", "float", 0.0, "how much of the last step is kept")
_DAMPENING = Argument("dampening", "float", 0.0, "damps the momentum; must be 0 here")
_AMSGRAD = Argument("amsgrad", "bool", False, "a variant that never forgets the largest gradient")
_FOREACH = Argument("foreach", "bool", None, "update all weights in one go", optional=True)
_FUSED = Argument("fused", "bool", True, "one fused kernel per step, which is fastest", optional=True)
_MIN_8BIT = Argument("min_8bit_size", "int", 4096, "smaller weights keep 32-bit state")
_D0 = Argument("d0", "float", 1e-6, "first guess of the rate; rarely needs changing")
_GROWTH = Argument(
    "growth_rate", "float", None, "the rate grows at most by this factor a step, such as 1.02; default unlimited"
)
_DECOUPLE = Argument("decouple", "bool", False, "weight decay as in AdamW; guides set True")
_BIAS = Argument("use_bias_correction", "bool", False, "Adam's correction of the first steps")
_LOG_EVERY = Argument("log_every", "int", 0, "print its state every so many steps; 0 is never")
_R = Argument("r", "float", 0.0, "how strongly later steps count in the average")
_LR_POWER = Argument("weight_lr_power", "float", 2.0, "how strongly the rate during warm-up counts in the average")
_WARMUP = Argument("warmup_steps", "int", 0, "steps of its own warm-up")
_NO_PROX = Argument("no_prox", "bool", False, "weight decay as in AdamW")

_ADAM_8BIT = _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.01), _AMSGRAD, _MIN_8BIT)
_LION_8BIT = _arguments(_betas(0.9, 0.99), _decay(0.0), _MIN_8BIT)


def _bitsandbytes(
    name: str, module: str, help: str, arguments: Mapping[str, Argument], instead: str = "AdamW"
) -> Optimizer:
    return Optimizer(name, "bitsandbytes", name, f"bitsandbytes.optim.{module}", help, arguments, instead=instead)


def _dadapt(name: str, module: str, help: str, arguments: Mapping[str, Argument]) -> Optimizer:
    return Optimizer(
        name, "dadaptation", name, f"dadaptation.{module}", help, arguments, adaptive=True, instead="Prodigy"
    )


def _schedule_free(name: str, module: str, help: str, arguments: Mapping[str, Argument]) -> Optimizer:
    return Optimizer(name, "schedulefree", name, f"schedulefree.{module}", help, arguments, schedule_free=True)


_ALL = (
    Optimizer(
        "AdamW", "torch", "AdamW", "torch.optim.adamw", "The usual one, in full precision.",
        _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.01), _AMSGRAD, _FOREACH, _FUSED),
    ),
    _bitsandbytes("AdamW8bit", "adamw", "AdamW with a quarter of its memory, usual on NVIDIA cards.", _ADAM_8BIT),
    Optimizer(
        "Lion", "lion_pytorch", "Lion", "lion_pytorch.lion_pytorch",
        "Remembers less than AdamW; wants a rate 3 to 10 times lower.",
        _arguments(
            _betas(0.9, 0.99), _decay(0.0),
            Argument("decoupled_weight_decay", "bool", False, "weight decay that does not depend on the rate"),
        ),
        install="lion-pytorch",
    ),
    Optimizer(
        "Prodigy", "prodigyopt", "Prodigy", "prodigyopt.prodigy",
        "Finds the rate itself; set all rates to 1. Slower and needs more memory.",
        _arguments(
            _betas(0.9, 0.999),
            Argument("beta3", "float", None, "memory of the rate's estimate; default from betas", optional=True),
            _eps(1e-8), _decay(0.0), Argument("decouple", "bool", True, "weight decay as in AdamW"), _BIAS,
            Argument("safeguard_warmup", "bool", False, "use True together with a warm-up"),
            _D0, Argument("d_coef", "float", 1.0, "scales the rate it finds; 0.5 to 2"), _GROWTH,
            Argument("slice_p", "int", 1, "use every so many weights for the estimate; 11 saves memory"),
        ),
        adaptive=True,
    ),
    _bitsandbytes(
        "PagedAdamW8bit", "adamw", "AdamW8bit whose state moves to main memory when the card is full.", _ADAM_8BIT,
        "AdamW8bit",
    ),
    _bitsandbytes("PagedAdamW", "adamw", "AdamW whose state moves to main memory when the card is full.", _ADAM_8BIT),
    _bitsandbytes("PagedAdamW32bit", "adamw", "The same in 32 bits.", _ADAM_8BIT),
    _bitsandbytes("Lion8bit", "lion", "Lion with an eighth of AdamW's memory.", _LION_8BIT, "Lion"),
    _bitsandbytes(
        "PagedLion8bit", "lion", "Lion8bit whose state moves to main memory when the card is full.", _LION_8BIT, "Lion",
    ),
    Optimizer(
        "SGDNesterov", "torch", "SGD", "torch.optim.sgd",
        "Plain gradient descent with momentum; wants much higher rates.",
        _arguments(_MOMENTUM, _DAMPENING, _decay(0.0), _FOREACH, _FUSED),
        always={"nesterov": True}, filled={"momentum": 0.9},
    ),
    Optimizer(
        "SGDNesterov8bit", "bitsandbytes", "SGD8bit", "bitsandbytes.optim.sgd", "The same with 8-bit state.",
        _arguments(_MOMENTUM, _DAMPENING, _decay(0.0), _MIN_8BIT), always={"nesterov": True}, filled={"momentum": 0.9},
        instead="SGDNesterov",
    ),
    Optimizer(
        "AdaFactor", "transformers", "Adafactor", "transformers.optimization",
        "Very little memory. Finds the rate itself unless relative_step=False.",
        _arguments(
            Argument("eps", "floats", (1e-30, 1e-3), "two small numbers, such as 1e-30,0.001"),
            Argument("clip_threshold", "float", 1.0, "limit of an update's size"),
            Argument("decay_rate", "float", -0.8, "how fast old gradients are forgotten"),
            Argument("beta1", "float", None, "momentum; none saves memory", optional=True), _decay(0.0),
            Argument("scale_parameter", "bool", True, "steps in proportion to the weights"),
            Argument("relative_step", "bool", True, "find the rate; False uses the learning rates"),
            Argument("warmup_init", "bool", False, "a slow start of the rate it finds"),
        ),
        filled={"relative_step": True},
    ),
    _dadapt(
        "DAdaptAdam", "dadapt_adam", "Adam that finds the rate; set all rates to 1, decouple=True weight_decay=0.01.",
        _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _DECOUPLE, _BIAS, _D0, _GROWTH, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptAdaGrad", "dadapt_adagrad", "AdaGrad that finds the rate.",
        _arguments(_NO_MOMENTUM, _eps(1e-6), _decay(0.0), _D0, _GROWTH, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptAdan", "dadapt_adan", "Adan that finds the rate.",
        _arguments(_betas(0.98, 0.92, 0.99), _eps(1e-8), _decay(0.02), _NO_PROX, _D0, _GROWTH, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptLion", "dadapt_lion", "Lion that finds the rate.",
        _arguments(_betas(0.9, 0.99), _decay(0.0), _D0, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptSGD", "dadapt_sgd", "Gradient descent that finds the rate.",
        _arguments(_NO_MOMENTUM, _decay(0.0), _D0, _GROWTH, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptAdamPreprint", "experimental.dadapt_adam_preprint",
        "The first version of DAdaptAdam, also called DAdaptation.",
        _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _DECOUPLE, _D0, _GROWTH, _LOG_EVERY),
    ),
    _dadapt(
        "DAdaptAdanIP", "experimental.dadapt_adan_ip", "A variant of DAdaptAdan.",
        _arguments(_betas(0.98, 0.92, 0.99), _eps(1e-8), _decay(0.02), _NO_PROX, _D0, _GROWTH, _LOG_EVERY),
    ),
    _schedule_free(
        "AdamWScheduleFree", "adamw_schedulefree", "AdamW that needs no schedule.",
        _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _WARMUP, _R, _LR_POWER, _FOREACH),
    ),
    _schedule_free(
        "RAdamScheduleFree", "radam_schedulefree", "RAdam that needs no schedule and no warm-up.",
        _arguments(
            _betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _R, _LR_POWER, _FOREACH,
            Argument("silent_sgd_phase", "bool", True, "skip the first steps instead of plain gradient descent"),
        ),
    ),
    _schedule_free(
        "SGDScheduleFree", "sgd_schedulefree", "Gradient descent that needs no schedule.",
        _arguments(_MOMENTUM, _decay(0.0), _WARMUP, _R, _LR_POWER, _FOREACH),
    ),
)  # fmt: skip

OPTIMIZERS: dict[str, Optimizer] = {optimizer.name: optimizer for optimizer in _ALL}
