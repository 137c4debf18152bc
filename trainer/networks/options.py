"""The options of a network, made from the [network] section. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trainer.arguments import Value
from trainer.networks.arguments import method_of, modern, parse
from trainer.networks.blocks import BlockOptions


class NetworkSection(Protocol):
    """The fields of the [network] section that are read here."""

    @property
    def network_module(self) -> str: ...
    @property
    def network_dim(self) -> int | None: ...
    @property
    def network_alpha(self) -> float: ...
    @property
    def network_dropout(self) -> float | None: ...
    @property
    def network_args(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class NetworkOptions:
    """Method, ranks, alphas and dropouts of a network. alpha 0 means the same as the rank.

    method: a name of methods.py. conv_rank None: 3x3 convolutions stay as they are. blocks: what differs
    between U-Net blocks. arguments: network_args as they were read, for what only one method knows.
    """

    method: str = "lora"
    rank: int = 4
    alpha: float = 1.0
    conv_rank: int | None = None
    conv_alpha: float = 1.0
    dropout: float = 0.0
    rank_dropout: float = 0.0
    module_dropout: float = 0.0
    unet_plus_ratio: float | None = None
    text_encoder_plus_ratio: float | None = None
    blocks: BlockOptions | None = None
    arguments: Mapping[str, Value] = field(default_factory=dict)


def network_options(section: NetworkSection) -> NetworkOptions:
    """The [network] section and its network_args as options. Raises ArgumentError, which the config's rules foresee."""
    method = method_of(section.network_module, section.network_args)
    given = parse(section.network_module, section.network_args)

    def number(name: str, default: float | None) -> Any:
        return given.get(name, default)

    plus = number("loraplus_lr_ratio", None)
    return NetworkOptions(
        method=method.name,
        rank=section.network_dim or 4,
        alpha=section.network_alpha,
        conv_rank=number("conv_dim", None) or None,
        conv_alpha=float(number("conv_alpha", 1.0)),
        dropout=number("dropout", section.network_dropout) or 0.0,
        rank_dropout=number("rank_dropout", 0.0),
        module_dropout=number("module_dropout", 0.0),
        unet_plus_ratio=number("loraplus_unet_lr_ratio", plus),
        text_encoder_plus_ratio=number("loraplus_text_encoder_lr_ratio", plus),
        blocks=_blocks(given),
        arguments=modern(given),
    )


def _blocks(given: Mapping[str, Any]) -> BlockOptions | None:
    """Own numbers for blocks, when any are given."""
    options = BlockOptions(
        dims=given.get("block_dims"),
        alphas=given.get("block_alphas"),
        conv_dims=given.get("conv_block_dims"),
        conv_alphas=given.get("conv_block_alphas"),
        down=given.get("down_lr_weight"),
        mid=given.get("mid_lr_weight"),
        up=given.get("up_lr_weight"),
        zero_threshold=given.get("block_lr_zero_threshold", 0.0),
    )
    return options if options.given else None
