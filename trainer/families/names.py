"""Tensor names of Stable Diffusion files: from diffusers' and transformers' names to the single-file (LDM) ones. LIGHT.

Only names live here; which file is what, and reading it, is in weights.py. The modules we train are diffusers' and
transformers'; a single file keeps the same tensors under CompVis' names, the SD 2 text encoder in OpenCLIP's layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
CLIP_PREFIX = "cond_stage_model.transformer."  # SD 1: transformers' layout
OPEN_CLIP_PREFIX = "cond_stage_model.model."  # SD 2: OpenCLIP's layout
XL_CLIP_PREFIX = "conditioner.embedders.0.transformer."  # SDXL's first text encoder: transformers' layout
XL_OPEN_CLIP_PREFIX = "conditioner.embedders.1.model."  # SDXL's second: OpenCLIP's layout


class Piece(NamedTuple):
    """Where a module's tensor is found: the file's name for it, which third of it (q, k, v stored as one), and whether
    rows and columns change places."""

    name: str
    third: int | None = None
    transposed: bool = False


_UNET_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_BLOCK = re.compile(
    r"(?P<side>down|mid|up)_blocks?\.(?:(?P<block>\d+)\.)?"
    r"(?P<part>resnets|attentions|downsamplers|upsamplers)\.(?P<index>\d+)\.(?P<rest>.+)"
)


def unet_name(name: str, config: Mapping[str, Any]) -> str:
    """The LDM name of a diffusers UNet tensor or module, without `model.diffusion_model.`.

    config: the UNet's config (`layers_per_block`, `up_block_types`). Raises KeyError for a name no LDM file has.
    """
    match = _UNET_BLOCK.fullmatch(name)
    if match is None:
        module, dot, tensor = name.rpartition(".")
        if name in _UNET_TOP:
            return _UNET_TOP[name]
        return _UNET_TOP[module] + dot + tensor
    layers = int(config["layers_per_block"])
    block, index = int(match["block"] or 0), int(match["index"])
    part, rest = match["part"], match["rest"]
    if part == "resnets":
        module, dot, tensor = rest.partition(".")
        rest = _UNET_RESNET[module] + dot + tensor
    if match["side"] == "mid":
        return f"middle_block.{1 if part == 'attentions' else 2 * index}.{rest}"
    if part == "downsamplers":
        return f"input_blocks.{(layers + 1) * (block + 1)}.0.{rest.replace('conv', 'op', 1)}"
    if part == "upsamplers":
        place = 2 if "CrossAttn" in config["up_block_types"][block] else 1
        return f"output_blocks.{(layers + 1) * block + layers}.{place}.{rest}"
    place = 1 if part == "attentions" else 0
    if match["side"] == "down":
        return f"input_blocks.{(layers + 1) * block + index + 1}.{place}.{rest}"
    return f"output_blocks.{(layers + 1) * block + index}.{place}.{rest}"


_VAE_PARTS: Sequence[tuple[str, str]] = (
    (r"mid_block\.attentions\.0\.", "mid.attn_1."),
    (r"attn_1\.(?:to_)?(q|k|v)\.", r"attn_1.\1."),
    (r"attn_1\.to_out\.0\.", "attn_1.proj_out."),
    (r"attn_1\.group_norm\.", "attn_1.norm."),
    (r"mid_block\.resnets\.0\.", "mid.block_1."),
    (r"mid_block\.resnets\.1\.", "mid.block_2."),
    (r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block."),
    (r"down_blocks\.(\d+)\.downsamplers\.0\.", r"down.\1.downsample."),
    (r"conv_norm_out\.", "norm_out."),
    (r"conv_shortcut\.", "nin_shortcut."),
)


def vae_name(name: str, config: Mapping[str, Any]) -> str:
    """The LDM name of a diffusers AutoencoderKL tensor, without `first_stage_model.`.

    LDM counts the decoder's blocks from the picture's side: block 0 of diffusers is the last one there.
    """
    last = len(config["block_out_channels"]) - 1

    def mirrored(match: re.Match[str]) -> str:
        kind = "block." if match[2] == "resnets." else "upsample."
        return f"up.{last - int(match[1])}.{kind}"

    name = re.sub(r"up_blocks\.(\d+)\.(resnets\.|upsamplers\.0\.)", mirrored, name)
    for pattern, replacement in _VAE_PARTS:
        name = re.sub(pattern, replacement, name)
    return name


def clip_name(name: str) -> str:
    """The SD 1 single-file name of a CLIPTextModel tensor, without `cond_stage_model.transformer.`.

    Newer transformers name the tensors without `text_model.`, files have it.
    """
    return name if name.startswith("text_model.") else f"text_model.{name}"


_OPEN_CLIP_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_THIRDS = {"q_proj": 0, "k_proj": 1, "v_proj": 2}


def open_clip_piece(name: str) -> Piece:
    """Where an SD 2 or SDXL single file keeps a CLIPTextModel tensor, without `cond_stage_model.model.`.

    OpenCLIP stores q, k and v of a layer as one matrix (3 D, D): `third` says which part is meant. Its text projection
    P is for x P, that of a linear layer for x W^T: it is `transposed`.
    """
    name = name.removeprefix("text_model.")
    if name == "text_projection.weight":
        return Piece("text_projection", transposed=True)
    if name == "embeddings.token_embedding.weight":
        return Piece("token_embedding.weight")
    if name == "embeddings.position_embedding.weight":
        return Piece("positional_embedding")
    if name.startswith("final_layer_norm."):
        return Piece(name.replace("final_layer_norm", "ln_final"))
    match = re.fullmatch(r"encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if match is None:
        raise KeyError(name)
    layer, module, tensor = f"transformer.resblocks.{match[1]}", match[2], match[3]
    projection = module.removeprefix("self_attn.")
    if projection in _THIRDS:
        return Piece(f"{layer}.attn.in_proj_{tensor}", _THIRDS[projection])
    return Piece(f"{layer}.{_OPEN_CLIP_LAYER[module]}.{tensor}")
