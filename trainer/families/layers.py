"""The layers of a model that a network may adapt, under the names that LoRA files have for them (KOHYA_COMPAT 6.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from torch import nn

from trainer.families.base import Part, Target

ADAPTABLE = (nn.Linear, nn.Conv2d, nn.LayerNorm, nn.GroupNorm)
SD_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(attentions|resnets|downsamplers|upsamplers)\.(\d+)\.")
XL_BLOCK = re.compile(r"(input_blocks|middle_block|output_blocks)\.(\d+)\.")
XL_FIRST = {"input_blocks": 1, "middle_block": 10, "output_blocks": 13}


def layers_of(
    root: nn.Module,
    part: Part,
    prefix: str,
    rename: Callable[[str], str] = lambda path: path,
    block: Callable[[str], int | None] = lambda path: None,
) -> Iterator[Target]:
    """Every adaptable layer of a module, in module order.

    prefix: lora_unet, lora_te, lora_te1, lora_te2. rename: dotted path here -> dotted path in the names of LoRA files.
    block: dotted path here -> number of its block.
    """
    around: dict[str, frozenset[str]] = {"": frozenset({type(root).__name__})}
    for path, module in root.named_modules():
        if path:
            around[path] = around[path.rpartition(".")[0]] | {type(module).__name__}
        if path and isinstance(module, ADAPTABLE):
            name = f"{prefix}_{rename(path).replace('.', '_')}"
            yield Target(name, module, part, path, around[path.rpartition(".")[0]], block(path))


def clip_name(path: str) -> str:
    """A path in a CLIP text model as LoRA files have it: under text_model, which newer transformers do without."""
    return path if path.startswith(("text_model.", "text_projection")) else f"text_model.{path}"


def sd_block(path: str) -> int | None:
    """Number of a path's block in the U-Net of SD 1 and 2, 0 to 24 (KOHYA_COMPAT 6.5); None outside of them."""
    if path.startswith("mid_block."):
        return 12
    found = SD_BLOCK.match(path + ".")
    if found is None:
        return 0 if path == "conv_in" else None
    side, index, kind, place = found[1], int(found[2]), found[3], int(found[4])
    within = place if kind in ("attentions", "resnets") else 2
    return (1 if side == "down" else 13) + 3 * index + within


def xl_block(path: str) -> int | None:
    """The same for SDXL, 0 to 22, of a path in the names of the first SDXL code; 0 is the time and label embeddings."""
    found = XL_BLOCK.match(path)
    if found is not None:
        return XL_FIRST[found[1]] + int(found[2])
    return 0 if path.startswith(("time_embed.", "label_emb.")) else 22 if path.startswith("out.") else None
