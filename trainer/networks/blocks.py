"""The blocks of a U-Net: own ranks, alphas and learning rates for each (KOHYA_COMPAT 6.5). Numbers only. LIGHT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.numbers import ADVICE, NumberError, cure_of_multipliers, decimal_commas, plain, read_number

PRESETS = ("cosine", "sine", "linear", "reverse_linear", "zeros")


class BlockError(ValueError):
    """A list of numbers for blocks cannot be used. The text names the argument and the cure."""


@dataclass(frozen=True)
class BlockLayout:
    """How many blocks a U-Net has. lead, tail: what stands before and behind and has no learning rate of its own."""

    lead: int
    down: int
    mid: int
    up: int
    tail: int

    @property
    def count(self) -> int:
        """The length of block_dims and the like."""
        return self.lead + self.down + self.mid + self.up + self.tail


LAYOUTS = {25: BlockLayout(0, 12, 1, 12, 0), 23: BlockLayout(1, 9, 3, 9, 1)}  # SD 1 and 2; SDXL


@dataclass(frozen=True)
class BlockOptions:
    """What the user asks for. dims, alphas: a number a block. down, mid, up: comma lists or presets."""

    dims: Sequence[int] | None = None
    alphas: Sequence[float] | None = None
    conv_dims: Sequence[int] | None = None
    conv_alphas: Sequence[float] | None = None
    down: str | None = None
    mid: str | None = None
    up: str | None = None
    zero_threshold: float = 0.0

    @property
    def weighted(self) -> bool:
        """Whether blocks have learning rates of their own."""
        return any(text is not None for text in (self.down, self.mid, self.up))

    @property
    def given(self) -> bool:
        """Whether anything makes blocks differ."""
        return self.dims is not None or self.conv_dims is not None or self.weighted


def block_weights(options: BlockOptions, layout: BlockLayout) -> list[float] | None:
    """Learning rate multiplier of every block; None when no list is given. Up to zero_threshold they become 0."""
    if not options.weighted:
        return None
    lists = (("down_lr_weight", options.down, layout.down), ("mid_lr_weight", options.mid, layout.mid),
             ("up_lr_weight", options.up, layout.up))  # fmt: skip
    weights = [1.0] * layout.lead
    for name, text, count in lists:
        numbers = multipliers(name, text, count) if text is not None else [1.0] * count
        weights += [number if number > options.zero_threshold else 0.0 for number in numbers]
    return weights + [1.0] * layout.tail


def multipliers(name: str, text: str, count: int) -> list[float]:
    """Learning rate multipliers of `count` blocks from a comma list or a preset such as sine+0.25.

    An empty item is 0, what is too much is cut, what is missing is 1.
    Raises BlockError for text that is neither, and for one number alone where several are meant.
    """
    preset, plus, base = (part.strip() for part in text.strip().partition("+"))
    if name != "mid_lr_weight" and preset.lower() in PRESETS:
        lowest = _number(base, name, text) if plus else 0.0
        return [lowest + value for value in preset_curve(preset.lower(), count)]
    items = plain(text).strip("()[]").split(",")
    cure = (decimal_commas(items, 1) if len(items) == 2 else "") or decimal_commas(items, count)
    cure = cure or cure_of_multipliers(items)
    if cure:
        raise BlockError(f"{name}={text}: {ADVICE}: write {cure}")
    if name != "mid_lr_weight" and len(items) == 1:
        raise BlockError(
            f"{name}={text} is neither a list nor a preset; write a number for each block, separated by commas, or one "
            f"of {', '.join(PRESETS)} with an optional +base; zeros+0.5 is 0.5 for every block"
        )
    numbers = [_number(item, name, text) if item.strip() else 0.0 for item in items]
    return (numbers + [1.0] * count)[:count]


def preset_curve(preset: str, count: int) -> list[float]:
    """The multipliers of a preset over `count` blocks, from 0 to 1 or from 1 to 0."""
    places = [index / max(1, count - 1) for index in range(count)]
    curves = {
        "linear": places,
        "reverse_linear": places[::-1],
        "sine": [math.sin(math.pi / 2 * place) for place in places],
        "cosine": [math.sin(math.pi / 2 * place) for place in places[::-1]],
        "zeros": [0.0] * count,
    }
    return curves[preset]


def for_every_block(name: str, given: Sequence[float] | None, default: float, layout: BlockLayout) -> list[float]:
    """A number for every block: the given ones, or the default. Raises BlockError when there are not as many."""
    if given is None:
        return [default] * layout.count
    if len(given) != layout.count:
        raise BlockError(
            f"{name} has {len(given)} numbers; this model has {layout.count} blocks (25 in SD 1 and 2, 23 in SDXL), "
            f"so give {layout.count} numbers"
        )
    return list(given)


def _number(text: str, name: str, whole: str) -> float:
    try:
        number = float(read_number(text))
    except NumberError as error:
        if error.cure:
            raise BlockError(f"{name}={whole}: {error}") from error
        number = -1.0
    if not 0 <= number < math.inf:
        raise BlockError(f"{name}={whole}: {text.strip()!r} is not a number of at least 0")
    return number
