"""Of which method a LoRA file is, by its names and shapes alone, and whether the settings go on with that. LIGHT.

A file decides what it is: a LoHa's numbers mean nothing to a LoRA, even where names and sizes agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from trainer.arguments import ArgumentError
from trainer.networks import arguments
from trainer.networks.presets import PresetError, find_preset

Shape = tuple[int, ...]


class Ranks(Protocol):
    """What of the network section decides ranks."""

    @property
    def network_module(self) -> str: ...
    @property
    def network_args(self) -> tuple[str, ...]: ...
    @property
    def network_dim(self) -> int | None: ...
    @property
    def dim_from_weights(self) -> bool: ...


PLAIN = "lora"  # two matrices a layer, whatever trained them
# method of methods.py -> the method of the files that it goes on with; its own where it is not here
READS = {"lora": PLAIN, "lora_fa": PLAIN, "dylora": PLAIN, "locon": PLAIN}
# first key ending that a layer of the file has -> method; OFT and its kin are told apart by name and shape
SIGNS = {
    "lora_down.weight": PLAIN, "hada_w1_a": "loha", "lokr_w1": "lokr", "lokr_w1_a": "lokr", "on_input": "ia3",
    "a1.weight": "glora", "diff": "full", "w_norm": "norm",
}  # fmt: skip
# key ending that only some files of a method have -> the argument that makes it
STRUCTURE = {
    "dora_scale": "dora_wd", "lora_mid.weight": "use_tucker", "hada_t1": "use_tucker", "lokr_t2": "use_tucker",
    "bm.weight": "use_tucker", "rescale": "rescaled", "lokr_w1_a": "decompose_both",
    "lokr_w2": "network_dim or full_matrix", "lokr_w2_a": "network_dim or full_matrix",
}  # fmt: skip
OUTPUTS, INPUTS = "outputs", "inputs"  # whose lengths a DoRA trains
LENGTHS_OF = {OUTPUTS: "with lengths of outputs", INPUTS: "with lengths of inputs"}
OTHER_METHOD = (
    "{path} is a {method} file, but these settings train {ours}; what a file is decides: {cure}, or choose another file"
)
SEVERAL_RANKS = "{path} has layers of several ranks ({ranks}); switch dim_from_weights on to go on with them"
OTHER_RANK = (
    "{path} has rank {theirs} in {key}, but with {name} {ours} the network here has another; set {name} to {theirs}, "
    "or switch dim_from_weights on"
)


def layer_method(name: str, endings: Mapping[str, Shape]) -> str | None:
    """The method of a file's tensors of one layer (key ending -> shape); None for what is of no method."""
    for ending, method in SIGNS.items():
        if ending in endings:
            return method
    if "oft_blocks" not in endings:
        return None
    if name.startswith("oft_"):
        return "oft"
    return "boft" if len(endings["oft_blocks"]) == 4 else "diag-oft"


def methods_in(shapes: Mapping[str, Shape]) -> dict[str, set[str]]:
    """Method -> arguments of STRUCTURE that its layers show, for a whole file (tensor name -> shape)."""
    layers: dict[str, dict[str, Shape]] = {}
    for key, shape in shapes.items():
        name, _, ending = key.partition(".")
        layers.setdefault(name, {})[ending] = shape
    found: dict[str, set[str]] = {}
    for name, endings in layers.items():
        method = layer_method(name, endings)
        if method is not None:
            found.setdefault(method, set()).update(STRUCTURE[ending] for ending in endings if ending in STRUCTURE)
    return found


def other_method(path: str, shapes: Mapping[str, Shape], module: str, texts: Sequence[str]) -> dict[str, str] | None:
    """Values for OTHER_METHOD when the settings do not go on with such a file; None when they do.

    module, texts: network_module and network_args.
    """
    try:
        given, method = arguments.modern(arguments.parse(module, texts)), arguments.method_of(module, texts).name
        accepted = {READS.get(one, one) for one in (method, *_named_by_preset(given))}
    except ArgumentError:
        return None  # the arguments themselves are wrong, which is said elsewhere
    found = methods_in(shapes)
    strange = [one for one in found if one not in accepted and one != "norm"]
    if not strange and "norm" in found and len(found) == 1 and not given.get("train_norm"):
        strange = ["norm"]
    decomposed = {one for one in found if "dora_wd" in found[one]}
    theirs = next((lengths_of(shape) for key, shape in shapes.items() if key.endswith(".dora_scale")), None)
    ours = (OUTPUTS if given.get("wd_on_output", True) else INPUTS) if given.get("dora_wd") else None
    if strange:
        wanted = strange[0]
        return _values(path, wanted, theirs if wanted in decomposed else None, method, ours)
    mixed = [one for one in found if one != "norm" and (one in decomposed) != bool(ours)]
    if mixed and ("dora_wd" in given or decomposed):
        return _values(path, mixed[0], theirs if mixed[0] in decomposed else None, method, ours)
    if theirs is not None and ours is not None and theirs != ours:
        wanted = next(iter(decomposed))
        values = _values(path, wanted, theirs, method, ours)
        return {
            "path": path, "method": f"{values['method']} {LENGTHS_OF[theirs]}",
            "ours": f"{values['ours']} {LENGTHS_OF[ours]}",
            "cure": f"set wd_on_output={theirs == OUTPUTS} in network_args",
        }  # fmt: skip
    return None


