"""The table of network modules and of what their network_args are: rules, form and reference read it. LIGHT.

The adapters themselves are classes, listed in methods.py under the same method names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.arguments import Argument, ArgumentError, Value, parse_arguments, suggestion
from trainer.networks.blocks import LAYOUTS, BlockError, multipliers
from trainer.networks.presets import PRESETS, find_preset
from trainer.networks.readers import LINES

BLOCK_LISTS = ("block_dims", "block_alphas", "conv_block_dims", "conv_block_alphas")
BLOCK_WEIGHTS = ("down_lr_weight", "mid_lr_weight", "up_lr_weight")
NEEDS = {
    "block_alphas": ("block_dims", *BLOCK_WEIGHTS),
    "conv_block_alphas": ("conv_block_dims", "block_dims", *BLOCK_WEIGHTS),
    "block_lr_zero_threshold": BLOCK_WEIGHTS,
}


@dataclass(frozen=True)
class Method:
    """One way to adapt layers. name: its key in methods.py. arguments: what it takes in network_args.

    without_effect: what its module knows but this method has no use for; accepted with a note.
    """

    name: str
    help: str
    arguments: Mapping[str, Argument]
    without_effect: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def readers(self) -> str:
        """Which image programs read its files, in a line."""
        return LINES[self.name]

    @property
    def known(self) -> dict[str, Argument]:
        """All that may stand in network_args."""
        return {**self.arguments, **self.without_effect}


def method_of(network_module: str, texts: Sequence[str]) -> Method:
    """The method that a network_module and its network_args (`algo=loha`) choose.

    Raises ArgumentError for an algo that the module does not have.
    """
    methods = MODULES[network_module]
    if "" in methods:
        return methods[""]
    given = dict(_split(text) for text in texts)
    algo = given.get("algo", "").strip("'\"").lower() or next(iter(methods))
    if algo not in methods:
        raise ArgumentError(f"{network_module} has no algo {algo!r}; {suggestion(algo, methods)}")
    return methods[algo]


def algo_of(texts: Sequence[str]) -> str:
    """The algo that network_args of lycoris.kohya name; lora and locon are the same."""
    return method_of("lycoris.kohya", texts).name


def parse(network_module: str, texts: Sequence[str]) -> dict[str, Value]:
    """network_args as typed values, defaults filled in. Raises ArgumentError with the first fault."""
    found = faults(network_module, texts)
    if found:
        raise ArgumentError(found[0])
    method = method_of(network_module, texts)
    defaults = {name: one.default for name, one in method.arguments.items() if one.default is not None}
    given = parse_arguments(texts, method.known, network_module)
    return {**defaults, **{name: value for name, value in given.items() if name in method.arguments}}


def without_effect(network_module: str, texts: Sequence[str]) -> list[str]:
    """Names in network_args that the method has no use for; those that are off say nothing anyway."""
    method = method_of(network_module, texts)
    given = parse_arguments(texts, method.known, network_module)
    return [name for name, value in given.items() if name in method.without_effect and value not in (False, 0, None)]


def faults(network_module: str, texts: Sequence[str]) -> list[str]:
    """Every mistake in network_args: unknown names (with the nearest one), wrong kinds, lists that cannot be."""
    try:
        method = method_of(network_module, texts)
    except ArgumentError as error:
        return [str(error)]
    algos = [algo for algo, one in MODULES[network_module].items() if one is method]
    what = f"{network_module} algo={algos[0]}" if algos[0] else network_module
    found: list[str] = []
    given: dict[str, Value] = {}
    for text in texts:
        try:
            given |= (one := parse_arguments([text], method.known, what, "conv_dim=8"))
            _check_lists(one)
            if "preset" in one:
                _check_preset(str(one["preset"]))
        except (ArgumentError, BlockError) as error:
            found.append(str(error))
    return found + [
        f"{name} has no effect without {' or '.join(needed)}; give one of them or leave it out"
        for name, needed in NEEDS.items()
        if name in given and not any(given.get(other) for other in needed)
    ]


def modern(given: Mapping[str, Value]) -> dict[str, Value]:
    """network_args under the names in use today; DyLoRA's group of ranks is called unit, as sd-scripts calls it."""
    names = dict(given)
    tucker = names.pop("disable_conv_cp", None)
    old = [bool(names.pop("use_cp", False)), bool(names.pop("use_conv_cp", False)), tucker is False]
    if any(old):
        names["use_tucker"] = True
    if "constrain" in names:
        names["constraint"] = names.pop("constrain")
    if "block_size" in names:
        names["unit"] = names.pop("block_size")
    return names


