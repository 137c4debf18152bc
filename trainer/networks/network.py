"""All adapters of a model together: built, grouped for the optimizer, filled from files, kept small.

What the change of one layer is, is in base.py and in the file of its method.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer import seeds
from trainer.networks import files, lycoris
from trainer.networks.base import Adapter, NetworkError, Target, is_quantised
from trainer.networks.blocks import block_weights
from trainer.networks.methods import METHODS
from trainer.networks.options import NetworkOptions
from trainer.networks.selection import layout_of

ROUNDING = 0.01  # an alpha that is no whole number is rounded in a file of bf16


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate. label: its name in logs, as sd-scripts calls it."""

    label: str
    parameters: tuple[nn.Parameter, ...]
    lr: float


class Network(nn.Module):
    """All adapters of a model, by kohya name. `file_tensors()` is for LoRA files, `state_dict()` for resuming.

    block_weights: times the learning rate, for each U-Net block; None when all have the same.
    """

    def __init__(
        self, adapters: Mapping[str, Adapter], options: NetworkOptions, block_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.options = options
        self.block_weights = block_weights
        for name, adapter in adapters.items():
            self.add_module(name, adapter)

    def adapters(self) -> Iterator[tuple[str, Adapter]]:
        """Names and adapters, in the order they were attached."""
        for name, module in self.named_children():
            assert isinstance(module, Adapter)
            yield name, module

    def attach(self) -> None:
        """Wrap every layer's forward, after a `detach`."""
        for _, adapter in self.adapters():
            adapter.attach()

    def detach(self) -> None:
        """Give every layer its own forward back."""
        for _, adapter in self.adapters():
            adapter.detach()

    def groups(self, text_encoder_lr: float | tuple[float, float], unet_lr: float) -> list[ParameterGroup]:
        """Trainable parameters by part, text encoders first; those that begin at zero apart when LoRA+ ratios are set.

        text_encoder_lr: one rate, or one for each of two encoders. U-Net blocks with learning rates of their own are
        groups of their own. What has a rate of 0 gets no group: it is saved but not trained. Hayou et al. 2024,
        arXiv:2402.12354 for LoRA+.
        """
        found: list[ParameterGroup] = []
        plus, everything = self.options.text_encoder_plus_ratio, list(self.adapters())
        text = [(name, adapter) for name, adapter in everything if adapter.part == "text_encoder"]
        if isinstance(text_encoder_lr, tuple) and not any(name.split("_")[1] == "te2" for name, _ in text):
            text_encoder_lr = text_encoder_lr[0]  # one encoder: the first rate, as sd-scripts
        if isinstance(text_encoder_lr, tuple):
            for number, lr in enumerate(text_encoder_lr, start=1):
                own = [adapter for name, adapter in text if (name.split("_")[1] == "te2") == (number == 2)]
                found += _groups(f"textencoder {number}", own, lr, plus)
        else:
            found += _groups("textencoder", [adapter for _, adapter in text], text_encoder_lr, plus)

        plus, unet = self.options.unet_plus_ratio, [adapter for _, adapter in everything if adapter.part == "unet"]
        if self.block_weights is None:
            return found + _groups("unet", unet, unet_lr, plus)
        for block in dict.fromkeys(adapter.block for adapter in unet):
            own = [adapter for adapter in unet if adapter.block == block]
            weight = 1.0 if block is None else self.block_weights[block]
            found += _groups("unet" if block is None else f"unet_block{block}", own, unet_lr * weight, plus)
        return found

    def file_tensors(self) -> dict[str, Tensor]:
        """Every tensor under its key in a LoRA file."""
        return {
            f"{name}.{key}": value for name, adapter in self.adapters() for key, value in adapter.file_tensors().items()
        }

    def load(self, state: Mapping[str, Tensor], path: str) -> list[str]:
        """Take weights and alphas over; returns what did not match, as sentences.

        The scale follows the file's alpha. Raises NetworkError when a rank or shape differs.
        """
        own = self.file_tensors()
        usable = self.usable(state, path)
        asked = self._alphas()
        self.load_state_dict(usable, strict=False)
        filled = {key.partition(".")[0] for key in usable}
        for name, adapter in self.adapters():
            if name in filled:
                adapter.loaded()
        missing, unknown = len(own.keys() - usable.keys()), len(state.keys() - usable.keys())
        notes = [f"{path}: {missing} tensors of the network are not in the file and start fresh"] if missing else []
        notes += self._other_alphas(asked, path, "file")
        return notes + (
            [f"{path}: {unknown} tensors of the file have no place in this network and were left out"]
            if unknown
            else []
        )

    def resume(self, state: Mapping[str, Tensor], path: str) -> list[str]:
        """Take over the tensors of a training state, which `misfit` has nothing against; returns sentences on alphas.

        The scale follows the state's alpha.
        """
        asked, own = self._alphas(), self.state_dict()
        self.load_state_dict({key: value.reshape(own[key].shape) for key, value in state.items()})
        for _, adapter in self.adapters():
            adapter.follow_buffers()
        return self._other_alphas(asked, path, "state")

    def misfit(self, state: Mapping[str, Tensor]) -> str | None:
        """What of a training state is not of this network, in words; None when all of it is.

        A 1x1 convolution may stand where the state has a linear layer, and the reverse: another form of the base model.
        """
        own = self.state_dict()
        for key in sorted({*own, *state}):
            here, there = own.get(key), state.get(key)
            if here is None or there is None or _without_ones(here) != _without_ones(there):
                sizes = "missing in the state" if there is None else f"{list(there.shape)} in the state"
                ours = "no part of the network here" if here is None else f"{list(here.shape)} here"
                return f"{key} is {sizes} and {ours}"
            if not here.is_floating_point() and not torch.equal(here.cpu(), there.reshape(here.shape).cpu()):
                return f"{key} is {there.tolist()} in the state and {here.tolist()} here"
        return None

    def _check_method(self, state: Mapping[str, Tensor], path: str) -> None:
        """Raises NetworkError for a layer that the file and this network adapt by different methods."""
        layers = {name.partition("_")[2]: (name, tensors) for name, tensors in by_layer(state).items()}
        for name, adapter in self.adapters():
            file_name, tensors = layers.get(name.partition("_")[2], (name, {}))
            method = files.layer_method(file_name, {key: tuple(value.shape) for key, value in tensors.items()})
            ours = next(known for known, kind in METHODS.items() if type(adapter) is kind)
            if method is None:
                continue
            if method != files.READS.get(ours, ours):
                lengths = files.lengths_of(tensors["dora_scale"].shape) if "dora_scale" in tensors else None
                values = {"path": path, "method": files.title(method, bool(lengths)), "ours": files.title(ours),
                          "cure": files.cure(method, lengths)}  # fmt: skip
                raise NetworkError(files.OTHER_METHOD.format(**values))
            fault = files.structure_fault(method, name, tensors, adapter.file_tensors())
            side = tensors.get("on_input")
            if side is not None and bool(side) != bool(adapter.on_input):
                fault = f"{name} has other channels in the file, which train_on_input decides; set it as for the file"
            theirs, own = tensors.get("dora_scale"), getattr(adapter, "dora_scale", None)
            if theirs is not None and own is not None and files.lengths_of(theirs.shape) != files.lengths_of(own.shape):
                lengths = files.lengths_of(theirs.shape)
                fault = f"{name} has lengths of {lengths} in the file; set wd_on_output={lengths == files.OUTPUTS}"
            if fault:
                raise NetworkError(f"{path}: {fault}")

    def _alphas(self) -> dict[str, float]:
        return {key: float(value) for key, value in self.state_dict().items() if key.endswith(".alpha")}

    def _other_alphas(self, asked: Mapping[str, float], path: str, source: str) -> list[str]:
        """Sentences on alphas that came with a file or state and are not what the settings ask for."""
        now = self._alphas()
        pairs = {(alpha, now[key]) for key, alpha in asked.items()}  # whole matrices of LoKr take none over
        return [
            f"{path}: its alpha is {found:g}, the settings say {alpha:g}; the {source}'s is used and kept"
            for alpha, found in sorted(pair for pair in pairs if not math.isclose(*pair, rel_tol=ROUNDING))
        ]

    def usable(self, state: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
        """The tensors of a file that have a place here, float32.

        Raises NetworkError: of another method or structure, of other shapes, NaN, or none.
        """
        self._check_method(state, path)
        own = self.file_tensors()
        found: dict[str, Tensor] = {}
        for key, value in state.items():
            if key not in own:
                continue
            if own[key].is_floating_point() and not (value.is_floating_point() or key.endswith("alpha")):
                raise NetworkError(
                    f"{path}: {key} holds {value.dtype}, not numbers with a fraction; choose another file"
                )
            if _without_ones(value) != _without_ones(own[key]):
                shapes = f"{tuple(value.shape)}, the network here {tuple(own[key].shape)}"
                cure = "set network_dim to the file's rank or switch dim_from_weights on"
                raise NetworkError(f"{path}: {key} has shape {shapes}; {cure}")
            found[key] = value.float().reshape(own[key].shape)
            if not torch.isfinite(found[key]).all():
                raise NetworkError(f"{path}: {key} holds NaN or infinity, so the file is damaged; choose another one")
        if not found:
            raise NetworkError(
                f"{path}: none of its {len(state)} tensors belongs to this model; is it for another model family?"
            )
        return found

    @torch.no_grad()
    def limit_norms(self, limit: float) -> tuple[Tensor, Tensor, Tensor]:
        """Scale back every change whose norm exceeds `limit` (scale_weight_norms).

        Returns how many were scaled, the mean and the largest norm afterwards, 0-dim on the device: reading them waits
        for it. As sd-scripts: KOHYA_COMPAT 5.8.
        """
        adapters = [adapter for _, adapter in self.adapters() if adapter.limited]
        if not adapters:
            return torch.tensor(0), torch.tensor(0.0), torch.tensor(0.0)
        norms = torch.stack([adapter.norm() for adapter in adapters])
        reach = norms.clamp(min=limit / 2)
        ratios = reach.clamp(max=limit) / reach
        for adapter, ratio in zip(adapters, ratios.unbind(), strict=True):
            adapter.shrink(ratio)
        kept = norms * ratios
        return (ratios != 1).sum(), kept.mean(), kept.max()


def attach(
    targets: Sequence[Target], options: NetworkOptions, seed: int, like: Mapping[str, Tensor] | None = None
) -> Network:
    """Build a network over the targets and wrap their layers; see networks.attach."""
    network = plan(targets, options, like)
    for name, adapter in network.adapters():
        adapter.initialise(seeds.generator(seed, "network", name))
    network.attach()
    return network


def plan(targets: Sequence[Target], options: NetworkOptions, like: Mapping[str, Tensor] | None = None) -> Network:
    """The same without initial values and attached to nothing: shows what can be built for layers without weights."""
    adapters: dict[str, Adapter] = {}
    for name, adapter in _built(targets, options) if like is None else alike(targets, options, like):
        if name in adapters:
            raise NetworkError(f"{name}: two layers have this name")
        adapters[name] = adapter
    if not adapters:
        raise NetworkError(
            "no layer of the model matches the network; check network_weights, dim_from_weights and the preset"
        )
    weights = None if options.blocks is None else block_weights(options.blocks, layout_of(targets))
    return Network(adapters, options, weights)


def of_file(targets: Sequence[Target], state: Mapping[str, Tensor], path: str) -> tuple[Network, Mapping[str, Tensor]]:
    """The network that a file of any method is made for, without its weights, and the file's tensors by our names.

    Raises NetworkError when nothing of it belongs to the model.
    """
    named = renamed(targets, state)
    network = Network(dict(alike(targets, NetworkOptions(), named)), NetworkOptions())
    if not list(network.adapters()):
        raise NetworkError(
            f"{path}: none of its {len(state)} tensors belongs to this model; is it for another model family?"
        )
    return network, named


@torch.no_grad()
def merge(targets: Sequence[Target], state: Mapping[str, Tensor], multiplier: float, path: str) -> list[str]:
    """Add the changes of a LoRA file, of any method, to the frozen weights (base_weights); returns what did not match.

    Computed in float32 and brought back to the layer's format. Raises NetworkError when nothing matches, when sizes
    differ, and for layers whose weights are quantised.
    """
    network, named = of_file(targets, state, path)
    notes = network.load(named, path)
    for name, adapter in network.adapters():
        if is_quantised(adapter.layer):
            raise NetworkError(f"{path}: {name} is quantised in the base model; base_weights need an unquantised base")
        adapter.to(adapter.layer.weight.device)
        weight, bias, bias_delta = adapter.layer.weight, adapter.layer.bias, adapter.bias_delta()
        weight.copy_(weight.float() + multiplier * adapter.weight_delta().view_as(weight))
        if bias_delta is not None:
            bias.copy_(bias.float() + multiplier * bias_delta)
    return notes


def renamed(targets: Sequence[Target], state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A file's tensors under the names used here: SDXL files may have diffusers' names behind kohya's prefix.

    A file of diffusers calls the first text encoder alike in all families: lora_te stands for lora_te1 then.
    """
    names: dict[str, str] = {}
    for target in targets:
        prefix = "_".join(target.name.split("_")[:2])
        names[f"{prefix}_{target.path.replace('.', '_')}"] = target.name
        if prefix == "lora_te1":
            names[f"lora_te_{target.path.replace('.', '_')}"] = target.name
            names[target.name.replace("lora_te1_", "lora_te_", 1)] = target.name
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        name, _, ending = key.partition(".")
        first, _, rest = name.partition("_")
        ours = names.get(f"lora_{rest}")
        found[key if ours is None else f"{first}{ours.removeprefix('lora')}.{ending}"] = value
    return found


def alike(
    targets: Sequence[Target], options: NetworkOptions, state: Mapping[str, Tensor]
) -> Iterator[tuple[str, Adapter]]:
    """Names and adapters of the layers that a file's tensors name, by the methods and in the sizes they show.

    Raises NetworkError for tensors of which no layer can be made.
    """
    tensors = by_layer(state)
    for target in targets:
        for kind in (METHODS[options.method], *METHODS.values()):
            name = _name(target, kind)
            if name in tensors and kind.knows(tensors[name]):
                yield name, _like(kind, target, tensors[name], options)
                break


def _like(kind: type[Adapter], target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> Adapter:
    alpha = tensors.get("alpha")
    if alpha is not None and alpha.numel() != 1:
        name = _name(target, kind)
        raise NetworkError(f"{name}.alpha has shape {tuple(alpha.shape)}, not one number; choose another file")
    try:
        return kind.like(target, tensors, options)
    except (ValueError, IndexError, KeyError, RuntimeError, ArithmeticError) as error:
        if isinstance(error, NetworkError):
            raise
        sizes = ", ".join(f"{ending} {tuple(value.shape)}" for ending, value in tensors.items())
        said = (
            f"no layer of this method has tensors of the sizes of {_name(target, kind)} ({sizes}); choose another file"
        )
        raise NetworkError(said) from error


def by_layer(state: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """{"lora_unet_x.lora_up.weight": ...} -> {"lora_unet_x": {"lora_up.weight": ...}}."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name, _, ending = key.partition(".")
        found.setdefault(name, {})[ending] = value
    return found


def _built(targets: Sequence[Target], options: NetworkOptions) -> Iterator[tuple[str, Adapter]]:
    if "preset" in options.arguments:
        yield from lycoris.adapters(targets, options)
        return
    for target, kind, size in METHODS[options.method].plan(targets, options):
        yield _name(target, kind), kind(target, size, options)


def _without_ones(tensor: Tensor) -> list[int]:
    """The sizes that count: a 1x1 convolution's weight is that of a linear layer, but never the transposed one."""
    return [size for size in tensor.shape if size != 1]


def _name(target: Target, kind: type[Adapter]) -> str:
    return kind.prefix + target.name.removeprefix("lora")


def _groups(label: str, adapters: Sequence[Adapter], lr: float, ratio: float | None) -> list[ParameterGroup]:
    """One group, or two when LoRA+ sets those parameters apart that begin at zero."""
    trained = [p for adapter in adapters for p in adapter.parameters() if p.requires_grad]
    if not trained or not lr:
        return []
    if ratio is None:
        return [ParameterGroup(label, tuple(trained), lr)]
    plus = [p for adapter in adapters for p in adapter.parameters_plus()]
    higher = {id(p) for p in plus}
    plain = tuple(p for p in trained if id(p) not in higher)
    groups = [ParameterGroup(label, plain, lr), ParameterGroup(f"{label} plus", tuple(plus), lr * ratio)]
    return [group for group in groups if group.parameters]