def other_rank(path: str, shapes: Mapping[str, Shape], section: Ranks) -> tuple[str, dict[str, str | int]] | None:
    """OTHER_RANK or SEVERAL_RANKS and its values when the settings make layers of another rank than a LoRA's or LoHa's.

    None when they do not, or when blocks or a preset give layers ranks of their own.
    """
    module, texts = section.network_module, section.network_args
    try:
        given, method = arguments.modern(arguments.parse(module, texts)), arguments.method_of(module, texts).name
    except ArgumentError:
        return None
    of_blocks = any(given.get(name) for name in (*arguments.BLOCK_LISTS, *arguments.BLOCK_WEIGHTS))
    plain = given.get("preset") in (None, "full") and not of_blocks and not section.dim_from_weights
    ending = {"loha": ".hada_w1_b"}.get(method, ".lora_down.weight" if READS.get(method) == PLAIN else None)
    if not plain or ending is None:
        return None
    dim = section.network_dim or 4
    of_convolutions = given.get("conv_dim", None if module.startswith("networks.") else dim)
    found: dict[str, tuple[int, int, str]] = {}  # key -> rank there and here, and what decides it
    for key, shape in shapes.items():
        layer = key.removesuffix(ending)
        if (
            layer == key
            or len(shape) < 2
            or 0 in shape
            or f"{layer}.lora_mid.weight" in shapes
            or f"{layer}.hada_t1" in shapes
        ):
            continue
        wide = len(shape) == 4 and shape[2:] != (1, 1)  # of LoHa only 3x3 convolutions with a core can be told
        ours, name = (of_convolutions, "conv_dim") if wide else (dim, "network_dim")
        if method == "loha" and of_convolutions != dim:
            return None
        if ours:
            found[key] = shape[0], int(str(ours)), name
    for key, (theirs, here, name) in found.items():
        if theirs == here:
            continue
        ranks = sorted({rank for rank, _, decided in found.values() if decided == name})
        if len(ranks) > 1:
            return SEVERAL_RANKS, {"path": path, "ranks": ", ".join(map(str, ranks))}
        return OTHER_RANK, {"path": path, "key": key, "theirs": theirs, "name": name, "ours": here}
    return None


def lengths_of(shape: Sequence[int]) -> str:
    """Whether `dora_scale` of this shape, (out, 1[, 1, 1]) or (1, in[, 1, 1]), has lengths of outputs or of inputs."""
    return OUTPUTS if len(shape) < 2 or shape[1] == 1 else INPUTS


def structure_fault(method: str, name: str, file: Iterable[str], ours: Iterable[str]) -> str | None:
    """What of a layer's tensors the settings would leave out or begin anew, in words, where the method is right."""
    there, here = set(file), set(ours)
    for ending, argument in STRUCTURE.items():
        if (ending in there) != (ending in here):
            has = "has" if ending in there else "has no"
            return (
                f"{name} {has} {ending} in the file, which {argument} decides; set {argument} as the file was trained "
                "with, or switch dim_from_weights on"
            )
    return None


def title(method: str, decomposed: bool = False) -> str:
    """A method as users know it."""
    names = {PLAIN: "LoRA", "locon": "LoRA", "lora_fa": "LoRA-FA", "dylora": "DyLoRA", "loha": "LoHa", "lokr": "LoKr",
             "ia3": "IA3", "glora": "GLoRA", "oft": "OFT", "diag-oft": "Diag-OFT", "boft": "BOFT",
             "full": "full difference", "norm": "norm layer"}  # fmt: skip
    return f"DoRA ({names[method]})" if decomposed else names[method]


def cure(method: str, lengths: str | None = None) -> str:
    """The settings that go on with a file of a method. lengths: of a DoRA, see `lengths_of`."""
    if method == "oft":
        return "set network_module to networks.oft"
    if method == "norm":
        return "set network_module to lycoris.kohya with train_norm=True in network_args"
    if method == PLAIN and lengths is None:
        return "set network_module to networks.lora, or to lycoris.kohya with algo=locon and without dora_wd"
    algo = "locon" if method == PLAIN else method
    dora = f" and dora_wd=True and wd_on_output={lengths == OUTPUTS}" if lengths else ""
    return f"set network_module to lycoris.kohya with algo={algo}{dora}"


def _values(path: str, method: str, lengths: str | None, ours: str, our_lengths: str | None) -> dict[str, str]:
    return {
        "path": path, "method": title(method, bool(lengths)), "ours": title(ours, bool(our_lengths)),
        "cure": cure(method, lengths),
    }  # fmt: skip


def _named_by_preset(given: Mapping[str, object]) -> Iterator[str]:
    """Methods that a LyCORIS preset gives some of the layers."""
    if "preset" not in given:
        return
    try:
        preset = find_preset(str(given["preset"]))
    except PresetError:
        return
    for table in (preset.module_algo_map, preset.name_algo_map):
        for own in table.values():
            if "algo" in own:
                yield arguments.MODULES["lycoris.kohya"][str(own["algo"]).lower()].name
    if given.get("train_norm"):
        yield "norm"
