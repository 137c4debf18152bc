"""Small trainable networks beside a frozen model. They know named modules, not model families."""

from __future__ import annotations

from trainer.networks.base import NetworkOptions, Target, network_options
from trainer.networks.lora import LoRANetwork, attach

__all__ = ["LoRANetwork", "NetworkOptions", "Target", "attach", "network_options"]
