"""Small files that look like what people choose on the Train tab."""

from __future__ import annotations

import json
import math
from pathlib import Path

from trainer.families import layout

ARCHITECTURES = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def base_model(path: Path, width: int = 768, prefix: str = "", markers: tuple[str, ...] = ()) -> Path:
    """A whole base model by its header: every name, the shapes by which it is known, and a hole for the weights.

    width: of the text it reads, which decides what it is. prefix: of the text encoder of a model that is not trained
    here, with one tensor. markers: tensors without numbers that say something about the model.
    """
    architecture = ARCHITECTURES.get(width, "sdxl")
    texts = {
        "sd1": [("text_encoder", layout.text_facts, layout.text_pieces, layout.text_tensors)],
        "sd2": [("text_encoder", layout.text_facts, layout.text_pieces, layout.text_tensors)],
        "sdxl": [
            ("text_encoder", layout.text_facts, layout.xl_text_pieces, layout.text_tensors),
            ("text_encoder_2", layout.text_facts, layout.xl_text_2_pieces, layout.projected_text_tensors),
        ],
    }
    parts = [
        ("unet", layout.unet_facts, layout.unet_pieces, layout.unet_tensors),
        ("vae", layout.vae_facts, layout.vae_pieces, layout.vae_tensors),
        *([] if prefix else texts[architecture]),
    ]
    shapes: dict[str, tuple[int, ...]] = {name: (0,) for name in markers}
    if prefix:
        shapes[f"{prefix}text_model.x"] = (1,)
    for component, facts_of, pieces, tensors in parts:
        known = layout.known_configs(component)
        config = known.get(architecture) or known["sd1"]
        facts = facts_of(config)
        for name in tensors(config):
            shapes[pieces(name, config)[0].name] = facts.get(name, (1,))
    if width not in ARCHITECTURES:
        shapes = {name: (shape[0], width) if "attn2.to_k" in name else shape for name, shape in shapes.items()}
    return with_header(path, shapes)


def with_header(path: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    """A safetensors file of float16 tensors, all zero, which takes no room on the disk."""
    entries, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(entries).encode()
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)
    return path
