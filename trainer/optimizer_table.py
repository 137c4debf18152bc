"""The table of optimizers: what each is called, which arguments it takes. LIGHT. What uses it is optimizers.py.

To add one: an entry here. tests/trainer/test_optimizers.py runs every entry with a state_dict round trip.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trainer.arguments import Argument, ArgumentError, Value, parse_arguments


class OptimizerError(ValueError):
    """An optimizer is unknown, not installed or wrongly set up. The text names the cure."""


@dataclass(frozen=True)
class Optimizer:
    """One optimizer of the table.

    package: what must be installed (its import name), install: what pip calls it. defined_in: the module that defines
    the class, as written to a LoRA's metadata. always: passed whatever the user sets. filled: passed unless set.
    adaptive: finds the rate itself; rates are then factors around 1. one_rate: its library refuses different rates.
    schedule_free: has no schedule and must be told train() and eval(). clips: shortens updates itself.
    instead: what to choose where it cannot run.
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
    one_rate: bool = False
    schedule_free: bool = False
    clips: bool = False
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


def _arguments(*arguments: Argument) -> dict[str, Argument]:
    return {argument.name: argument for argument in arguments}


def _betas(*default: float) -> Argument:
    return Argument("betas", "floats", default, "how long gradients and their squares are remembered, such as 0.9,0.99",
                    low=0, below=1)  # fmt: skip


def _decay(default: float) -> Argument:
    return Argument("weight_decay", "float", default, "pulls weights towards 0; 0.01 to 0.1")


def _eps(default: float) -> Argument:
    return Argument("eps", "float", default, "keeps divisions from exploding; leave it")


_MOMENTUM = Argument("momentum", "float", 0.9, "how much of the last step is kept")
_NO_MOMENTUM = Argument("momentum", "float", 0.0, "how much of the last step is kept")
_DAMPENING = Argument("dampening", "float", 0.0, "damps the momentum")
_NO_DAMPENING = Argument("dampening", "float", 0.0, "Nesterov's momentum is never damped", low=0, high=0)
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
_DECOUPLED = Argument("decoupled_weight_decay", "bool", False, "weight decay as in AdamW")
_WEIGHT_DECOUPLE = Argument("weight_decouple", "bool", False, "weight decay as in AdamW")
_WEIGHT_DECOUPLED = Argument("weight_decouple", "bool", True, "weight decay as in AdamW")
_FIXED_DECAY = Argument("fixed_decay", "bool", False, "weight decay that does not depend on the rate")
_NO_PROX = Argument("no_prox", "bool", False, "weight decay as in AdamW")

_ADAM_PAGED = _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.01))
_ADAM_8BIT = {**_ADAM_PAGED, **_arguments(_MIN_8BIT)}
_ADEMAMIX = _arguments(
    _betas(0.9, 0.999, 0.9999), _eps(1e-8), _decay(0.01),
    Argument("alpha", "float", 5.0, "weight of the slow memory"),
    Argument("t_alpha", "int", None, "steps over which alpha rises; the length of the run is usual", optional=True),
    Argument("t_beta3", "int", None, "steps over which the slow memory grows; as t_alpha", optional=True),
)  # fmt: skip
_ADEMAMIX_8BIT = {**_ADEMAMIX, **_arguments(_MIN_8BIT)}
_LION_8BIT = _arguments(_betas(0.9, 0.99), _decay(0.0), _MIN_8BIT)


def _bitsandbytes(
    name: str, module: str, help: str, arguments: Mapping[str, Argument], instead: str = "AdamW"
) -> Optimizer:
    return Optimizer(name, "bitsandbytes", name, f"bitsandbytes.optim.{module}", help, arguments, instead=instead)


def _dadapt(name: str, module: str, help: str, arguments: Mapping[str, Argument]) -> Optimizer:
    return Optimizer(
        name, "dadaptation", name, f"dadaptation.{module}", help, arguments, adaptive=True, one_rate=True,
        instead="Prodigy",
    )  # fmt: skip


def _torch(name: str, module: str, help: str, *arguments: Argument) -> Optimizer:
    return Optimizer(name, "torch", name, f"torch.optim.{module}", help, _arguments(*arguments, _FOREACH))


