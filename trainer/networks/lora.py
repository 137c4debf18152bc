"""LoRA and LoCon: a low-rank update up @ down * alpha / rank beside frozen linear and convolution layers.

Hu et al. 2021, arXiv:2106.09685. Names, shapes, initial values and dropouts as in kohya-ss/sd-scripts' networks.lora,
so that files work everywhere. B batch · T tokens · r rank · k kernel side
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer import seeds
from trainer.networks.base import NetworkOptions, Part, Target


class NetworkError(ValueError):
    """A network file does not fit the model or the settings. The text names the module and the cure."""


def linear_delta(x: Tensor, down: Tensor, up: Tensor, scale: float, hidden: Callable[[Tensor], Tensor]) -> Tensor:
    """(..., in) -> (..., out): scale * up(hidden(down(x))); down (r, in), up (out, r)."""
    return F.linear(hidden(F.linear(x, down)), up) * scale


def conv_delta(
    x: Tensor, down: Tensor, up: Tensor, scale: float, hidden: Callable[[Tensor], Tensor], base: nn.Conv2d
) -> Tensor:
    """(B, in, H, W) -> (B, out, H', W'); down (r, in, k, k) with the layer's stride and padding, up (out, r, 1, 1)."""
    narrow = F.conv2d(x, down, None, base.stride, base.padding, base.dilation)
    return F.conv2d(hidden(narrow), up) * scale


def full_delta(down: Tensor, up: Tensor, scale: float) -> Tensor:
    """The update as one weight of the layer's shape: (out, in) or (out, in, k, k), float32."""
    product = up.float().flatten(1) @ down.float().flatten(1)
    return scale * product.view(up.shape[0], *down.shape[1:])


class LoRAModule(nn.Module):
    """The update of one layer. The layer keeps its weights; its forward is wrapped while the module is attached."""

    alpha: Tensor

    def __init__(self, target: Target, rank: int, alpha: float, options: NetworkOptions, seed: int) -> None:
        """Raises NetworkError when the layer is neither linear nor a plain convolution."""
        super().__init__()
        layer: Any = target.module
        if isinstance(layer, nn.Linear):
            self.lora_down: nn.Module = nn.Linear(layer.in_features, rank, bias=False)
            self.lora_up: nn.Module = nn.Linear(rank, layer.out_features, bias=False)
        elif isinstance(layer, nn.Conv2d) and layer.groups == 1:
            geometry: Any = {"kernel_size": layer.kernel_size, "stride": layer.stride, "padding": layer.padding}
            self.lora_down = nn.Conv2d(layer.in_channels, rank, bias=False, **geometry)
            self.lora_up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            raise NetworkError(
                f"{target.name}: a {type(layer).__name__} cannot carry a LoRA; only linear and convolution layers can"
            )
        self.part: Part = target.part
        self.rank = rank
        self.options = options
        self.register_buffer("alpha", torch.tensor(float(alpha or rank)))
        self.scale = float(alpha or rank) / rank
        self.__dict__["layer"] = layer  # not a child: its weights are not ours to save
        with torch.no_grad():
            bound = 1 / math.sqrt(self.down.flatten(1).shape[1])  # Kaiming uniform with a = sqrt(5)
            draw = torch.rand(self.down.shape, generator=seeds.generator(seed, "network", target.name))
            self.down.copy_((draw * 2 - 1) * bound)
            self.up.zero_()

    @property
    def down(self) -> Tensor:
        """(r, in) or (r, in, k, k)."""
        return self.lora_down.weight  # type: ignore[return-value]

    @property
    def up(self) -> Tensor:
        """(out, r) or (out, r, 1, 1)."""
        return self.lora_up.weight  # type: ignore[return-value]

    def attach(self) -> None:
        """Wrap the layer's forward."""
        layer: nn.Module = self.__dict__["layer"]
        if "frozen_forward" in self.__dict__:
            return
        self.__dict__["frozen_forward"] = layer.forward
        layer.forward = self.forward

    def detach(self) -> None:
        """Give the layer its own forward back."""
        frozen = self.__dict__.pop("frozen_forward", None)
        if frozen is not None:
            self.__dict__["layer"].forward = frozen

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives, plus the update."""
        result: Tensor = self.__dict__["frozen_forward"](x)
        if self.training and self.options.module_dropout and float(torch.rand(())) < self.options.module_dropout:
            return result
        scale = self.scale
        layer = self.__dict__["layer"]
        if isinstance(layer, nn.Linear):
            return result + linear_delta(x, self.down, self.up, scale, self._dropped)
        return result + conv_delta(x, self.down, self.up, scale, self._dropped, layer)

    def _dropped(self, hidden: Tensor) -> Tensor:
        """Dropouts on the rank activations, (B, ..., r) or (B, r, H, W), in training only."""
        if not self.training:
            return hidden
        if self.options.dropout:
            hidden = F.dropout(hidden, self.options.dropout)
        if self.options.rank_dropout:
            keep = torch.rand((hidden.shape[0], self.rank), device=hidden.device) > self.options.rank_dropout
            shape = (hidden.shape[0], self.rank, 1, 1) if hidden.dim() == 4 and isinstance(self.lora_down,
            nn.Conv2d) else (
                hidden.shape[0], *[1] * (hidden.dim() - 2), self.rank)  # fmt: skip
            hidden = hidden * keep.view(shape) / (1 - self.options.rank_dropout)
        return hidden


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate. label: its name in logs, as sd-scripts calls it."""

    label: str
    parameters: tuple[nn.Parameter, ...]
    lr: float


