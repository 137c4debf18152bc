"""Small files that look like what people choose on the Train tab."""

from __future__ import annotations

from pathlib import Path

import numpy
from safetensors.numpy import save_file


def base_model(
    path: Path, width: int = 768, prefix: str = "cond_stage_model.transformer.", *more_prefixes: str
) -> Path:
    """A file with the names and shapes by which a checkpoint is known, and no real weights."""
    tensors = {
        "model.diffusion_model.input_blocks.0.0.weight": numpy.zeros((8, 4, 3, 3), "float16"),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": numpy.zeros(
            (8, width), "float16"
        ),
        **{f"{start}text_model.x": numpy.zeros((1,), "float16") for start in (prefix, *more_prefixes)},
        "first_stage_model.x": numpy.zeros((1,), "float16"),
    }
    save_file(tensors, str(path))
    return path
