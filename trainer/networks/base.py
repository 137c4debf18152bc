"""What every network method is given: the layers to adapt and the options of [network]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import nn

Part = Literal["text_encoder", "unet"]


class Target(Protocol):
    """A layer to adapt. name: its kohya key, such as lora_unet_mid_block_attentions_0_proj_in."""

    @property
    def name(self) -> str: ...
    @property
    def module(self) -> nn.Module: ...
    @property
    def part(self) -> Part: ...


class NetworkSection(Protocol):
    """The fields of the [network] section that are read here."""

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
    """Ranks, alphas and dropouts of a network. alpha 0 means the same as the rank.

    conv_rank None: 3x3 convolutions stay as they are. ranks: module name -> (rank, alpha) where a file decides.
    """

    rank: int = 4
    alpha: float = 1.0
    conv_rank: int | None = None
    conv_alpha: float = 1.0
    dropout: float = 0.0
    rank_dropout: float = 0.0
    module_dropout: float = 0.0
    unet_plus_ratio: float | None = None
    text_encoder_plus_ratio: float | None = None
    ranks: Mapping[str, tuple[int, float]] | None = None


def parse_arguments(texts: Sequence[str]) -> dict[str, str]:
    """["conv_dim=8"] -> {"conv_dim": "8"}; split at the first equals sign, as sd-scripts does."""
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def network_options(section: NetworkSection, ranks: Mapping[str, tuple[int, float]] | None = None) -> NetworkOptions:
    """The [network] section and its network_args as options. The config's rules have checked names and numbers."""
    given = {name: float(value) for name, value in parse_arguments(section.network_args).items()}
    plus = given.get("loraplus_lr_ratio")
    conv_rank = int(given["conv_dim"]) if given.get("conv_dim") else None
    return NetworkOptions(
        rank=section.network_dim or 4,
        alpha=section.network_alpha,
        conv_rank=conv_rank,
        conv_alpha=given.get("conv_alpha", 1.0),
        dropout=section.network_dropout or 0.0,
        rank_dropout=given.get("rank_dropout", 0.0),
        module_dropout=given.get("module_dropout", 0.0),
        unet_plus_ratio=given.get("loraplus_unet_lr_ratio", plus),
        text_encoder_plus_ratio=given.get("loraplus_text_encoder_lr_ratio", plus),
        ranks=ranks,
    )