class LoRANetwork(nn.Module):
    """All updates of a model, by kohya name. `state_dict()` has the keys of a LoRA file."""

    def __init__(self, modules: Mapping[str, LoRAModule], options: NetworkOptions) -> None:
        super().__init__()
        self.options = options
        for name, module in modules.items():
            self.add_module(name, module)

    def loras(self) -> Iterator[tuple[str, LoRAModule]]:
        """Names and updates, in the order they were attached."""
        for name, module in self.named_children():
            assert isinstance(module, LoRAModule)
            yield name, module

    def detach(self) -> None:
        """Give every layer its own forward back."""
        for _, module in self.loras():
            module.detach()

    def groups(self, text_encoder_lr: float, unet_lr: float) -> list[ParameterGroup]:
        """Parameters by part, text encoder first; the up matrices apart when LoRA+ ratios are set.

        A part whose rate is 0 gets no group: it is saved but not trained. Hayou et al. 2024, arXiv:2402.12354 for
        LoRA+.
        """
        found = []
        parts = (("textencoder", "text_encoder", text_encoder_lr, self.options.text_encoder_plus_ratio),
                 ("unet", "unet", unet_lr, self.options.unet_plus_ratio))  # fmt: skip
        for label, part, lr, ratio in parts:
            modules = [module for _, module in self.loras() if module.part == part]
            if not modules or not lr:
                continue
            if ratio is None:
                found.append(ParameterGroup(label, tuple(p for module in modules for p in module.parameters()), lr))
                continue
            found.append(
                ParameterGroup(label, tuple(p for module in modules for p in module.lora_down.parameters()), lr)
            )
            found.append(
                ParameterGroup(
                    f"{label} plus", tuple(p for module in modules for p in module.lora_up.parameters()), lr * ratio
                )
            )
        return found

    def load(self, state: Mapping[str, Tensor], path: str) -> list[str]:
        """Take weights and alphas over; returns what did not match, as sentences.

        The scale follows the file's alpha. Raises NetworkError when a rank or shape differs.
        """
        own = self.state_dict()
        usable: dict[str, Tensor] = {}
        for key, value in state.items():
            if key not in own:
                continue
            fitted = value.float().reshape(own[key].shape) if value.numel() == own[key].numel() else value
            if fitted.shape != own[key].shape:
                shapes = f"{tuple(value.shape)}, the network here {tuple(own[key].shape)}"
                cure = "set network_dim to the file's rank or switch dim_from_weights on"
                raise NetworkError(f"{path}: {key} has shape {shapes}; {cure}")
            usable[key] = fitted
        if not usable:
            raise NetworkError(
                f"{path}: none of its {len(state)} tensors belongs to this model; is it for another model family?"
            )
        self.load_state_dict(usable, strict=False)
        for _, module in self.loras():
            module.scale = float(module.alpha) / module.rank
        missing, unknown = len(own.keys() - usable.keys()), len(state.keys() - usable.keys())
        notes = [f"{path}: {missing} tensors of the network are not in the file and start fresh"] if missing else []
        return notes + (
            [f"{path}: {unknown} tensors of the file have no place in this network and were left out"]
            if unknown
            else []
        )

    @torch.no_grad()
    def limit_norms(self, limit: float) -> tuple[int, float, float]:
        """Scale back every update whose norm exceeds `limit` (scale_weight_norms).

        Returns how many were scaled, the mean and the largest norm afterwards. As sd-scripts: KOHYA_COMPAT 5.8.
        """
        scaled, norms = 0, []
        for _, module in self.loras():
            scale = float(module.alpha) / module.rank
            norm = full_delta(module.down, module.up, scale).norm()
            reach = norm.clamp(min=limit / 2)
            ratio = float(reach.clamp(max=limit) / reach)
            if ratio != 1:
                scaled += 1
                module.up.mul_(ratio**0.5)
                module.down.mul_(ratio**0.5)
            norms.append(float(norm) * ratio)
        return scaled, sum(norms) / len(norms), max(norms)


def attach(targets: Sequence[Target], options: NetworkOptions, seed: int) -> LoRANetwork:
    """Build a network over the targets and wrap their layers.

    Initial values depend on (seed, module name) only. Raises NetworkError when nothing can be adapted.
    """
    modules: dict[str, LoRAModule] = {}
    for target in targets:
        size = _size(target, options)
        if size is None:
            continue
        if target.name in modules:
            raise NetworkError(f"{target.name}: two layers have this name")
        modules[target.name] = LoRAModule(target, *size, options, seed)
    if not modules:
        raise NetworkError("no layer of the model matches the network; check network_weights and dim_from_weights")
    for module in modules.values():
        module.attach()
    return LoRANetwork(modules, options)


def _size(target: Target, options: NetworkOptions) -> tuple[int, float] | None:
    """Rank and alpha of a layer; None leaves it alone."""
    if options.ranks is not None:
        return options.ranks.get(target.name)
    layer = target.module
    if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
        return (options.conv_rank, options.conv_alpha) if options.conv_rank else None
    return options.rank, options.alpha


def ranks_of(state: Mapping[str, Tensor]) -> dict[str, tuple[int, float]]:
    """Module name -> (rank, alpha) of a LoRA file's tensors; alpha = rank where the file has none."""
    found = {}
    for key, value in state.items():
        if key.endswith(".lora_down.weight"):
            name = key.removesuffix(".lora_down.weight")
            alpha = state.get(f"{name}.alpha")
            found[name] = (value.shape[0], float(value.shape[0] if alpha is None else alpha))
    return found
