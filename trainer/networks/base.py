"""The trainable change of one layer: what every method shares. The methods are in files of their own, all adapters of a
model together are in network.py.

B batch · T tokens · r rank · k kernel side
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks.blocks import BlockError
from trainer.networks.options import NetworkOptions
from trainer.networks.selection import lora_sizes

Part = Literal["text_encoder", "unet"]


class NetworkError(ValueError):
    """A network file does not fit the model or the settings. The text names the module and the cure."""


class Target(Protocol):
    """A layer that may be adapted. name: its kohya key, such as lora_unet_mid_block_attentions_0_proj_in.

    path: its place in its part's module. containers: class names of the modules around it. block: its number in
    sd-scripts' count of U-Net blocks (KOHYA_COMPAT 6.5), None outside of them.
    """

    @property
    def name(self) -> str: ...
    @property
    def module(self) -> nn.Module: ...
    @property
    def part(self) -> Part: ...
    @property
    def path(self) -> str: ...
    @property
    def containers(self) -> frozenset[str]: ...
    @property
    def block(self) -> int | None: ...


@dataclass(frozen=True)
class Size:
    """How large the change of one layer is. alpha 0 means the same as the rank."""

    rank: int
    alpha: float


class Adapter(nn.Module):
    """The change of one layer. The layer keeps its weights; its forward is wrapped while the adapter is attached.

    A method is a subclass. It makes its parameters in __init__ (their names are the keys of the file), gives them
    first values in `initialise`, says in `adapted` what the layer gives now, and in `weight_delta` what that is as a
    change of the weight. `adapted` may add something to `self.frozen(x)`, compute with a changed weight through
    `self.with_weight(x, weight, bias)`, or change what `self.frozen(x)` gives.

    tells: key endings by which a file's tensors are known to be of this method. layer_types: what it can adapt.
    prefix: the first word of its keys. needs_weight: it computes with the layer's weight, so the layer must not be
    quantised. limited: scale_weight_norms acts on it.
    """

    tells: ClassVar[tuple[str, ...]] = ()
    layer_types: ClassVar[tuple[type[nn.Module], ...]] = (nn.Linear, nn.Conv2d)
    prefix: ClassVar[str] = "lora"
    needs_weight: ClassVar[bool] = False
    limited: ClassVar[bool] = True

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        """Raises NetworkError when the layer is of a kind that the method cannot adapt."""
        super().__init__()
        layer: Any = target.module
        if not isinstance(layer, self.layer_types) or getattr(layer, "groups", 1) != 1:
            kinds = " and ".join(kind.__name__ for kind in self.layer_types)
            raise NetworkError(
                f"{target.name}: a {type(layer).__name__} cannot carry a {type(self).__name__}; only {kinds} layers can"
            )
        if self.needs_weight and is_quantised(layer):
            raise NetworkError(
                f"{target.name}: {type(self).__name__} computes with the weights of the base model, which are "
                "quantised here; keep the base in bf16 or fp16, or choose networks.lora"
            )
        self.part: Part = target.part
        self.block = target.block
        self.size = size
        self.options = options
        self.__dict__["layer"] = layer  # not a child: its weights are not ours to save

    @classmethod
    def plan(cls, targets: Sequence[Target], options: NetworkOptions) -> Iterator[tuple[Target, type[Adapter], Size]]:
        """Which of a model's layers are adapted, by which class and how large; here as networks.lora does."""
        try:
            for target, size in lora_sizes(targets, options):
                yield target, cls, size
        except BlockError as error:
            raise NetworkError(str(error)) from error

    def initialise(self, generator: torch.Generator) -> None:
        """Give the parameters their first values, drawn from `generator`. A fresh adapter changes nothing."""
        raise NotImplementedError

    def adapted(self, x: Tensor) -> Tensor:
        """What the layer gives with the change. x: the layer's input."""
        raise NotImplementedError

    def weight_delta(self) -> Tensor:
        """The change as one tensor of the weight's shape, float32: new weight - frozen weight."""
        raise NotImplementedError

    def bias_delta(self) -> Tensor | None:
        """The same for the bias; None when the method leaves it alone."""
        return None

    def parameters_plus(self) -> Sequence[nn.Parameter]:
        """Parameters that LoRA+ trains at a higher rate: those that begin at zero."""
        return ()

    def norm(self) -> Tensor:
        """Frobenius norm of the change of the weight, 0-dim float32."""
        return self.weight_delta().norm()

    def shrink(self, ratio: Tensor) -> None:
        """Multiply the change of the weight by `ratio` (0-dim, at most 1) in place, without a look at its value."""
        raise NetworkError(f"scale_weight_norms does not work with {type(self).__name__}; clear it")

    def loaded(self) -> None:
        """Called when values of a file were put into parameters and buffers."""
        self.follow_buffers()

    def follow_buffers(self) -> None:
        """Compute with what the buffers say (alpha) after they were filled, from a file or from a state."""

    def file_tensors(self) -> dict[str, Tensor]:
        """Key ending -> tensor, as a file has them. `state_dict` has what a resumed run needs, which may be more."""
        return {key: value.detach() for key, value in self.state_dict().items()}

    @classmethod
    def knows(cls, tensors: Mapping[str, Tensor]) -> bool:
        """Whether a file's tensors of one layer (key ending -> tensor) are of this method."""
        return any(ending in tensors for ending in cls.tells)

    @classmethod
    def like(cls, target: Target, tensors: Mapping[str, Tensor], options: NetworkOptions) -> Adapter:
        """An adapter of the sizes that a file's tensors of this layer have (key ending -> tensor), without values.

        Raises NetworkError when they do not fit the layer.
        """
        raise NotImplementedError

    @property
    def layer(self) -> Any:
        """The frozen layer."""
        return self.__dict__["layer"]

    @property
    def name(self) -> str:
        """The method's name for messages."""
        return type(self).__name__

    def frozen(self, x: Tensor) -> Tensor:
        """What the layer gives without the change."""
        result: Tensor = self.__dict__["frozen_forward"](x)
        return result

    def frozen_weight(self) -> Tensor:
        """The layer's weight, float32, without gradient."""
        weight: Tensor = self.layer.weight
        return weight.detach().float()

    def with_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """What the layer would give with another weight; its own bias unless one is given."""
        layer = self.layer
        bias = layer.bias if bias is None else bias
        if not torch.is_autocast_enabled(x.device.type):
            weight, bias = weight.to(x.dtype), None if bias is None else bias.to(x.dtype)
        elif bias is not None and bias.dtype == torch.float8_e4m3fn:
            bias = bias.float()
        if isinstance(layer, nn.Linear):
            return F.linear(x, weight, bias)
        if isinstance(layer, nn.Conv2d):
            return F.conv2d(x, weight, bias, layer.stride, layer.padding, layer.dilation)
        if isinstance(layer, nn.LayerNorm):
            return F.layer_norm(x, layer.normalized_shape, weight, bias, layer.eps)
        return F.group_norm(x, layer.num_groups, weight, bias, layer.eps)

    def attach(self) -> None:
        """Wrap the layer's forward."""
        if "frozen_forward" in self.__dict__:
            return
        self.__dict__["frozen_forward"] = self.layer.forward
        self.layer.forward = self.forward

    def detach(self) -> None:
        """Give the layer its own forward back."""
        frozen = self.__dict__.pop("frozen_forward", None)
        if frozen is not None:
            self.layer.forward = frozen

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives: with the change, or, by chance of module_dropout in training, without."""
        chance = self.options.module_dropout
        if not (self.training and chance):
            return self.adapted(x)
        keep = torch.rand(()) >= chance  # on the CPU: asking it waits for nothing
        if torch.compiler.is_compiling():
            return torch.where(keep.to(x.device), self.adapted(x), self.frozen(x))
        return self.adapted(x) if keep else self.frozen(x)


class RankedAdapter(Adapter):
    """An adapter with a rank and an alpha: its change is scaled by alpha / rank. The file keeps alpha as float32."""

    alpha: Tensor

    def __init__(self, target: Target, size: Size, options: NetworkOptions) -> None:
        super().__init__(target, size, options)
        self.rank = size.rank
        self.register_buffer("alpha", torch.tensor(float(size.alpha or size.rank)))
        self.scale = float(size.alpha or size.rank) / size.rank

    def follow_buffers(self) -> None:
        """The scale follows the alpha (Q-17)."""
        self.scale = float(self.alpha) / self.rank

    def dropped(self, hidden: Tensor, rank_dim: int) -> Tensor:
        """Dropouts on the rank activations (B, ..., r, ...), in training only. rank_dim: which dimension is r.

        A kept rank is divided by the chance of being kept, so that the mean stays. One mask a sample.
        """
        if not self.training:
            return hidden
        options = self.options
        if options.dropout:
            hidden = F.dropout(hidden, options.dropout)
        if options.rank_dropout:
            shape = [hidden.shape[0]] + [1] * (hidden.dim() - 1)
            shape[rank_dim] = hidden.shape[rank_dim]
            keep = torch.rand(shape, device=hidden.device) > options.rank_dropout
            hidden = hidden * keep / (1 - options.rank_dropout)
        return hidden


def is_quantised(layer: nn.Module) -> bool:
    """Whether a layer keeps its weight as int8 or in 4 bits (bitsandbytes): its numbers cannot be used directly."""
    weight = getattr(layer, "weight", None)
    return isinstance(weight, Tensor) and not weight.is_floating_point()
