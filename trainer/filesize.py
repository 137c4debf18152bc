"""How large the file of a network will be, from its options and the sizes of the layers. LIGHT.

The same numbers as a planned network has; what is not counted here (own ranks of blocks, presets of a file, rare
methods) has no answer, rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trainer.arguments import Value
from trainer.networks import arguments
from trainer.networks.factorization import factorization
from trainer.networks.options import NetworkOptions, network_options
from trainer.networks.presets import PRESETS
from trainer.networks.selection import ATTENTION_CONTAINERS, CONV_CONTAINERS, TEXT_CONTAINERS

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.families.adaptable import Layer

BYTES = {"float": 4, "fp16": 2, "bf16": 2}
BYTES_OF_A_NAME = 110  # of each tensor in the header of a safetensors file: name, format, shape, place
KOHYA = ("networks.lora", "networks.lora_fa", "networks.dylora")
UNCOUNTED = ("train_norm", "use_scalar")


def file_bytes(config: TrainConfig, layers: Iterable[Layer]) -> int | None:
    """Bytes of the LoRA file of this run; None where they cannot be told before a network is made."""
    section = config.network
    if section.dim_from_weights or arguments.faults(section.network_module, section.network_args):
        return None
    options = network_options(section)
    left_out = {"text_encoder": section.network_train_unet_only, "unet": section.network_train_text_encoder_only}
    trained = [layer for layer in layers if not left_out[layer.part]]
    ranks = _kohya(trained, options) if section.network_module in KOHYA else _lycoris(trained, options)
    if options.blocks is not None or ranks is None:
        return None
    each = BYTES.get(config.save.save_precision or "", 2 if _half(config) else 4)
    counted = [tensors_of(layer, rank, options) for layer, rank in ranks]
    if not counted or not all(counted):
        return None
    return sum(each * (sum(sizes) + 1) + BYTES_OF_A_NAME * (len(sizes) + 1) for sizes in counted)


def _half(config: TrainConfig) -> bool:
    return config.precision.full_fp16 or config.precision.full_bf16


def _kohya(layers: Iterable[Layer], options: NetworkOptions) -> list[tuple[Layer, int]]:
    """The layers that networks.lora adapts, each with its rank."""
    chosen = TEXT_CONTAINERS | ATTENTION_CONTAINERS | (CONV_CONTAINERS if options.conv_rank else frozenset())
    ranks = [(layer, options.conv_rank if layer.kernel > 1 else options.rank) for layer in layers
             if layer.containers & chosen]  # fmt: skip
    return [(layer, rank) for layer, rank in ranks if rank]


def _lycoris(layers: Iterable[Layer], options: NetworkOptions) -> list[tuple[Layer, int]] | None:
    """The same for lycoris.kohya; None for a preset that is a file."""
    given = options.arguments
    preset = PRESETS.get(str(given.get("preset")))
    if preset is None or preset.name_algo_map or any(given.get(name) for name in UNCOUNTED):
        return None
    found = []
    for layer in layers:
        named = preset.match_any(preset.names(layer.part), layer.path)
        if not (layer.containers & preset.modules(layer.part) or named):
            continue
        conv = given.get("conv_dim", options.rank) if preset.enable_conv else 0
        rank = conv if layer.kernel > 1 else options.rank
        if rank:
            found.append((layer, int(rank)))  # type: ignore[arg-type]
    return found


def tensors_of(layer: Layer, rank: int, options: NetworkOptions) -> list[int]:
    """How many numbers each tensor of an adapter has, alpha not among them; [] for a method that is not counted."""
    given, area = options.arguments, layer.kernel**2
    tucker = bool(given.get("use_tucker")) and layer.kernel > 1
    core = [rank * rank * area] if tucker else []
    sides = [rank * layer.outputs, rank * layer.inputs * (1 if tucker else area)]
    lengths = layer.outputs if given.get("wd_on_output", True) else layer.inputs
    decomposed = [lengths] if given.get("dora_wd") else []
    if options.method in ("lora", "lora_fa", "dylora", "locon"):
        return [*sides, *core, *decomposed]
    if options.method == "loha":
        return [*sides, *sides, *core, *core, *decomposed]
    if options.method == "lokr":
        return [*_lokr(layer, rank, given, tucker), *decomposed]
    return []


def _lokr(layer: Layer, rank: int, given: Mapping[str, Value], tucker: bool) -> list[int]:
    """The matrices of LoKr, as trainer/networks/lokr.py cuts them."""
    cut, area = int(given.get("factor", -1)), layer.kernel**2  # type: ignore[arg-type]
    (up, vp), (uq, vq) = factorization(layer.outputs, cut), factorization(layer.inputs, cut)
    if given.get("unbalanced_factorization"):
        up, vp = vp, up
    whole = bool(given.get("full_matrix"))
    small = (
        [up * rank, rank * uq] if given.get("decompose_both") and rank < max(up, uq) / 2 and not whole else [up * uq]
    )
    if whole or rank >= max(vp, vq) / 2:
        return [*small, vp * vq * area]
    if tucker:
        return [*small, rank * rank * area, rank * vp, rank * vq]
    return [*small, vp * rank, rank * vq * area]
