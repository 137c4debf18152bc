"""The network that lycoris.kohya makes: what a preset chooses, by which method, how large (KOHYA_COMPAT 6.9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import nn

from trainer.arguments import Value
from trainer.networks.arguments import MODULES, differences
from trainer.networks.base import Adapter, Size, Target
from trainer.networks.methods import METHODS
from trainer.networks.norm import Norm
from trainer.networks.options import NetworkOptions
from trainer.networks.presets import Preset, find_preset
from trainer.networks.update import is_kernel

RANK_STABILISED = frozenset({"locon", "loha", "lokr", "glora"})


def adapters(targets: Sequence[Target], options: NetworkOptions) -> Iterator[tuple[str, Adapter]]:
    """Names and adapters of the layers that the preset in options.arguments chooses.

    Raises PresetError for a preset that cannot be read, NetworkError for a layer that the method cannot adapt.
    """
    preset = find_preset(str(options.arguments["preset"]))
    inside = Counter(name for target in targets for name in target.containers)
    for target in targets:
        if not chosen(target, preset):
            continue
        made = _adapter(target, preset, options, own_differences(target, preset, inside))
        if made is not None:
            yield target.name, made


def chosen(target: Target, preset: Preset) -> bool:
    """Whether a preset means a layer: by the modules around it, by its own class or by its path."""
    if preset.match_any(preset.exclude_name, target.path):
        return False
    around = target.containers | {type(target.module).__name__}
    return bool(around & preset.modules(target.part)) or preset.match_any(preset.names(target.part), target.path)


def own_differences(target: Target, preset: Preset, inside: Mapping[str, int]) -> dict[str, Value]:
    """What a preset's maps say about one layer: its path goes before the modules around it, inner ones before outer.

    inside: class name -> number of layers in modules of this class; inner modules have fewer.
    """
    for pattern, own in preset.name_algo_map.items():
        if preset.matches(pattern, target.path):
            return differences(own, "preset")
    around = target.containers | {type(target.module).__name__}
    named = [name for name in preset.module_algo_map if name in around]
    if not named:
        return {}
    return differences(preset.module_algo_map[min(named, key=lambda name: inside[name])], "preset")


def size_of(target: Target, preset: Preset, options: NetworkOptions, own: Mapping[str, Value]) -> Size | None:
    """Rank and alpha of a layer; None where a kernel is left alone. alpha is that of the file."""
    arguments = options.arguments
    if is_kernel(target.module):
        conv_rank = arguments.get("conv_dim", options.rank) if preset.enable_conv else 0
        rank, alpha = own.get("dim") or conv_rank, own.get("alpha") or arguments.get("conv_alpha", options.alpha)
    else:
        rank, alpha = own.get("dim") or options.rank, own.get("alpha") or options.alpha
    return Size(int(rank), float(alpha)) if rank else None  # type: ignore[arg-type]


def _adapter(target: Target, preset: Preset, options: NetworkOptions, own: Mapping[str, Value]) -> Adapter | None:
    if not isinstance(target.module, nn.Linear | nn.Conv2d):
        return Norm(target, Size(1, 1.0), options) if options.arguments.get("train_norm") else None
    size = size_of(target, preset, options, own)
    if size is None:
        return None
    method = MODULES["lycoris.kohya"][str(own["algo"])].name if "algo" in own else options.method
    arguments: dict[str, Value] = {**options.arguments, **own}
    if arguments.get("rs_lora") and method in RANK_STABILISED:
        # alpha / sqrt(rank), written so that a reader that knows only alpha / rank gets the same
        size = Size(size.rank, (size.alpha or size.rank) * size.rank**0.5)
    return METHODS[method](target, size, replace(options, method=method, arguments=arguments))