def _collected(name: str, module: str, help: str, *arguments: Argument, clips: bool = False) -> Optimizer:
    where = f"pytorch_optimizer.optimizer.{module}"
    return Optimizer(
        name, "pytorch_optimizer", name, where, help, _arguments(*arguments), install="pytorch-optimizer", clips=clips
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
        "Remembers less than AdamW; wants a rate 10 to 15 times lower.",
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
        adaptive=True, one_rate=True,
    ),
    _bitsandbytes(
        "PagedAdamW8bit", "adamw", "AdamW8bit whose state moves to main memory when the card is full.", _ADAM_8BIT,
        "AdamW8bit",
    ),
    _bitsandbytes("PagedAdamW", "adamw", "AdamW whose state moves to main memory when the card is full.", _ADAM_PAGED),
    _bitsandbytes("PagedAdamW32bit", "adamw", "The same in 32 bits.", _ADAM_PAGED),
    _bitsandbytes("Lion8bit", "lion", "Lion with an eighth of AdamW's memory.", _LION_8BIT, "Lion"),
    _bitsandbytes(
        "PagedLion8bit", "lion", "Lion8bit whose state moves to main memory when the card is full.", _LION_8BIT, "Lion",
    ),
    Optimizer(
        "SGDNesterov", "torch", "SGD", "torch.optim.sgd",
        "Plain gradient descent with momentum; wants much higher rates.",
        _arguments(_MOMENTUM, _NO_DAMPENING, _decay(0.0), _FOREACH, _FUSED),
        always={"nesterov": True}, filled={"momentum": 0.9},
    ),
    Optimizer(
        "SGDNesterov8bit", "bitsandbytes", "SGD8bit", "bitsandbytes.optim.sgd", "The same with 8-bit state.",
        _arguments(_MOMENTUM, _NO_DAMPENING, _decay(0.0), _MIN_8BIT),
        always={"nesterov": True}, filled={"momentum": 0.9},
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
        filled={"relative_step": True}, clips=True,
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
    Optimizer(
        "ProdigyPlusScheduleFree", "prodigyplus", "ProdigyPlusScheduleFree", "prodigyplus.prodigy_plus_schedulefree",
        "Prodigy without a schedule and with less memory; set all rates to 1 and gradient clipping to 0.",
        _arguments(
            _betas(0.9, 0.99),
            Argument("beta3", "float", None, "memory of the rate's estimate; default from betas", optional=True),
            Argument("eps", "float", 1e-8, "None: a form of Adam that needs none", optional=True), _decay(0.0),
            Argument("weight_decay_by_lr", "bool", True, "weight decay in proportion to the rate"), _D0,
            Argument("d_coef", "float", 1.0, "scales the rate it finds; 0.5 to 2"),
            Argument("d_limiter", "bool", True, "the rate it finds grows slowly at first"),
            Argument("prodigy_steps", "int", 0, "keep the rate found after so many steps; 0 is never"),
            Argument("schedulefree_c", "float", 0, "strength of the average; 6 to 12 for short runs; 0: as published"),
            Argument("split_groups", "bool", True, "find a rate for each part"),
            Argument("split_groups_mean", "bool", False, "then use the mean of those for all"),
            Argument("factored", "bool", True, "less memory, slightly less exact"),
            Argument("factored_fp32", "bool", True, "keep that memory in full precision"), _BIAS,
            Argument("use_stableadamw", "bool", True, "shortens updates that are too large"),
            Argument("use_schedulefree", "bool", True, "False: without the average; the rate still has no schedule"),
            Argument("use_speed", "bool", False, "another way to find the rate; an experiment"),
            Argument("stochastic_rounding", "bool", True, "for weights kept in bf16: round up or down by chance"),
            Argument("use_cautious", "bool", False, "skip updates that point away from the gradient"),
            Argument("use_grams", "bool", False, "take the signs from the gradient"),
            Argument("use_adopt", "bool", False, "remember a gradient only after it was used"),
            Argument("use_orthograd", "bool", False, "leave out the part of the gradient along the weights"),
            Argument("use_focus", "bool", False, "for noise at large steps; not with factored"),
        ),
        install="prodigy-plus-schedule-free", adaptive=True, schedule_free=True, clips=True, instead="Prodigy",
    ),
    _collected(
        "CAME", "came", "Little memory like AdaFactor, steadier; wants a rate about 3 times lower than AdamW.",
        _betas(0.9, 0.999, 0.9999), _decay(0.0), _WEIGHT_DECOUPLED, _FIXED_DECAY,
        Argument("clip_threshold", "float", 1.0, "limit of an update's size"),
        Argument("ams_bound", "bool", False, "a variant that never forgets the largest gradient"),
        Argument("eps1", "float", 1e-30, "keeps divisions from exploding; leave it"),
        Argument("eps2", "float", 1e-16, "the same for the second estimate; leave it"), clips=True,
    ),
    _bitsandbytes("AdEMAMix", "ademamix", "AdamW with a second, slow memory; for long runs.", _ADEMAMIX),
    _bitsandbytes("AdEMAMix8bit", "ademamix", "The same with 8-bit state.", _ADEMAMIX_8BIT),
    _bitsandbytes(
        "PagedAdEMAMix8bit", "ademamix", "AdEMAMix8bit whose state moves to main memory when the card is full.",
        _ADEMAMIX_8BIT, "AdEMAMix8bit",
    ),
    _collected(
        "StableAdamW", "adamw", "AdamW that shortens updates which are too large.",
        _betas(0.9, 0.99), _eps(1e-8), _decay(0.01), _WEIGHT_DECOUPLED,
        Argument("kahan_sum", "bool", True, "for weights kept in bf16: keep what rounding loses"), clips=True,
    ),
    _collected(
        "Adan", "adan", "Adam that looks at how the gradient changes.",
        _betas(0.98, 0.92, 0.99), _eps(1e-8), _decay(0.0), _WEIGHT_DECOUPLE,
        Argument("max_grad_norm", "float", 0.0, "gradient clipping of its own; 0 is off"),
    ),
    _collected(
        "ADOPT", "adopt", "Adam that also settles with a badly chosen beta2.",
        _betas(0.9, 0.9999), _eps(1e-6), _decay(0.0), _WEIGHT_DECOUPLE, _FIXED_DECAY,
    ),
    _collected(
        "Tiger", "tiger", "Lion with one memory.",
        Argument("beta", "float", 0.965, "how long gradients are remembered"),
        _decay(0.01), _WEIGHT_DECOUPLED, _FIXED_DECAY,
    ),
    _bitsandbytes(
        "Adam8bit", "adam", "Adam with 8-bit state.",
        _arguments(_betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _MIN_8BIT), "Adam",
    ),
    _torch("Adam", "adam", "AdamW before its weight decay was mended.",
           _betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _AMSGRAD, _DECOUPLED, _FUSED),
    _torch("NAdam", "nadam", "Adam with Nesterov's momentum.", _betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _DECOUPLED,
           Argument("momentum_decay", "float", 0.004, "how the momentum falls")),
    _torch("RAdam", "radam", "Adam that warms up by itself.", _betas(0.9, 0.999), _eps(1e-8), _decay(0.0), _DECOUPLED),
    _torch("Adamax", "adamax", "Adam by the largest gradient.", _betas(0.9, 0.999), _eps(1e-8), _decay(0.0)),
    _torch("RMSprop", "rmsprop", "Adam without momentum.", Argument("alpha", "float", 0.99, "memory of the squares"),
           _eps(1e-8), _decay(0.0), _NO_MOMENTUM, Argument("centered", "bool", False, "subtract the mean")),
    _torch("Adagrad", "adagrad", "Steps that only get smaller.", Argument("lr_decay", "float", 0.0, "fall of the rate"),
           _decay(0.0), Argument("initial_accumulator_value", "float", 0.0, "start of the sum of squares"), _eps(1e-10),
           _FUSED),
    _torch("Adadelta", "adadelta", "Adagrad that forgets; wants a rate near 1.",
           Argument("rho", "float", 0.9, "memory of the squares"), _eps(1e-6), _decay(0.0)),
    _torch("SGD", "sgd", "Plain gradient descent.", _NO_MOMENTUM, _DAMPENING, _decay(0.0),
           Argument("nesterov", "bool", False, "look ahead; needs momentum"), _FUSED),
    _torch("ASGD", "asgd", "Gradient descent whose rate falls.",
           Argument("lambd", "float", 1e-4, "fall of the weights"),
           Argument("alpha", "float", 0.75, "fall of the rate"), _decay(0.0)),
    _torch("Rprop", "rprop", "Looks at signs only; for whole data sets in one batch.",
           Argument("etas", "floats", (0.5, 1.2), "factors when a sign changes and when not"),
           Argument("step_sizes", "floats", (1e-6, 50), "smallest and largest step")),
)  # fmt: skip

OPTIMIZERS: dict[str, Optimizer] = {optimizer.name: optimizer for optimizer in _ALL}
