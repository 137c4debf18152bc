"""Which learning rate each part of the network gets, as the parameters say it. LIGHT."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.config import TrainConfig


def trained_rates(config: TrainConfig) -> dict[str, float]:
    """Learning rate of each part that is trained: {"textencoder": 1e-5, "unet": 1e-4}."""
    section, network = config.optimizer, config.network
    rates: dict[str, float] = {}
    if not network.network_train_unet_only:
        given = section.learning_rate if section.text_encoder_lr is None else section.text_encoder_lr
        rates |= {"textencoder": given} if isinstance(given, float) else text_rates(given)
    if not network.network_train_text_encoder_only:
        rates["unet"] = section.learning_rate if section.unet_lr is None else section.unet_lr
    return {part: rate for part, rate in rates.items() if rate}


def text_rates(given: tuple[float, float]) -> dict[str, float]:
    """Rates of two text encoders under the names of their groups."""
    return {f"textencoder {number}": rate for number, rate in enumerate(given, start=1)}
