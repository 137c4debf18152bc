"""[precision]: number formats and memory. LIGHT."""

from __future__ import annotations

from typing import Literal

from trainer.config.fields import Section, parameter


class Precision(Section):
    """Precision and memory"""

    mixed_precision: Literal["no", "fp16", "bf16"] = parameter("no", "Mixed precision")
    """bf16 for RTX 30 and newer, fp16 for older cards, no on a machine without a GPU. Halves the memory of the base
    model."""

    gradient_checkpointing: bool = parameter(False, "Gradient checkpointing")
    """Computes parts twice in place of keeping them: about a third slower, much less memory. SDXL needs it on cards
    below 24 GB, SD 1.5 below 8 GB."""

    full_fp16: bool = parameter(False, "Train weights in fp16", advanced=True)
    """Keeps the LoRA itself in fp16 as well. Saves little and can lose small updates; needs mixed precision fp16."""

    full_bf16: bool = parameter(False, "Train weights in bf16", advanced=True)
    """Keeps the LoRA itself in bf16 as well. Needs mixed precision bf16."""

    fp8_base: bool = parameter(False, "Base model in fp8", advanced=True)
    """Stores the frozen base model in 8 bits: half the memory of fp16, slightly less exact. For SDXL on
    8 GB only, since small weights become 0. Needs mixed precision."""

    fp8_base_unet: bool = parameter(False, "U-Net in fp8", advanced=True)
    """The same for the U-Net only; the text encoder keeps its format."""

    quantize_base: Literal["int8", "nf4"] | None = parameter(None, "Quantised base model", advanced=True)
    """Stores the attention weights of the frozen U-Net in 8 bits (int8) or 4 (nf4): a half or a quarter of bf16, for
    small cards. Slower and less exact; methods that need the weights themselves (such as DoRA) do not work with it."""

    no_half_vae: bool = parameter(False, "VAE in full precision", advanced=True)
    """Keeps the VAE in fp32. Cures black or empty latents."""

    sdpa: bool = parameter(False, "PyTorch attention", advanced=True)
    """Fast attention of PyTorch. It is always used when xformers is not; kept so that old files load."""

    xformers: bool = parameter(False, "xformers attention", advanced=True)
    """Uses the xformers package when it is installed; PyTorch's own attention, as fast on new versions, when not."""

    torch_compile: bool = parameter(False, "Compile the U-Net", advanced=True)
    """Faster steps after a start of some minutes, and again some for each new picture size. For long runs on an NVIDIA
    card under Linux; needs a C compiler."""

    dynamo_backend: Literal["inductor", "cudagraphs", "aot_eager", "eager"] = parameter(
        "inductor", "Compiler", advanced=True, shown_when={"torch_compile": [True]}
    )
    """inductor is the fast one. aot_eager and eager only find out whether compiling works."""
