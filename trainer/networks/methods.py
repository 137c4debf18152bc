"""The table of methods: name -> the class that adapts a layer by it. What they take as arguments is in arguments.py."""

from __future__ import annotations

from trainer.networks.base import Adapter
from trainer.networks.boft import BOFT
from trainer.networks.diag_oft import DiagOFT
from trainer.networks.dylora import DyLoRA
from trainer.networks.full import Full
from trainer.networks.glora import GLoRA
from trainer.networks.ia3 import IA3
from trainer.networks.locon import LoCon
from trainer.networks.loha import LoHa
from trainer.networks.lokr import LoKr
from trainer.networks.lora import LoRA
from trainer.networks.lora_fa import LoRAFA
from trainer.networks.norm import Norm
from trainer.networks.oft import OFT

# the method of a file's tensors is the first that knows them
METHODS: dict[str, type[Adapter]] = {
    "lora": LoRA,
    "locon": LoCon,
    "loha": LoHa,
    "lokr": LoKr,
    "ia3": IA3,
    "glora": GLoRA,
    "diag-oft": DiagOFT,
    "boft": BOFT,
    "full": Full,
    "norm": Norm,
    "lora_fa": LoRAFA,
    "dylora": DyLoRA,
    "oft": OFT,
}