def differences(own: Mapping[str, Any], what: str) -> dict[str, Value]:
    """What a LyCORIS preset says about some of the layers (algo, dim, alpha, arguments), as typed values.

    Raises ArgumentError naming `what` for an unknown name or a wrong kind.
    """
    found: dict[str, Value] = {}
    for name, value in own.items():
        if name == "algo":
            if str(value).lower() not in MODULES["lycoris.kohya"]:
                hint = suggestion(str(value), MODULES["lycoris.kohya"])
                raise ArgumentError(f"{what} has no algo {value!r}; {hint}")
            found[name] = str(value).lower()
        else:
            found |= parse_arguments([f"{INTERNAL_NAMES.get(name, name)}={value}"], PER_LAYER, what, "dim=8")
    return modern(found)


def _check_lists(given: Mapping[str, Value]) -> None:
    """Lists for blocks: as many numbers as there are blocks in one of the families, presets that exist."""
    for name, value in given.items():
        if name in BLOCK_LISTS and isinstance(value, tuple) and len(value) not in LAYOUTS:
            raise ArgumentError(
                f"{name} has {len(value)} numbers; give one for each block: 25 for SD 1 and 2, 23 for SDXL"
            )
        if name in BLOCK_WEIGHTS:
            multipliers(name, str(value), 12)


def _check_preset(name: str) -> None:
    """A preset that exists, whose maps name known methods and arguments."""
    preset = find_preset(name)
    for table in (preset.module_algo_map, preset.name_algo_map):
        for layers, own in table.items():
            differences(own, f"preset {name}: {layers}")


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

# lycoris.kohya (KOHYA_COMPAT 6.9)
CHOICE = (
    Argument("algo", "text", "lora", "the method: lora, locon, loha, lokr, dylora, glora, ia3, full, diag-oft or boft"),
    Argument("preset", "text", "full", f"which layers: {', '.join(PRESETS)}, or the path of a TOML file"),
    Argument("conv_dim", "int", None, "rank of the 3x3 convolutions; as network_dim when not given, 0 for none",
             low=0, high=1_000_000),
    Argument("conv_alpha", "float", None, "alpha of the 3x3 convolutions; as network_alpha when not given", low=0),
    Argument("module_dropout", "float", 0.0, "chance that a layer is left alone, in each step", low=0, high=1),
    Argument("train_norm", "switch", False, "train the norm layers inside of the preset's modules too"),
    Argument("bypass_mode", "switch", False, "rank_dropout leaves out ranks in place of outputs; the fast way through "
             "the network is always taken"),
)  # fmt: skip
UPDATE_DROPOUTS = (
    Argument("dropout", "float", None, "chance that a value of the update is left out; network_dropout when not given",
             low=0, below=1),
    Argument("rank_dropout", "float", 0.0, "chance that an output of the update is left out", low=0, below=1),
    Argument("rank_dropout_scale", "switch", False, "scale the others up, so that the mean stays"),
)  # fmt: skip
ROW_DROPOUT = UPDATE_DROPOUTS[1:2]
TUCKER = (
    Argument("use_tucker", "switch", False, "a small core for the 3x3 convolutions: smaller files"),
    Argument("use_cp", "switch", False, "old name of use_tucker"),
    Argument("use_conv_cp", "switch", False, "old name of use_tucker"),
    Argument("disable_conv_cp", "switch", None, "old name for the opposite of use_tucker"),
)
SCALES = (
    Argument("use_scalar", "switch", False, "a trained factor that begins at 0, in place of a matrix that does"),
    Argument("rs_lora", "switch", False, "scale by alpha / sqrt(rank): for high ranks"),
)
DECOMPOSED = (
    Argument(
        "dora_wd",
        "switch",
        False,
        "DoRA: direction and length of the weights are trained apart; with wd_on_output "
        "off A1111 and ComfyUI read it exactly",
        brings=("wd_on_output=False",),
    ),
    Argument(
        "wd_on_output",
        "switch",
        True,
        "lengths of outputs, as in the paper: A1111 loses about 80 % of it and "
        "ComfyUI errs by about 5 %; off: of inputs, which both read exactly",
    ),
)
FACTORS = (
    Argument("factor", "int", -1, "size of the small matrix: 4 to 16; -1 cuts in the middle, for the smallest file",
             low=-1),
    Argument("decompose_both", "switch", False, "the small matrix becomes a product too"),
    Argument("full_matrix", "switch", False, "both matrices whole; network_dim and alpha have no effect then"),
    Argument("unbalanced_factorization", "switch", False, "the larger factor of the outputs goes to the small matrix"),
)  # fmt: skip
ROTATIONS = (
    Argument("constraint", "float", 0.0, "limit of the turn, about 0.0001 to 0.01; 0 is none", low=0),
    Argument("constrain", "float", None, "old name of constraint", low=0),
    Argument("rescaled", "switch", False, "train a factor for every output too"),
)
BLOCK_SIZE = (Argument("block_size", "int", 4, "ranks are trained in groups of this size", low=1),)
ON_INPUT = (Argument("train_on_input", "switch", False, "scale what goes into the layers, not what comes out"),)
OTHER_MODELS = (
    Argument("train_t5xxl", "switch", False, "for models with a T5 encoder"),
    Argument("train_llm_adapter", "switch", False, "for models with a language model"),
)
LYCORIS = _arguments(
    *CHOICE, *UPDATE_DROPOUTS, *TUCKER, *SCALES, *DECOMPOSED, *FACTORS, *ROTATIONS, *BLOCK_SIZE, *ON_INPUT,
    *OTHER_MODELS, *LORA_PLUS,
)  # fmt: skip


