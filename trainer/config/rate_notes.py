"""Learning rates that are nearly always a mistake, told with the usual ones. LIGHT.

Which rates are usual depends on the optimizer, on the base model's family, and on how much alpha damps the network.
The numbers are those of the guides that people follow: AdamW8bit 1e-4 for SD 1.5 and 4e-4 to 8e-4 for SDXL, ten times
as much with alpha 1 of dim 64, Lion 10 to 15 times less, 0.5 to 2 where the optimizer finds the rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainer.config.optimizer import Optimizer as OptimizerSection
from trainer.config.problems import Note
from trainer.config.rates import trained_rates

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.optimizers import Optimizer

DEFAULT_RATE = OptimizerSection.model_fields["learning_rate"].default
TOO_HIGH = "{name} {value} is high for {optimizer}: usual is {usual}; pictures are likely to burn"
TOO_LOW = "{name} {value} is low for {optimizer}: usual is {usual}; the LoRA will hardly learn"
ONLY_DEFAULT = (
    "learning_rate {value} is what sd-scripts takes where no rate is given, and a LoRA hardly learns with it; usual "
    "for {optimizer} is {usual}"
)
NO_FACTOR = (
    "{optimizer} finds the learning rate itself; its rates are factors, 1 as a rule and 0.5 to 2 at most, but {name} "
    "is {value}; set all rates to 1"
)
TEXT_ABOVE_UNET = (
    "text_encoder_lr {value} is above the U-Net's rate {unet}; usual is a third to a half of it, as the text encoder "
    "burns first"
)
NOT_USED = "learning_rate {value} is not used: every part that is trained has a rate of its own, {rates}"


@dataclass(frozen=True)
class Usual:
    """Which rates make sense for an optimizer. low, high: outside of them they are nearly always a mistake, for a
    network at full strength (alpha as large as dim). words: the usual ones. start: one to begin with."""

    low: float
    high: float
    words: str
    start: float


ADAM = Usual(1e-5, 2e-3, "1e-4 for SD 1.5, 1e-4 to 8e-4 for SDXL", 1e-4)
LION = Usual(5e-7, 5e-5, "10 to 15 times less than for AdamW, 2e-6 to 1e-5", 1e-5)
CAME = Usual(3e-6, 1e-3, "about a third of AdamW's, 3e-5 to 2e-4", 3e-5)
AVERAGED = Usual(1e-5, 1e-2, "1 to 10 times AdamW's, 1e-4 to 1e-3", 3e-4)
FACTOR = Usual(0.5, 2.0, "1", 1.0)
ADADELTA = Usual(0.01, 10.0, "about 1", 1.0)
# Optimizers that are not named here and do not find the rate themselves have no usual one: SGD, Adagrad, Rprop.
USUAL: Mapping[str, Usual] = {
    **dict.fromkeys(
        ("AdamW", "AdamW8bit", "PagedAdamW8bit", "PagedAdamW", "PagedAdamW32bit", "AdaFactor", "AdEMAMix",
         "AdEMAMix8bit", "PagedAdEMAMix8bit", "StableAdamW", "Adan", "ADOPT", "Adam", "Adam8bit", "NAdam", "RAdam",
         "Adamax", "RMSprop"), ADAM),
    **dict.fromkeys(("Lion", "Lion8bit", "PagedLion8bit", "Tiger"), LION),
    "CAME": CAME, "AdamWScheduleFree": AVERAGED, "RAdamScheduleFree": AVERAGED, "Adadelta": ADADELTA,
}  # fmt: skip
# Methods whose update is small by itself, so that ten times the rate is usual.
TIMID = ("ia3", "oft", "diag-oft", "boft", "norm")
WHOLE_WEIGHTS = ("full",)  # trained with the rates of a fine-tune
DAMPS_FROM = 4  # an alpha below a quarter of dim wants a higher rate: the guides take 1e-3 with alpha 1 of dim 64
OWN_RATES = (
    "loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio",
    "down_lr_weight", "mid_lr_weight", "up_lr_weight",
)  # fmt: skip


def plain(rate: float) -> str:
    """A rate as people write it: 1e-5 and 0.0001, not 1e-05."""
    return f"{rate:g}".replace("e-0", "e-")


def usual_rates(optimizer: Optimizer) -> Usual | None:
    """Which rates make sense for it; None where nothing is usual."""
    return FACTOR if optimizer.adaptive else USUAL.get(optimizer.name)


def rate_notes(config: TrainConfig) -> Iterator[Note]:
    """Rates that are too high or too low for the optimizer, one above the other, or of no use."""
    from trainer import optimizers

    optimizer, section = optimizers.find(config.optimizer.optimizer_type), config.optimizer
    rates, usual = trained_rates(config), usual_rates(optimizer)
    if optimizer.decides_rate(section.optimizer_args):
        usual = None
    found = list(_against(config, optimizer, usual, rates)) if usual and rates else []
    unet, text = rates.get("unet"), max((rate for part, rate in rates.items() if part != "unet"), default=0.0)
    if not found and usual and usual is not FACTOR and unet and text > unet:
        found.append(Note("optimizer.text_encoder_lr", TEXT_ABOVE_UNET, {"value": plain(text), "unet": plain(unet)}))
    yield from found or _unused(config, rates)


def _unused(config: TrainConfig, rates: Mapping[str, float]) -> Iterator[Note]:
    """The general rate where every part has its own."""
    section, network = config.optimizer, config.network
    parts = [] if network.network_train_unet_only else [section.text_encoder_lr]
    parts += [] if network.network_train_text_encoder_only else [section.unet_lr]
    if None not in parts and section.learning_rate not in (DEFAULT_RATE, *rates.values()):
        listed = ", ".join(f"{part} {plain(rate)}" for part, rate in rates.items())
        yield Note("optimizer.learning_rate", NOT_USED, {"value": plain(section.learning_rate), "rates": listed})


def better_rates(config: TrainConfig) -> dict[str, float]:
    """What to set for the rates that `rate_notes` tells of, by parameter; all where the optimizer finds its own."""
    from trainer import optimizers

    optimizer, section = optimizers.find(config.optimizer.optimizer_type), config.optimizer
    usual, rates = usual_rates(optimizer), trained_rates(config)
    if usual is None or not rates:
        return {}
    if optimizer.adaptive:
        return {
            "learning_rate": 1.0,
            **{name: 1.0 for name in ("unet_lr", "text_encoder_lr") if getattr(section, name)},
        }
    names = {str(note.address).partition(".")[2] for note in _against(config, optimizer, usual, rates)}
    unet = usual.start if _name(config, "unet") in names else rates.get("unet", usual.start)
    return {name: unet / 2 if name == "text_encoder_lr" else usual.start for name in sorted(names)}


def _against(config: TrainConfig, optimizer: Optimizer, usual: Usual, rates: Mapping[str, float]) -> Iterator[Note]:
    """Rates outside of the usual ones, each at the field that it comes from."""
    names = {part: _name(config, part) for part in rates}
    low, high = _limits(config, optimizer, usual)
    told: set[str] = set()

    def note(part: str, template: str) -> Iterator[Note]:
        name, rate = names[part], rates[part]
        if name not in told:
            told.add(name)
            values = {"name": name, "value": plain(rate), "optimizer": optimizer.name, "usual": usual.words}
            yield Note(f"optimizer.{name}", template, values)

    for part in (part for part, rate in rates.items() if rate > high):
        yield from note(part, NO_FACTOR if optimizer.adaptive else TOO_HIGH)
    strongest = max(rates, key=lambda part: rates[part])
    if rates[strongest] < low:
        given = names[strongest] != "learning_rate" or config.optimizer.learning_rate != DEFAULT_RATE
        yield from note(strongest, NO_FACTOR if optimizer.adaptive else TOO_LOW if given else ONLY_DEFAULT)


def _name(config: TrainConfig, part: str) -> str:
    """The parameter that a part's rate comes from."""
    name = "unet_lr" if part == "unet" else "text_encoder_lr"
    return "learning_rate" if getattr(config.optimizer, name) is None else name


def _limits(config: TrainConfig, optimizer: Optimizer, usual: Usual) -> tuple[float, float]:
    """The lowest and highest rate that makes sense for this network."""
    from trainer.networks import arguments

    network = config.network
    if optimizer.adaptive or arguments.faults(network.network_module, network.network_args):
        return usual.low, usual.high
    given = {text.partition("=")[0].strip() for text in network.network_args}
    low = 0.0 if given & set(OWN_RATES) else usual.low  # parts may have a multiple of this rate
    method = arguments.method_of(network.network_module, network.network_args).name
    if method in TIMID:
        return low, usual.high * 10
    if method in WHOLE_WEIGHTS:
        return low / 100, usual.high
    dim, alpha = network.network_dim or 4, network.network_alpha or network.network_dim or 4
    return low, usual.high * max(1.0, math.sqrt(dim / alpha / DAMPS_FROM))
