"""The options of a network, made from the [network] section. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trainer.arguments import Value


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
    """Method, ranks, alphas and dropouts of a network. alpha 0 means the same as the rank.

    method: a name of methods.py. conv_rank None: 3x3 convolutions stay as they are. arguments: what only
    this method knows.
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
    arguments: Mapping[str, Value] = field(default_factory=dict)


def parse_arguments(texts: Sequence[str]) -> dict[str, str]:
    """["conv_dim=8"] -> {"conv_dim": "8"}; split at the first equals sign, as sd-scripts does."""
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def network_options(section: NetworkSection) -> NetworkOptions:
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
    )
