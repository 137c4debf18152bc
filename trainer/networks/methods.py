"""The table of methods: name -> the class that adapts a layer by it. What they take as arguments is in arguments.py."""

from __future__ import annotations

from trainer.networks.base import Adapter
from trainer.networks.lora import LoRA

METHODS: dict[str, type[Adapter]] = {
    "lora": LoRA,
}
