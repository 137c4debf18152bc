"""Write a full-size SDXL checkpoint with random weights: `python benchmarks/make_sdxl.py FILE`.

Same names, shapes and size (2513 tensors, fp16, 6.9 GB) as the real single file, so that loading, memory and speed can
be measured where no real model is at hand. Its pictures are noise. Written tensor by tensor: 0.8 GB of memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.make_sd15 import random_tensor
from trainer.families import names
from trainer.families.layout import known_configs
from trainer.families.modules import quiet_libraries


def shapes() -> dict[str, torch.Size]:
    """Every tensor of the single file under its LDM name, with its shape."""
    with quiet_libraries():
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    unet, text, text_2 = (dict(known_configs(part)["sdxl"]) for part in ("unet", "text_encoder", "text_encoder_2"))
    vae = dict(known_configs("vae")["sd1"])  # the same architecture
    with quiet_libraries(), torch.device("meta"):
        unet_state = UNet2DConditionModel.from_config(unet).state_dict()
        vae_state = AutoencoderKL.from_config(vae).state_dict()
        text_state = CLIPTextModel(CLIPTextConfig(**text)).state_dict()
        text_2_state = CLIPTextModelWithProjection(CLIPTextConfig(**text_2)).state_dict()
    found = {names.UNET_PREFIX + names.unet_name(name, unet): value.shape for name, value in unet_state.items()}
    for name, value in vae_state.items():
        place = names.vae_name(name, vae)
        attention = "attn_1" in place and value.ndim == 2
        found[names.VAE_PREFIX + place] = torch.Size([*value.shape, 1, 1]) if attention else value.shape
    found |= {names.XL_CLIP_PREFIX + names.clip_name(name): value.shape for name, value in text_state.items()}
    for name, value in text_2_state.items():
        piece = names.open_clip_piece(name)
        whole = value.shape if piece.third is None else torch.Size([3 * value.shape[0], *value.shape[1:]])
        found[names.XL_OPEN_CLIP_PREFIX + piece.name] = whole
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    wanted, header, place = shapes(), {}, 0
    for name, shape in wanted.items():
        end = place + 2 * shape.numel()
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    generator = torch.Generator().manual_seed(options.seed)
    options.file.parent.mkdir(parents=True, exist_ok=True)
    partial = options.file.with_name(options.file.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for name, shape in wanted.items():
            stream.write(random_tensor(name, shape, generator).numpy().data)
    partial.replace(options.file)
    print(f"{options.file}: {len(wanted)} tensors, {options.file.stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