# a preset file names what LyCORIS' modules are given, not what network_args are called
INTERNAL_NAMES = {"weight_decompose": "dora_wd", "wd_on_out": "wd_on_output"}
PER_LAYER = {
    **{name: one for name, one in LYCORIS.items() if name not in {"algo", "preset", "conv_dim", "conv_alpha"}},
    "dim": Argument("dim", "int", None, "rank of these layers", low=0, high=1_000_000),
    "alpha": Argument("alpha", "float", None, "alpha of these layers", low=0),
}


BYPASS = CHOICE[-1:]


def _lycoris(name: str, help: str, *arguments: Argument) -> Method:
    own = _arguments(*CHOICE[:-1], *arguments)
    return Method(name, help, own, {name: one for name, one in LYCORIS.items() if name not in own})


UPDATES = (*UPDATE_DROPOUTS, *TUCKER, *SCALES, *DECOMPOSED)
LOCON = _lycoris("locon", "LoRA of all layers, convolutions too; with dora_wd DoRA.", *BYPASS, *UPDATES, *LORA_PLUS)

MODULES: dict[str, dict[str, Method]] = {
    "networks.lora": {
        "": Method("lora", "The LoRA that everybody knows; with conv_dim also LoCon.",
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
    "lycoris.kohya": {
        "lora": LOCON,
        "locon": LOCON,
        "loha": _lycoris("loha", "Products of two LoRAs, number by number: a higher rank in a file of the same size.",
                         *UPDATES),
        "lokr": _lycoris("lokr", "Kronecker products: the smallest files.", *UPDATES, *FACTORS),
        "dylora": _lycoris("dylora", "LoRA that can be cut down to lower ranks afterwards.", *BLOCK_SIZE, *LORA_PLUS),
        "glora": _lycoris("glora", "LoRA before and beside every layer.", *UPDATE_DROPOUTS[:2], *TUCKER, *SCALES),
        "ia3": _lycoris("ia3", "A factor for every channel: tiny files, high learning rates; preset=ia3 belongs to it.",
                        *ON_INPUT),
        "full": _lycoris("full", "The difference of whole weights: files as large as the model.", *ROW_DROPOUT),
        "diag-oft": _lycoris("diag-oft", "Turns outputs in blocks in place of adding to weights; network_dim is their "
                             "size.", *ROW_DROPOUT, *ROTATIONS),
        "boft": _lycoris("boft", "Turns outputs in stages of small blocks; network_dim is their size, at least 10.",
                         *ROTATIONS),
    },
}  # fmt: skip
