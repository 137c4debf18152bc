"""[network]: the small network that is trained beside the base model. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Lines, Section, Texts, parameter

LARGEST_RANK, WHOLE_RANK = 1024, 1_000_000  # the second for algo=lokr, which takes it for whole matrices
NetworkModule = Literal["networks.lora", "networks.lora_fa", "networks.dylora", "networks.oft", "lycoris.kohya"]


class Network(Section):
    """Network"""

    network_module: NetworkModule = parameter("networks.lora", "Network type")
    """What is trained: networks.lora is the LoRA that every program reads. networks.lora_fa trains half of it and needs
    less memory, networks.dylora can be cut to lower ranks afterwards, networks.oft turns weights (U-Net only; alpha
    0.0001 to 0.01). lycoris.kohya is LyCORIS: in the network arguments algo=locon, loha, lokr and others choose the
    method, preset=full, attn-mlp and others the layers."""

    network_dim: int | None = parameter(None, "Network dim (rank)", ge=1, le=WHOLE_RANK)
    """Size of the low-rank update. Higher can hold more detail; the file and the optimizer state grow in proportion.
    SD 1.5: 32 for most characters, 64 for styles. SDXL: 16 is enough for nearly all. Empty: 4. algo=lokr takes 10000
    for matrices that are not cut."""

    network_alpha: float = parameter(1.0, "Network alpha", ge=0, le=WHOLE_RANK)
    """Damps the update by alpha / dim. The same as dim trains at full strength, half of it needs a higher learning
    rate. 0 means the same as dim."""

    network_dropout: float | None = parameter(None, "Network dropout", gt=0, lt=1, advanced=True)
    """Chance that a part of the update is left out in a step, against learning by heart. Around 0.1; empty is off."""

    network_args: Texts = parameter((), "Network arguments", advanced=True)
    """Further settings of the network type: fields of their own on the page, a list of name=value in a file. Such as
    conv_dim=8 and conv_alpha=4 (train the convolutions too), rank_dropout=0.1, loraplus_lr_ratio=16, block_dims or
    down_lr_weight (own ranks and rates for the U-Net's blocks). Which there are depends on the network type."""

    network_weights: str | None = parameter(None, "Continue from a LoRA", role="file", advanced=True)
    """Starts from the weights of this LoRA file in place of zero. Its rank must be the same unless ranks are taken
    from the file. LoRAs of diffusers and PEFT are read too, also as the folder that they were saved in."""

    dim_from_weights: bool = parameter(
        False, "Take ranks from that LoRA", advanced=True, shown_when={"network_weights": ["*"]}
    )
    """Uses the rank and alpha of every module as the file has them."""

    base_weights: Lines = parameter((), "LoRAs merged into the base model", role="file", advanced=True)
    """One LoRA a line, of any kind that can be trained here: a file, or a folder of diffusers or PEFT. They become part
    of the base model for this run, and what is trained comes on top; the file on the disk stays as it is."""

    base_weights_multiplier: Lines = parameter(
        (), "Strengths of those LoRAs", advanced=True, shown_when={"base_weights": ["*"]}
    )
    """One number a line, in the order of the files; 1 where there is none."""

    network_train_unet_only: bool = parameter(False, "Train the U-Net only")
    """Leaves the text encoder as it is: less memory, safe for single styles; characters learn their trigger word less
    well."""

    network_train_text_encoder_only: bool = parameter(False, "Train the text encoder only", advanced=True)
    """Trains only what words mean. Rarely useful."""

    scale_weight_norms: float | None = parameter(None, "Limit of weight norms", gt=0, advanced=True)
    """Scales every module back whose norm grows beyond this, against overcooking. 1 is a good start; empty is off."""
