"""Which layers of a base model a network can adapt, and how large they are, from the model's configs alone. LIGHT.

The same layers as `Family.layers` finds in the modules; with them the size of a LoRA file is known before anything is
loaded.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from trainer.families import kinds
from trainer.families.layout import (
    Config,
    matching,
    text_facts,
    text_pieces,
    unet_facts,
    unet_pieces,
    xl_text_2_pieces,
    xl_text_pieces,
)  # fmt: skip
from trainer.families.weights import WeightsError, describe, find_base, read_config

XL_CONTEXT = 2048
ATTENTION, TEXT_ATTENTION, TEXT_MLP = ("Transformer2DModel", "Attention"), ("CLIPAttention",), ("CLIPMLP",)


class Layer(NamedTuple):
    """A Linear (kernel 1) or convolution. containers: class names of the modules around it; path: where it stands,
    with dots."""

    part: Literal["text_encoder", "unet"]
    path: str
    containers: frozenset[str]
    inputs: int
    outputs: int
    kernel: int = 1


def base_layers(name: str) -> tuple[Layer, ...] | None:
    """The layers of a base model by its path; None where its kind is not known."""
    try:
        path = find_base(name)
        seen = path.stat()
        return _layers(path, seen.st_mtime_ns, seen.st_size)
    except (WeightsError, OSError, KeyError, TypeError, ValueError):
        return None


@functools.lru_cache(maxsize=8)
def _layers(path: Path, changed: int, size: int) -> tuple[Layer, ...]:
    about = describe(path)
    xl = kinds.trained_family(about, own_vae=True) == "sdxl"
    texts = [("text_encoder", "text encoder", xl_text_pieces if xl else text_pieces)]
    texts += [("text_encoder_2", "second text encoder", xl_text_2_pieces)] if xl else []
    configs: list[Config] = []
    for component, title, facts, pieces in [
        ("unet", "U-Net", unet_facts, unet_pieces),
        *((component, title, text_facts, pieces) for component, title, pieces in texts),
    ]:
        if about.kind == "folder":
            config = read_config(path / component / "config.json")
            configs.append(config or {})  # without one, its first number is missing: the kind is not known
        else:
            configs.append(matching(path, component, title, about.shapes, facts, pieces))
    return tuple([*(layer for config in configs[1:] for layer in text_layers(config)), *unet_layers(configs[0])])


def family_of_layers(layers: Sequence[Layer]) -> Literal["sd", "sdxl"]:
    """The family that reads text of this width."""
    widest = max(layer.inputs for layer in layers if layer.path.endswith("attn2.to_k"))
    return "sdxl" if widest >= XL_CONTEXT else "sd"


def text_layers(config: Config) -> Iterator[Layer]:
    """The layers of a CLIPTextModel."""
    width, wide = int(config["hidden_size"]), int(config["intermediate_size"])
    for number in range(int(config["num_hidden_layers"])):
        place = f"encoder.layers.{number}"
        for end in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield Layer("text_encoder", f"{place}.self_attn.{end}", frozenset(TEXT_ATTENTION), width, width)
        yield Layer("text_encoder", f"{place}.mlp.fc1", frozenset(TEXT_MLP), width, wide)
        yield Layer("text_encoder", f"{place}.mlp.fc2", frozenset(TEXT_MLP), wide, width)


def unet_layers(config: Config) -> Iterator[Layer]:
    """The layers of a UNet2DConditionModel."""
    widths, count = list(config["block_out_channels"]), int(config["layers_per_block"])
    given, context = config["transformer_layers_per_block"], int(config["cross_attention_dim"])
    depths: Sequence[int] = [given] * len(widths) if isinstance(given, int) else list(given)
    time, last = 4 * widths[0], len(widths) - 1

    def resnet(place: str, inputs: int, outputs: int) -> Iterator[Layer]:
        around = frozenset({"ResnetBlock2D"})
        yield Layer("unet", f"{place}.conv1", around, inputs, outputs, 3)
        yield Layer("unet", f"{place}.time_emb_proj", around, time, outputs)
        yield Layer("unet", f"{place}.conv2", around, outputs, outputs, 3)
        if inputs != outputs:
            yield Layer("unet", f"{place}.conv_shortcut", around, inputs, outputs)

    def attention(place: str, width: int, depth: int) -> Iterator[Layer]:
        around, inner = frozenset(ATTENTION[:1]), frozenset(ATTENTION)
        yield Layer("unet", f"{place}.proj_in", around, width, width)
        for number in range(depth):
            block = f"{place}.transformer_blocks.{number}"
            for end, source in (("attn1", width), ("attn2", context)):
                yield Layer("unet", f"{block}.{end}.to_q", inner, width, width)
                yield Layer("unet", f"{block}.{end}.to_k", inner, source, width)
                yield Layer("unet", f"{block}.{end}.to_v", inner, source, width)
                yield Layer("unet", f"{block}.{end}.to_out.0", inner, width, width)
            yield Layer("unet", f"{block}.ff.net.0.proj", around, width, 8 * width)
            yield Layer("unet", f"{block}.ff.net.2", around, 4 * width, width)
        yield Layer("unet", f"{place}.proj_out", around, width, width)

    yield Layer("unet", "conv_in", frozenset(), int(config["in_channels"]), widths[0], 3)
    yield Layer("unet", "time_embedding.linear_1", frozenset(), widths[0], time)
    yield Layer("unet", "time_embedding.linear_2", frozenset(), time, time)
    skips, width = [widths[0]], widths[0]
    for block, kind in enumerate(config["down_block_types"]):
        for layer in range(count):
            yield from resnet(f"down_blocks.{block}.resnets.{layer}", width, widths[block])
            width = widths[block]
            skips.append(width)
            if "CrossAttn" in kind:
                yield from attention(f"down_blocks.{block}.attentions.{layer}", width, depths[block])
        if block < last:
            around = frozenset({"Downsample2D"})
            yield Layer("unet", f"down_blocks.{block}.downsamplers.0.conv", around, width, width, 3)
            skips.append(width)
    for layer in range(2):
        yield from resnet(f"mid_block.resnets.{layer}", width, width)
    yield from attention("mid_block.attentions.0", width, depths[-1])
    for block, kind in enumerate(config["up_block_types"]):
        outputs = widths[last - block]
        for layer in range(count + 1):
            yield from resnet(f"up_blocks.{block}.resnets.{layer}", width + skips.pop(), outputs)
            width = outputs
            if "CrossAttn" in kind:
                yield from attention(f"up_blocks.{block}.attentions.{layer}", width, depths[last - block])
        if block < last:
            around = frozenset({"Upsample2D"})
            yield Layer("unet", f"up_blocks.{block}.upsamplers.0.conv", around, width, width, 3)
    yield Layer("unet", "conv_out", frozenset(), widths[0], int(config["out_channels"]), 3)
