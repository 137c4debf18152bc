"""The table of network modules and of what their network_args are: rules, form and reference read it. LIGHT.

The adapters themselves are classes, listed in methods.py under the same method names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer.arguments import Argument, ArgumentError, Value, parse_arguments, suggestion
from trainer.networks.blocks import LAYOUTS, BlockError, multipliers

BLOCK_LISTS = ("block_dims", "block_alphas", "conv_block_dims", "conv_block_alphas")
BLOCK_WEIGHTS = ("down_lr_weight", "mid_lr_weight", "up_lr_weight")
NEEDS = {
    "block_alphas": ("block_dims", *BLOCK_WEIGHTS),
    "conv_block_alphas": ("conv_block_dims", "block_dims", *BLOCK_WEIGHTS),
    "block_lr_zero_threshold": BLOCK_WEIGHTS,
}


@dataclass(frozen=True)
class Method:
    """One way to adapt layers. name: its key in methods.py. arguments: what it takes in network_args."""

    name: str
    help: str
    arguments: Mapping[str, Argument]


def method_of(network_module: str, texts: Sequence[str]) -> Method:
    """The method that a network_module and its network_args (`algo=loha`) choose.

    Raises ArgumentError for an algo that the module does not have.
    """
    methods = MODULES[network_module]
    if "" in methods:
        return methods[""]
    given = dict(_split(text) for text in texts)
    algo = given.get("algo", next(iter(methods))).lower()
    if algo not in methods:
        raise ArgumentError(f"{network_module} has no algo {algo!r}; {suggestion(algo, methods)}")
    return methods[algo]


def parse(network_module: str, texts: Sequence[str]) -> dict[str, Value]:
    """network_args as typed values, defaults filled in. Raises ArgumentError with the first fault."""
    found = faults(network_module, texts)
    if found:
        raise ArgumentError(found[0])
    method = method_of(network_module, texts)
    defaults = {name: one.default for name, one in method.arguments.items() if one.default is not None}
    return {**defaults, **parse_arguments(texts, method.arguments, network_module)}


def faults(network_module: str, texts: Sequence[str]) -> list[str]:
    """Every mistake in network_args: unknown names (with the nearest one), wrong kinds, lists that cannot be."""
    try:
        method = method_of(network_module, texts)
    except ArgumentError as error:
        return [str(error)]
    what = network_module if method is MODULES[network_module].get("") else f"{network_module} algo={method.name}"
    found: list[str] = []
    given: dict[str, Value] = {}
    for text in texts:
        try:
            given |= (one := parse_arguments([text], method.arguments, what, "conv_dim=8"))
            _check_lists(one)
        except (ArgumentError, BlockError) as error:
            found.append(str(error))
    return found + [
        f"{name} has no effect without {' or '.join(needed)}; give one of them or leave it out"
        for name, needed in NEEDS.items()
        if name in given and not any(given.get(other) for other in needed)
    ]


def _check_lists(given: Mapping[str, Value]) -> None:
    """Lists for blocks: as many numbers as there are blocks in one of the families, presets that exist."""
    for name, value in given.items():
        if name in BLOCK_LISTS and isinstance(value, tuple) and len(value) not in LAYOUTS:
            raise ArgumentError(
                f"{name} has {len(value)} numbers; give one for each block: 25 for SD 1 and 2, 23 for SDXL"
            )
        if name in BLOCK_WEIGHTS:
            multipliers(name, str(value), 12)


def _split(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _arguments(*arguments: Argument) -> dict[str, Argument]:
    return {argument.name: argument for argument in arguments}


CONV = (
    Argument("conv_dim", "int", None, "rank of the 3x3 convolutions; trained when it is set", low=0, high=1024),
    Argument("conv_alpha", "float", 1.0, "alpha of the 3x3 convolutions; 0 means the same as conv_dim", low=0),
)  # fmt: skip
DROPOUTS = (
    Argument("rank_dropout", "float", 0.0, "chance that a rank is left out, in each sample", low=0, below=1),
    Argument("module_dropout", "float", 0.0, "chance that a module is left out, in each step", low=0, high=1),
)
LORA_PLUS = (
    Argument("loraplus_lr_ratio", "float", None, "times the learning rate for the up matrices; 16 is usual", low=0),
    Argument("loraplus_unet_lr_ratio", "float", None, "the same for the U-Net only", low=0),
    Argument("loraplus_text_encoder_lr_ratio", "float", None, "the same for the text encoder only", low=0),
)
BLOCKS = (
    Argument("block_dims", "ints", None, "a rank for each U-Net block: 25 numbers for SD 1 and 2, 23 for SDXL", low=0),
    Argument("block_alphas", "floats", None, "an alpha for each U-Net block", low=0),
    Argument("conv_block_dims", "ints", None, "a rank for the 3x3 convolutions of each U-Net block", low=0),
    Argument("conv_block_alphas", "floats", None, "an alpha for the 3x3 convolutions of each U-Net block", low=0),
    Argument("down_lr_weight", "text", None,
             "times the learning rate for each down block, 12 (SDXL: 9) numbers, or a preset such as sine+0.25"),
    Argument("mid_lr_weight", "text", None, "the same for the middle, 1 (SDXL: 3) numbers"),
    Argument("up_lr_weight", "text", None, "the same for the up blocks, 12 (SDXL: 9) numbers or a preset"),
    Argument("block_lr_zero_threshold", "float", 0.0, "blocks with a multiplier up to this are not trained", low=0),
)  # fmt: skip

MODULES: dict[str, dict[str, Method]] = {
    "networks.lora": {
        "": Method("lora", "LoRA that every program reads; with conv_dim also LoCon.",
                   _arguments(*CONV, *DROPOUTS, *LORA_PLUS, *BLOCKS)),
    },
    "networks.lora_fa": {
        "": Method("lora_fa", "LoRA whose down matrices stay as they were drawn: half the optimizer state.",
                   _arguments(*CONV, *DROPOUTS, *BLOCKS)),
    },
    "networks.dylora": {
        "": Method("dylora", "LoRA that can be cut down to lower ranks afterwards.",
                   _arguments(*CONV, *LORA_PLUS, Argument("unit", "int", 1, "ranks are trained in groups of this size; "
                              "network_dim must be a multiple", low=1))),
    },
    "networks.oft": {
        "": Method("oft", "Turns the weights of the U-Net in place of adding to them. network_dim is the number of "
                   "blocks, network_alpha the limit of the turn: 0.0001 to 0.01.",
                   _arguments(
                       Argument("enable_all_linear", "bool", False, "adapt all linear layers of the attention blocks"),
                       Argument("enable_conv", "bool", False, "adapt the convolutions too"))),
    },
}  # fmt: skip
